from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from replank.circuits import Circuit, DensityMatrix, reference, theta
from replank.circuits.channels import (
    apply_channel,
    choi_matrix,
    from_pauli_vector,
    kraus_from_isometry,
    partial_trace,
    pauli_vector,
    trace_distance,
    transfer_matrix,
)
from replank.circuits.circuit_unitary import circuit_unitary
from replank.circuits.gates import pauli_matrix
from replank.circuits.noise import amplitude_damping, depolarising
from replank.circuits.templates import sim14_layers, strongly_entangling_layers

close = torch.testing.assert_close


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.complex(*(torch.randn(*shape, dtype=torch.float64, generator=generator) for _ in range(2)))


def density(d: int, *lead: int, seed: int = 0) -> torch.Tensor:
    a = randn(*lead, d, d, seed=seed)
    rho = a @ a.mH
    return rho / rho.diagonal(dim1=-2, dim2=-1).sum(-1)[..., None, None]


def isometry(rows: int, columns: int, *lead: int, seed: int = 0) -> torch.Tensor:
    return torch.linalg.qr(randn(*lead, rows, columns, seed=seed))[0]


def trace(rho: torch.Tensor) -> torch.Tensor:
    return rho.diagonal(dim1=-2, dim2=-1).sum(-1)


def test_the_partial_trace_of_a_product_is_its_factor():
    one, two, three = density(2), density(3, seed=1), density(2, seed=2)
    rho, dims = torch.kron(torch.kron(one, two), three), (2, 3, 2)
    close(partial_trace(rho, (1,), dims), two)
    close(partial_trace(rho, (2, 0), dims), torch.kron(three, one))
    close(partial_trace(rho, (), dims), torch.ones(1, 1, dtype=rho.dtype))
    close(partial_trace(rho, (0, 1, 2), dims), rho)


def test_the_partial_trace_is_that_of_the_reference():
    circuit = strongly_entangling_layers(4, 2)
    parameters = randn(24).real
    rho = reference.density_matrix(circuit, parameters[:0], parameters)
    close(partial_trace(rho, (2, 0), (2,) * 4), reference.expectation(DensityMatrix((2, 0)), rho))


@given(st.integers(0, 2**31), st.sampled_from([(2, 2, 1), (4, 2, 3), (2, 4, 2)]))
def test_channels_keep_traces_and_positivity(seed, sizes):
    d_out, d_in, n_lost = sizes
    if d_out * n_lost < d_in:
        return
    kraus = kraus_from_isometry(isometry(d_out * n_lost, d_in, 3, seed=seed), (0,), (d_out, n_lost))
    rho = density(d_in, 3, seed=seed + 1)
    after = apply_channel(rho, kraus)
    close(trace(after), torch.ones(3, dtype=after.dtype))
    assert torch.linalg.eigvalsh(after).min() > -1e-12
    choi = choi_matrix(kraus)
    assert torch.linalg.eigvalsh(choi).min() > -1e-10
    close(partial_trace(choi, (0,), (d_in, d_out)), torch.eye(d_in, dtype=choi.dtype).expand(3, -1, -1))
    close(from_pauli_vector((transfer_matrix(kraus) @ pauli_vector(rho)[..., None])[..., 0]), after)
    other = density(d_in, 3, seed=seed + 2)
    assert (trace_distance(after, apply_channel(other, kraus)) <= trace_distance(rho, other) + 1e-12).all()


def test_what_is_no_channel_has_no_positive_choi_matrix():
    """The transpose is positive, but not completely."""
    swap = torch.tensor([[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1.0]])  # its Choi matrix
    assert torch.linalg.eigvalsh(swap).min() == -1
    projector = torch.diag(torch.tensor([1.0, 0])).to(torch.complex128)[None]
    kept = partial_trace(choi_matrix(projector), (0,), (2, 2))
    assert (kept - torch.eye(2)).abs().max() == 1  # a projection alone loses trace


def test_kraus_matrices_of_a_unitary_trace_the_rest_out():
    unitary, rho = isometry(8, 8), density(8, seed=1)
    for keep in ((0,), (1,), (2, 0), (0, 1, 2)):
        expected = partial_trace(unitary @ rho @ unitary.mH, keep, (2, 2, 2))
        close(apply_channel(rho, kraus_from_isometry(unitary, keep, (2, 2, 2))), expected)


@pytest.mark.parametrize("channel", [depolarising(0.3, 0), amplitude_damping(0.4, 0), depolarising(0.2, 0, 1)])
def test_noise_is_applied_as_by_the_reference(channel):
    n = len(channel.wires)
    kraus = torch.stack([torch.tensor(matrix) for matrix in channel.kraus])
    start = strongly_entangling_layers(n, 2)
    parameters = randn(start.n_parameters).real
    rho = reference.density_matrix(start, parameters[:0], parameters)
    noisy = reference.density_matrix(Circuit(n, [*start, channel]), parameters[:0], parameters)
    close(apply_channel(rho, kraus), noisy)


def test_pauli_vectors_are_expectation_values():
    rho = density(4)
    vector = pauli_vector(rho)
    close(vector[0], torch.tensor(1.0, dtype=torch.float64))
    close(vector[4 * 3 + 1], trace(pauli_matrix("ZX") @ rho).real)
    close(from_pauli_vector(vector), rho)
    close((vector**2).sum() / 4, trace(rho @ rho).real)


def test_the_transfer_matrix_of_a_unitary_is_orthogonal():
    transfer = transfer_matrix(isometry(4, 4)[None])
    close(transfer @ transfer.mT, torch.eye(16, dtype=torch.float64))
    close(transfer[0], torch.eye(16, dtype=torch.float64)[0])


def test_trace_distance_of_pure_states_is_the_sine_of_their_angle():
    a, b = (torch.nn.functional.normalize(randn(2, seed=seed), dim=0) for seed in (0, 1))
    overlap = (a.conj() * b).sum().abs()
    pure = [v[:, None] * v[None].conj() for v in (a, b)]
    close(trace_distance(*pure), (1 - overlap**2).sqrt())


@pytest.mark.parametrize(
    ("call", "law"),
    [
        (lambda: partial_trace(density(4), (0,), (2, 3)), r"dims=\(2, 3\) has 6 rows and columns"),
        (lambda: partial_trace(density(4), (0, 0), (2, 2)), r"different ones of 0..1, got keep=\(0, 0\)"),
        (lambda: kraus_from_isometry(density(4), (2,), (2, 2)), r"different ones of 0..1, got keep=\(2,\)"),
        (lambda: kraus_from_isometry(density(4), (0,), (2, 3)), "has 6 rows"),
        (lambda: pauli_vector(density(3)), "powers of two, got 3"),
        (lambda: circuit_unitary(sim14_layers(2, 1), torch.zeros(7)), r"shape \(\*, 8\)"),
        (lambda: circuit_unitary(Circuit(1).measure(0), torch.zeros(0)), "only unitary operations have a matrix"),
    ],
)
def test_what_does_not_fit_is_refused(call, law):
    with pytest.raises(ValueError, match=law):
        call()


def test_unitaries_of_many_parameters_are_those_of_each():
    circuit = strongly_entangling_layers(3, 2).h(1).crz(theta[0], 2, 0).toffoli(2, 0, 1)
    parameters = randn(2, 3, circuit.n_parameters).real
    unitaries = circuit_unitary(circuit, parameters)
    assert unitaries.shape == (2, 3, 8, 8)
    close(unitaries[1, 2], reference.unitary(circuit, parameters=parameters[1, 2]))
    close(unitaries @ unitaries.mH, torch.eye(8, dtype=unitaries.dtype).expand(2, 3, -1, -1), rtol=0, atol=1e-12)
    assert circuit_unitary(circuit, parameters[:0]).shape == (0, 3, 8, 8)


def test_derivatives_of_unitaries():
    circuit = sim14_layers(2, 1)
    into = randn(2, 4, 4)
    parameters = randn(2, 8).real.requires_grad_()
    assert torch.autograd.gradcheck(lambda p: (into * circuit_unitary(circuit, p)).real.sum(), parameters)
    assert torch.autograd.gradgradcheck(lambda p: (into * circuit_unitary(circuit, p)).real.sum(), parameters)
