"""One circuit for many angles and strengths of noise: against formulas, the slow reference, and itself."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from replank.circuits import Circuit, X, Y, Z, reference, theta, x
from replank.circuits.noise_families import NOISE_FAMILIES, depolarising_noise, over_rotation, qiskit_depolarising
from replank.circuits.noisy_circuit import NoisyCircuit
from replank.circuits.spin_chains import transverse_ising, z_string
from replank.circuits.templates import hardware_efficient_layers
from replank.errors import UsageError

STRENGTHS = torch.tensor([0.0, 0.02, 0.3], dtype=torch.float64)


def angles(n: int, n_parameters: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return 2 * math.pi * torch.rand(n, n_parameters, generator=generator, dtype=torch.float64)


def mixed(channel, rho):
    return sum(k @ rho @ k.conj().T for k in channel.kraus)


@pytest.mark.parametrize("k", [1, 2])
def test_qiskits_parameter_is_the_share_of_the_maximally_mixed_state(k):
    rng, d = np.random.default_rng(k), 2**k
    a = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
    rho = a @ a.conj().T / np.trace(a @ a.conj().T)
    most = 4**k / (4**k - 1)
    for p in (0.0, 0.1, 0.7, 1.0, most):
        after = mixed(qiskit_depolarising(p, *range(k)), rho)
        np.testing.assert_allclose(after, (1 - p) * rho + p * np.eye(d) / d, atol=1e-14)
    for p in (-1e-6, most + 1e-6, math.nan):
        with pytest.raises(ValueError, match=re.escape(f"[0, {4**k}/{4**k - 1}]")):
            qiskit_depolarising(p, *range(k))


@given(st.floats(0, 1), st.floats(0, 1))
def test_channels_in_a_row_multiply(one, other):
    rho = np.array([[0.7, 0.2 - 0.3j], [0.2 + 0.3j, 0.3]])
    both = mixed(qiskit_depolarising(one, 0), mixed(qiskit_depolarising(other, 0), rho))
    single = mixed(qiskit_depolarising(1 - (1 - one) * (1 - other), 0), rho)
    np.testing.assert_allclose(both, single, atol=1e-12)


@pytest.mark.parametrize("m", [1, 4])
def test_each_gate_of_one_qubit_takes_its_factor(m):
    circuit = Circuit(1).ry(theta[0], 0)
    for _ in range(m - 1):
        circuit.i(0)
    rotations = angles(5, 1)
    values = NoisyCircuit(circuit, depolarising_noise).expectation(Z(0), STRENGTHS, rotations)
    expected = (1 - STRENGTHS) ** m * rotations.cos()
    torch.testing.assert_close(values, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", NOISE_FAMILIES)
def test_a_family_agrees_with_the_slow_reference_and_begins_without_noise(name):
    circuit, observables = hardware_efficient_layers(2, 1), (z_string(2), transverse_ising(2), X(0) @ Y(1))
    noisy, sets = NoisyCircuit(circuit, NOISE_FAMILIES[name]), angles(2, circuit.n_parameters)
    values = noisy.expectation(observables, STRENGTHS, sets)
    assert values.shape == (2, 3, 3)
    torch.testing.assert_close(values[:, 0], noisy.noiseless(observables, sets), rtol=0, atol=1e-12)
    for row, parameters in enumerate(sets):
        for column, p in enumerate(STRENGTHS):
            model = NOISE_FAMILIES[name](float(p))
            rho = reference.density_matrix(model.apply(circuit), parameters.new_zeros(0), parameters)
            read = [model.readout.of_observable(o) if model.readout else o for o in observables]
            expected = torch.stack([reference.expectation(each, rho) for each in read])
            torch.testing.assert_close(values[row, column], expected, rtol=0, atol=1e-12)


def test_fully_depolarised_is_worth_nothing_and_energies_are_polynomials():
    """``E`` is a polynomial in ``1 - p`` of at most as many powers as gates, and 0 at p = 1."""
    circuit = hardware_efficient_layers(2, 1)
    degree, sets = len(circuit), angles(3, circuit.n_parameters)
    noisy = NoisyCircuit(circuit, depolarising_noise)
    # Chebyshev points: equidistant ones are not told apart by a polynomial of this degree
    points = 0.5 + 0.5 * torch.cos(math.pi * (torch.arange(degree + 1, dtype=torch.float64) + 0.5) / (degree + 1))
    values = noisy.expectation(transverse_ising(2), points, sets)
    fitted = np.polynomial.Chebyshev.fit(points.numpy(), values.T.numpy()[:, 0], degree, domain=(0, 1))
    more = torch.tensor([0.0, 0.37, 0.9, 1.0], dtype=torch.float64)
    found = noisy.expectation(transverse_ising(2), more, sets[:1])[0]
    np.testing.assert_allclose(fitted(more.numpy()), found.numpy(), atol=1e-12)
    assert abs(float(found[-1])) < 1e-14


def test_readout_noise_shrinks_each_z():
    circuit, sets = hardware_efficient_layers(3, 1), angles(4, 12)
    noisy = NoisyCircuit(circuit, NOISE_FAMILIES["readout"])
    values = noisy.expectation(z_string(3), STRENGTHS, sets)
    expected = (1 - 2 * STRENGTHS) ** 3 * noisy.noiseless(z_string(3), sets)[:, None]
    torch.testing.assert_close(values, expected, rtol=0, atol=1e-12)


def test_over_rotations_add_up():
    """RX(angle) after RX gates is as if they had turned further; and the state stays pure."""
    circuit = Circuit(1).rx(theta[0], 0).rx(theta[1], 0)
    sets = angles(3, 2)
    values = NoisyCircuit(circuit, NOISE_FAMILIES["over-rotation"]).expectation(Z(0), STRENGTHS, sets)
    torch.testing.assert_close(values, (sets.sum(1, keepdim=True) + 2 * STRENGTHS).cos(), rtol=0, atol=1e-12)
    assert len(over_rotation(0.1, 0).kraus) == 1
    with pytest.raises(ValueError, match=r"got p=-0.1"):
        NOISE_FAMILIES["over-rotation"](-0.1)


def test_gradients_with_respect_to_angles():
    circuit = hardware_efficient_layers(2, 1)
    noisy, sets = NoisyCircuit(circuit, depolarising_noise), angles(2, circuit.n_parameters).requires_grad_()

    def energy(parameters):
        return noisy.expectation(transverse_ising(2), STRENGTHS[1:], parameters)

    assert torch.autograd.gradcheck(energy, sets, fast_mode=True)


def test_shots_scatter_as_they_should_and_are_reproducible():
    noisy, sets = NoisyCircuit(Circuit(1).ry(theta[0], 0), depolarising_noise), angles(1, 1).expand(4000, -1)
    runs = [
        noisy.expectation(Z(0), STRENGTHS, sets, shots=100, generator=torch.Generator().manual_seed(seed))
        for seed in (0, 0, 1)
    ]
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])
    exact = noisy.expectation(Z(0), STRENGTHS, sets[:1])[0]
    torch.testing.assert_close(runs[0].mean(0), exact, rtol=0, atol=6 * 0.1 / math.sqrt(4000))
    torch.testing.assert_close(runs[0].var(0), (1 - exact**2) / 100, rtol=0.1, atol=0)


def test_what_is_refused():
    circuit = hardware_efficient_layers(2, 1)
    noisy, sets = NoisyCircuit(circuit, depolarising_noise), angles(1, 8)
    with pytest.raises(ValueError, match=r"\[0, 1.33333\] = \[0, 4/3\]"):
        noisy.expectation(Z(0), torch.tensor([0.1, 1.4]), sets)
    with pytest.raises(ValueError, match=r"got p=-0\.01"):
        noisy.expectation(Z(0), torch.tensor([-0.01], dtype=torch.float64), sets)
    with pytest.raises(ValueError, match="strengths must have shape"):
        noisy.expectation(Z(0), torch.zeros(0), sets)
    with pytest.raises(ValueError, match=r"angles must have shape \(B, 8\)"):
        noisy.expectation(Z(0), STRENGTHS, sets[:, 1:])
    with pytest.raises(ValueError, match=r"among 0..1"):
        noisy.expectation(z_string(3), STRENGTHS, sets)
    with pytest.raises(UsageError, match=r"up to 8 qubits, got n_qubits=9.* 4,194,304 bytes"):
        NoisyCircuit(Circuit(9).h(0), depolarising_noise)
    with pytest.raises(ValueError, match="no features"):
        NoisyCircuit(Circuit(1).ry(x[0], 0), depolarising_noise)
