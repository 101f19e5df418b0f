from __future__ import annotations

import math

import pytest
import torch

from replank.circuits import Spectra, hamiltonian_evolution, image_hamiltonian, precompute, su_unitary
from replank.circuits.spectra import states_on_hamiltonians, states_on_spectra

F64, C128 = torch.float64, torch.complex128


def randn(*shape: int, dtype: torch.dtype = F64, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def hamiltonians(mode: str = "symmetric") -> torch.Tensor:
    """A generic image, one with black borders (eigenvalues that coincide), and a black one."""
    image = randn(4, 4)
    padded = torch.zeros(4, 4, dtype=F64)
    padded[1:3, 1:3] = image[:2, :2]
    return image_hamiltonian(torch.stack((image, padded, torch.zeros_like(image))), mode)


modes = pytest.mark.parametrize("mode", ["symmetric", "hermitian", "block"])


@modes
def test_the_group_law_and_the_inverse(mode):
    spectra = precompute(hamiltonians(mode))
    identity = torch.eye(spectra.values.shape[-1], dtype=C128).expand_as(spectra.unitary(0.0))
    close = {"rtol": 0, "atol": 1e-12}
    torch.testing.assert_close(spectra.unitary(0.0), identity, **close)
    torch.testing.assert_close(spectra.unitary(0.3) @ spectra.unitary(1.1), spectra.unitary(1.4), **close)
    torch.testing.assert_close(spectra.unitary(0.7).mH, spectra.unitary(-0.7), **close)


@modes
@pytest.mark.parametrize("t", [0.8, torch.tensor([0.1, -2.0, 3.0], dtype=F64)], ids=["one", "each"])
def test_cached_and_direct_evolution_are_the_exponential(mode, t):
    h = hamiltonians(mode)
    factor = t[:, None, None] if isinstance(t, torch.Tensor) else t
    expected = torch.matrix_exp(-0.5j * factor * h)
    torch.testing.assert_close(precompute(h).unitary(t), expected, rtol=0, atol=1e-10)
    torch.testing.assert_close(hamiltonian_evolution(h, t), expected, rtol=0, atol=1e-10)


@modes
def test_the_derivative_by_time_is_minus_i_half_h_u(mode):
    h = hamiltonians(mode)
    spectra = precompute(h)

    def entries(t: torch.Tensor) -> torch.Tensor:
        return torch.view_as_real(spectra.unitary(t))

    t = torch.tensor(0.6, dtype=F64)
    derivative = torch.view_as_complex(torch.func.jacfwd(entries)(t).contiguous())
    torch.testing.assert_close(derivative, -0.5j * h.to(C128) @ spectra.unitary(0.6), rtol=0, atol=1e-10)


def arguments(mode: str = "symmetric") -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    h = hamiltonians(mode)
    n = h.shape[-1].bit_length() - 1
    return h, su_unitary(0.3 * randn(3, 4**n - 1)), torch.tensor([0.4, -1.3, 2.0], dtype=F64)


def by_exponentials(h: torch.Tensor, unitaries: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
    d = h.shape[-1]
    states = torch.full((len(h), d, 1), d**-0.5, dtype=C128)
    for t, unitary in zip(times, unitaries, strict=True):
        states = unitary @ (torch.matrix_exp(-0.5j * t * h) @ states)
    return states[..., 0]


@modes
def test_states_equal_a_chain_of_exponentials(mode):
    h, unitaries, times = arguments(mode)
    expected = by_exponentials(h, unitaries, times)
    close = {"rtol": 0, "atol": 1e-10}
    torch.testing.assert_close(states_on_spectra(precompute(h), unitaries, times), expected, **close)
    torch.testing.assert_close(states_on_hamiltonians(h, unitaries, times), expected, **close)


@modes
def test_gradients_equal_those_of_the_chain_even_where_eigenvalues_coincide(mode):
    h, unitaries, times = arguments(mode)
    h.requires_grad_(), unitaries.requires_grad_(), times.requires_grad_()
    weight = randn(3, h.shape[-1], dtype=C128, seed=5)
    results = [
        torch.autograd.grad((weight * states).real.sum(), sources)
        for states, sources in (
            (by_exponentials(h, unitaries, times), (h, unitaries, times)),
            (states_on_hamiltonians(h, unitaries, times), (h, unitaries, times)),
            (states_on_spectra(precompute(h), unitaries, times), (unitaries, times)),
        )
    ]
    symmetric = [(grad + grad.mH) / 2 for grad in (results[0][0], results[1][0])]  # the rest is no direction of H
    torch.testing.assert_close(*symmetric, rtol=0, atol=1e-9)
    for other in (results[1][1:], results[2]):
        torch.testing.assert_close(other, results[0][1:], rtol=0, atol=1e-9)


def test_gradients_of_times_equal_finite_differences():
    h, unitaries, times = arguments()
    spectra = precompute(h)

    def outcomes(times: torch.Tensor) -> torch.Tensor:
        return states_on_spectra(spectra, unitaries, times).abs().square()

    assert torch.autograd.gradcheck(outcomes, times.requires_grad_())
    assert torch.autograd.gradgradcheck(outcomes, times)


@modes
def test_packing_keeps_every_bit(mode):
    spectra = precompute(hamiltonians(mode))
    back = Spectra.unpack(spectra.pack())
    assert torch.equal(back.values, spectra.values)
    assert torch.equal(back.vectors, spectra.vectors)
    assert not back.values.is_complex()


def test_decomposing_in_chunks_changes_no_bit(monkeypatch):
    h = image_hamiltonian(randn(7, 4, 4))
    whole = precompute(h)
    monkeypatch.setattr("replank.circuits.spectra._CHUNK_BYTES", 2 * 16 * 8)
    cut = precompute(h)
    assert torch.equal(whole.values, cut.values)
    assert torch.equal(whole.vectors, cut.vectors)


@pytest.mark.parametrize("lead", [(), (2, 3), (0,)], ids=str)
def test_any_leading_dimensions(lead):
    h = image_hamiltonian(randn(*lead, 4, 4))
    spectra = precompute(h)
    assert spectra.values.shape == (*lead, 4)
    torch.testing.assert_close((spectra.vectors * spectra.values[..., None, :]) @ spectra.vectors.mT, h)


def test_conjugation_turns_the_hamiltonian():
    h, orthogonal = hamiltonians(), torch.linalg.qr(randn(4, 4, seed=3))[0]
    turned = precompute(h).conjugated(orthogonal)
    torch.testing.assert_close(
        turned.unitary(0.9), orthogonal.to(C128) @ precompute(h).unitary(0.9) @ orthogonal.mT.to(C128)
    )


def test_a_multiple_of_the_identity_is_a_global_phase():
    h, unitaries, times = arguments()
    shifted = h + 3.0 * torch.eye(4, dtype=F64)
    first, second = (states_on_spectra(precompute(each), unitaries, times) for each in (h, shifted))
    phase = torch.exp(torch.tensor(-1.5j * times.sum().item(), dtype=C128))
    torch.testing.assert_close(second, phase * first, rtol=0, atol=1e-10)


def test_not_finite_is_refused():
    with pytest.raises(ValueError, match="must be finite"):
        precompute(torch.full((2, 2), math.nan))


@pytest.mark.parametrize("shape", [(4,), (4, 4), (2, 4, 5)], ids=str)
def test_what_was_not_packed_is_refused(shape):
    with pytest.raises(ValueError, match=r"must have shape \(\*, d \+ 1, d\)"):
        Spectra.unpack(torch.zeros(shape))


@pytest.mark.parametrize(("layers", "n_times", "d"), [(3, 2, 4), (3, 3, 8)], ids=["times", "size"])
def test_shapes_that_do_not_fit_are_refused(layers, n_times, d):
    with pytest.raises(ValueError, match="states_on_spectra: shapes must be"):
        states_on_spectra(precompute(hamiltonians()), torch.zeros(layers, d, d, dtype=C128), torch.ones(n_times))
