from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.sparse.linalg import expm_multiply

from replank.circuits import PauliSum, Z, reference
from replank.circuits.gates import pauli_matrix
from replank.circuits.given_states import DiagonalMeans, StateEncoder
from replank.circuits.layer import QuantumLayer
from replank.circuits.many_body import aubry_andre_fields, evolved, imbalance, neel_state, xy_chain, z_means
from replank.circuits.templates import interleaved_blocks

F64 = torch.float64


def random_states(n: int, count: int = 3, seed: int = 0) -> torch.Tensor:
    parts = torch.randn(count, 2**n, 2, dtype=F64, generator=torch.Generator().manual_seed(seed))
    psi = torch.view_as_complex(parts)
    return psi / psi.norm(dim=1, keepdim=True)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_the_hamiltonian_is_the_sum_of_its_pauli_strings(n):
    field, coupling = np.random.default_rng(n).normal(size=n), 0.7
    expected = np.zeros((2**n, 2**n), complex)
    for i in range(n - 1):
        for letter in "XY":
            word = "".join(letter if wire in (i, i + 1) else "I" for wire in range(n))
            expected -= coupling / 2 * pauli_matrix(word).numpy()
    for i, v in enumerate(field):
        expected -= v / 2 * pauli_matrix("".join("Z" if wire == i else "I" for wire in range(n))).numpy()
    np.testing.assert_allclose(xy_chain(field, coupling).toarray(), expected, atol=1e-14)


@pytest.mark.parametrize("n", [2, 4, 6])
def test_evolution_by_blocks_is_that_of_the_whole_matrix(n):
    fields = 3 * torch.randn(4, n, dtype=F64, generator=torch.Generator().manual_seed(1))
    times = torch.tensor([0.0, 0.3, 4.0, 11.0], dtype=F64)
    (psi,) = random_states(n, 1)  # in all blocks at once
    found = evolved(fields, times, psi, 1.3)
    for field, time, state in zip(fields, times, found, strict=True):
        expected = expm_multiply(-1j * float(time) * xy_chain(field.numpy(), 1.3).astype(complex), psi.numpy())
        np.testing.assert_allclose(state.numpy(), expected, atol=1e-11)
    assert torch.allclose(found[0], psi)


def test_energy_norm_and_ones_are_conserved():
    fields, times = torch.randn(5, 6, dtype=F64), 12 * torch.rand(5, dtype=F64)
    start = neel_state(6)
    states = evolved(fields, times, start)
    torch.testing.assert_close(states.norm(dim=1), torch.ones(5, dtype=F64), atol=1e-12, rtol=0)
    assert z_means(states).sum(1).abs().max() < 1e-10
    for field, state in zip(fields, states, strict=True):
        hamiltonian = xy_chain(field.numpy())
        before, after = (psi.conj() @ (hamiltonian @ psi) for psi in (start.numpy(), state.numpy()))
        assert abs(before - after) < 1e-10


def test_without_coupling_nothing_moves():
    states = evolved(torch.randn(3, 4, dtype=F64), torch.rand(3, dtype=F64), neel_state(4), coupling=0.0)
    torch.testing.assert_close(imbalance(states), torch.ones(3, dtype=F64))


def test_the_field_is_quasi_periodic_and_as_strong_as_said():
    fields = aubry_andre_fields(200, torch.tensor([2.0, 3.0], dtype=F64), torch.tensor([0.0, 1.0], dtype=F64))
    assert fields[0, 0] == 2.0
    assert torch.allclose(fields.abs().amax(1), torch.tensor([2.0, 3.0], dtype=F64), atol=0.01)
    assert len(fields[0].unique()) == 200  # it never repeats


def test_the_order_of_the_neel_state_is_one_and_of_its_mirror_minus_one():
    neel = neel_state(4)
    assert imbalance(neel[None]) == 1
    assert int(neel.abs().argmax()) == 0b0101
    assert imbalance(neel.flip(0)[None]) == -1


@pytest.mark.parametrize(
    ("fields", "times"), [(torch.zeros(3, 1), torch.zeros(3)), (torch.zeros(3, 4), torch.zeros(2)),
                          (torch.zeros(3, 15), torch.zeros(3))],
)  # fmt: skip
def test_chains_that_do_not_fit_are_refused(fields, times):
    with pytest.raises(ValueError, match=r"needs fields \(B, n\) of 2 to 14 qubits and a time for each"):
        evolved(fields, times, neel_state(4))


def test_an_initial_state_must_have_norm_one():
    with pytest.raises(ValueError, match="evolved: states must have norm 1"):
        evolved(torch.zeros(1, 3), torch.zeros(1), 2 * neel_state(3))


# -- circuits on given states ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("readout", [0, 2])
def test_a_circuit_on_complex_states_measures_what_dense_matrices_say(readout):
    n, encoder = 3, StateEncoder(3)
    blocks = interleaved_blocks(n, 2)
    circuit = encoder.circuit(n + 1).extend(blocks.on(range(n), n + 1))
    layer = QuantumLayer(circuit, [encoder.observable(Z(readout), n)], dtype=F64)
    states = random_states(n)
    unitary = reference.unitary(blocks, parameters=layer.theta.detach())
    expected = DiagonalMeans(n, [(readout,)])(states @ unitary.mT)
    torch.testing.assert_close(layer(encoder.features(states)).detach(), expected)


def test_gradients_reach_complex_states():
    n, encoder = 2, StateEncoder(2)
    circuit = encoder.circuit(n + 1).extend(interleaved_blocks(n, 1).on(range(n), n + 1))
    layer = QuantumLayer(circuit, [encoder.observable(Z(1), n)], dtype=F64)
    states = random_states(n)

    def value(turn):  # on the sphere: norm 1 must stay
        return layer(encoder.features(states * torch.exp(1j * turn)))

    assert torch.autograd.gradcheck(value, torch.randn(3, 4, dtype=F64).requires_grad_())


def test_the_auxiliary_qubit_is_behind_the_observable_unless_said():
    encoder = StateEncoder(2)
    assert encoder.observable(Z(0), 1) == encoder.observable(Z(0))
    assert isinstance(encoder.observable(Z(0), 3), PauliSum)
    assert encoder.observable(Z(0), 3).wires == (0, 3)


def test_states_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"StateEncoder: states must have shape \(B, 4\), got \(3, 8\)"):
        StateEncoder(2).features(random_states(3))
    with pytest.raises(ValueError, match=r"must have norm 1, got norms from 1\.00001"):
        StateEncoder(2).features(random_states(2) * (1 + 1e-5))
