"""Hamiltonians of chains, against energies that are known otherwise."""

from __future__ import annotations

import math

import pytest
import torch

from replank.circuits import Z
from replank.circuits.spin_chains import energies, heisenberg_xxz, transverse_ising, z_string


@pytest.mark.parametrize("n", [2, 3, 5])
def test_half_of_a_strings_energies_are_minus_one(n):
    expected = torch.tensor([-1.0] * 2 ** (n - 1) + [1.0] * 2 ** (n - 1), dtype=torch.float64)
    torch.testing.assert_close(energies(z_string(n), n), expected)


@pytest.mark.parametrize("n", [2, 3, 6])
def test_the_critical_ising_chain_has_its_known_ground_state(n):
    """Free fermions: ``-sum_k 2 sin(pi (2k - 1) / (2 (2n + 1)))`` for an open chain at the critical field."""
    known = -sum(2 * math.sin(math.pi * (2 * k - 1) / (2 * (2 * n + 1))) for k in range(1, n + 1))
    assert float(energies(transverse_ising(n), n)[0]) == pytest.approx(known, abs=1e-12)


def test_two_spins_of_an_xxz_chain():
    for anisotropy in (0.5, 1.0, -2.0):
        expected = torch.tensor([-2 - anisotropy, 2 - anisotropy, anisotropy, anisotropy]).sort().values
        torch.testing.assert_close(energies(heisenberg_xxz(2, anisotropy), 2), expected.double())


@pytest.mark.parametrize("build", [z_string, transverse_ising, heisenberg_xxz])
def test_they_have_no_trace(build):
    assert abs(float(energies(build(3), 3).sum())) < 1e-12


def test_other_qubits_are_refused():
    with pytest.raises(ValueError, match=r"among 0..1"):
        energies(Z(2), 2)
