from __future__ import annotations

import pytest
import torch

from replank.measure import state_fidelity, trace_distance


def states(n: int, d: int = 8) -> torch.Tensor:
    parts = torch.randn(n, d, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(n))
    amplitudes = torch.view_as_complex(parts)
    return amplitudes / amplitudes.norm(dim=1, keepdim=True)


def test_it_is_one_for_equal_states_whatever_their_phase_and_zero_for_orthogonal_ones():
    psi = states(5)
    one = torch.ones(5, dtype=torch.float64)
    torch.testing.assert_close(state_fidelity(psi, psi * torch.exp(torch.tensor(0.7j))), one)
    basis = torch.eye(4)
    torch.testing.assert_close(state_fidelity(basis[:1], basis), basis[0])


def test_it_is_symmetric_and_invariant_under_unitaries():
    one, other = states(6), states(6).roll(1, 0)
    unitary = torch.linalg.qr(states(8)).Q
    torch.testing.assert_close(state_fidelity(one, other), state_fidelity(other, one))
    torch.testing.assert_close(state_fidelity(one @ unitary, other @ unitary), state_fidelity(one, other))


def test_the_trace_distance_is_half_the_trace_norm_of_the_difference():
    one, other = states(7), states(7).flip(0)
    rho = (psi[:, :, None] * psi[:, None].conj() for psi in (one, other))
    difference = next(rho) - next(rho)
    expected = torch.linalg.eigvalsh(difference).abs().sum(1) / 2
    torch.testing.assert_close(trace_distance(one, other), expected, atol=1e-7, rtol=0)


def test_states_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match=r"must have one dimension d, got shapes \(5, 8\) and \(5, 4\)"):
        state_fidelity(states(5), states(5, 4))
