"""Folded circuits: the same unitary, more gates, and as much more noise to first order."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from replank.circuits import Circuit, noise, reference, theta
from replank.circuits.folding import fold_global, fold_local, gate_ratio
from replank.circuits.noise_families import NOISE_FAMILIES
from replank.circuits.noisy_circuit import NoisyCircuit
from replank.circuits.spin_chains import transverse_ising
from replank.circuits.templates import hardware_efficient_layers

CIRCUIT = hardware_efficient_layers(3, 2)
ANGLES = 2 * math.pi * torch.rand(4, 18, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
FOLDS = [fold_global, fold_local]


def _words(circuit):
    return [repr(operation) for operation in circuit]


@pytest.mark.parametrize("fold", FOLDS)
@given(scale=st.floats(1, 8))
def test_the_unitary_stays_and_the_scale_comes_as_near_as_gates_allow(fold, scale):
    folded = fold(CIRCUIT, scale, partial=True)
    assert abs(gate_ratio(folded, CIRCUIT) - scale) <= 1 / len(CIRCUIT) + 1e-12
    none = torch.zeros(0, dtype=torch.float64)
    plain = reference.unitary(CIRCUIT, none, ANGLES[0])
    torch.testing.assert_close(reference.unitary(folded, none, ANGLES[0]), plain, rtol=0, atol=1e-12)


@pytest.mark.parametrize("fold", FOLDS)
@pytest.mark.parametrize("k", [0, 1, 2])
def test_odd_integers_are_reached_exactly(fold, k):
    folded = fold(CIRCUIT, 2 * k + 1)
    assert len(folded) == (2 * k + 1) * len(CIRCUIT)
    assert _words(folded) == _words(fold(CIRCUIT, 2 * k + 1, partial=True))
    assert (k == 0) == (_words(folded) == _words(CIRCUIT))


def test_what_is_folded_where():
    gates = [operation.label for operation in fold_local(Circuit(1).h(0).s(0).t(0), 5 / 3, partial=True)]
    assert gates == ["H", "H", "H", "S", "T"]
    labels = [operation.label for operation in fold_global(Circuit(1).h(0).x(0).z(0), 5 / 3, partial=True)]
    assert labels == ["H", "X", "Z", "Z", "Z"]
    assert [each.label for each in fold_global(Circuit(1).h(0).x(0), 3)] == ["H", "X", "X", "H", "H", "X"]


@pytest.mark.parametrize("fold", FOLDS)
@pytest.mark.parametrize("scale", [3, 5])
def test_noise_grows_by_the_scale_to_first_order(fold, scale):
    """``E_fold(scale, p) - E(scale p)`` falls fourfold when p is halved."""
    family, energy = NOISE_FAMILIES["depolarising"], transverse_ising(3)
    strengths = torch.tensor([4e-4, 2e-4, 1e-4], dtype=torch.float64)
    folded = NoisyCircuit(fold(CIRCUIT, scale), family).expectation(energy, strengths, ANGLES)
    direct = NoisyCircuit(CIRCUIT, family).expectation(energy, scale * strengths, ANGLES)
    difference = (folded - direct).norm(dim=0)
    slopes = (difference[:-1] / difference[1:]).log2()
    assert (difference > 1e-9).all()
    assert ((slopes - 2).abs() < 0.05).all(), slopes
    once = NoisyCircuit(CIRCUIT, family).expectation(energy, strengths, ANGLES)
    assert ((direct - once).norm(dim=0) > 100 * difference).all()  # so that the first order is not zero anyway


@pytest.mark.parametrize("fold", FOLDS)
def test_what_is_refused(fold):
    with pytest.raises(ValueError, match=r"odd integer, got scale=2\..*partial=True"):
        fold(CIRCUIT, 2)
    with pytest.raises(ValueError, match=r"odd integer, got scale=1\.5"):
        fold(CIRCUIT, 1.5)
    for scale in (0.5, 0, -1, math.inf, math.nan):
        with pytest.raises(ValueError, match=f"at least 1, got scale={scale}"):
            fold(CIRCUIT, scale, partial=True)
    with pytest.raises(ValueError, match="must be unitary, got Depolarising"):
        fold(Circuit(1).ry(theta[0], 0).append(noise.depolarising(0.1, 0)), 3)
