from __future__ import annotations

from itertools import product
from math import pi

import numpy as np
import pytest
import torch

from replank.circuits import Circuit, Estimator, Probabilities, reference
from replank.errors import UnknownName
from replank.features import QuantumFeatureMap, cnot_cascade, feature_circuit, product_xor_features
from replank.features.quantum_map import Hadamard

F64 = torch.float64
MODES: tuple[Hadamard, ...] = ("none", "first", "all")
every_mode = pytest.mark.parametrize("mode", MODES)


def angles(n: int = 9, width: int = 5, seed: int = 0, dtype: torch.dtype = F64) -> torch.Tensor:
    return pi * torch.rand(n, width, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def statevector(circuit: Circuit, features: torch.Tensor) -> torch.Tensor:
    return reference.state(circuit, features, torch.zeros(0, dtype=features.dtype)).abs().square()


# -- the closed form ---------------------------------------------------------------------------------------------------


@every_mode
@pytest.mark.parametrize("entangle", [True, False])
@pytest.mark.parametrize("n_qubits", [1, 2, 5])
def test_closed_form_is_the_statevector_is_the_map(mode, entangle, n_qubits):
    x = angles(width=n_qubits)
    closed = product_xor_features(x, mode, entangle)
    assert torch.allclose(closed, statevector(feature_circuit(n_qubits, mode, entangle), x), atol=1e-12)
    assert torch.allclose(closed, QuantumFeatureMap(n_qubits, mode, entangle)(x), atol=1e-12)


def test_cascade_permutes_bits_to_their_running_parities():
    for bits in product((0, 1), repeat=5):
        flipped = Circuit(5)
        for wire in np.flatnonzero(bits):
            flipped.x(int(wire))
        amplitudes = reference.state(flipped.extend(cnot_cascade(5)), torch.zeros(1, 0, dtype=F64), torch.zeros(0))[0]
        parities = np.bitwise_xor.accumulate(bits)
        assert amplitudes.abs().argmax().item() == int("".join(map(str, parities)), 2)
        assert amplitudes.abs().max().item() == 1


@every_mode
def test_cnots_only_permute_the_features(mode):
    x = angles()
    with_cnots, without = (QuantumFeatureMap(5, mode, entangle)(x) for entangle in (True, False))
    assert not torch.allclose(with_cnots, without, atol=1e-3)
    assert torch.allclose(with_cnots.sort(dim=1).values, without.sort(dim=1).values, atol=1e-12)
    order = [without.sub(column[:, None]).abs().sum(0).argmin().item() for column in with_cnots.mT]
    assert sorted(order) == list(range(32))  # one permutation for all samples


def test_features_are_polynomials_of_one_probability_a_qubit():
    """The 32 numbers know no more than five: these are their marginals behind the cascade undone."""
    x = angles()
    p = product_xor_features(x, "none", entangle=False)
    bits = (torch.arange(32)[:, None] >> torch.arange(4, -1, -1)) & 1
    assert torch.allclose(p @ bits.to(F64), (x / 2).sin().square(), atol=1e-12)


# -- folding -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "n_folded"), [("none", 0), ("first", 1), ("all", 5)])
def test_a_hadamard_makes_an_angle_and_its_mirror_image_alike(mode, n_folded):
    features, x = QuantumFeatureMap(5, mode), angles()
    for wire in range(5):
        mirrored = x.clone()
        mirrored[:, wire] = pi - x[:, wire]
        same = (features(x) - features(mirrored)).abs().amax(dim=1)
        if wire < n_folded:
            assert same.max().item() < 1e-12
        else:
            assert same.min().item() > 1e-6


def test_without_hadamards_angles_can_be_read_back():
    x = angles()
    p = QuantumFeatureMap(5, "none", entangle=False)(x)
    bits = (torch.arange(32)[:, None] >> torch.arange(4, -1, -1)) & 1
    assert torch.allclose(2 * (p @ bits.to(F64)).sqrt().arcsin(), x, atol=1e-10)


# -- probabilities -----------------------------------------------------------------------------------------------------


@every_mode
@pytest.mark.parametrize("entangle", [True, False])
def test_single_precision_gives_32_probabilities_at_the_ends_of_the_range_too(mode, entangle):
    ends = torch.tensor(list(product((0.0, pi / 2, pi), repeat=5)))
    x = torch.cat((angles(500, dtype=torch.float32), ends))
    for p in (QuantumFeatureMap(5, mode, entangle)(x), product_xor_features(x, mode, entangle)):
        assert p.dtype == torch.float32
        assert p.shape == (len(x), 32)
        assert p.isfinite().all()
        assert p.min().item() > -1e-6
        assert torch.allclose(p.sum(dim=1), torch.ones(len(x)), atol=1e-5)
        assert (p.double() - product_xor_features(x.double(), mode, entangle)).abs().max().item() < 1e-5


def test_leading_dimensions_are_kept():
    x = angles(12).reshape(3, 4, 5)
    assert torch.equal(QuantumFeatureMap(5)(x).flatten(0, 1), QuantumFeatureMap(5)(x.flatten(0, 1)))
    assert torch.allclose(product_xor_features(x), QuantumFeatureMap(5)(x), atol=1e-12)


@every_mode
def test_gradients_to_the_angles_are_those_of_shifted_circuits(mode):
    features = QuantumFeatureMap(5, mode)
    x = angles(3)
    weights = torch.randn(32, generator=torch.Generator().manual_seed(1), dtype=F64)
    gradients = []
    shifted = Estimator(features.plan, gradient="parameter_shift")
    for run in (features, lambda x: shifted(x, torch.zeros(0, dtype=F64)), lambda x: product_xor_features(x, mode)):
        leaf = x.clone().requires_grad_()
        (run(leaf) @ weights).sum().backward()
        gradients.append(leaf.grad)
    assert torch.allclose(gradients[0], gradients[1], atol=1e-10)
    assert torch.allclose(gradients[0], gradients[2], atol=1e-10)
    by_hand = torch.stack(
        [(features(x + pi / 2 * step) - features(x - pi / 2 * step)) @ weights / 2 for step in torch.eye(5, dtype=F64)],
        dim=1,
    )
    assert torch.allclose(gradients[0], by_hand, atol=1e-10)


# -- blocks ------------------------------------------------------------------------------------------------------------


def test_64_features_take_13_blocks_of_which_the_last_is_padded_with_nothing_turned():
    circuit = feature_circuit(5, "all", n_features=64)
    assert circuit.counts().by_name == {"RY": 64, "H": 13 * 5, "CNOT": 13 * 4}
    x = angles(4, 64)
    padded = torch.cat((x, torch.zeros(4, 1, dtype=F64)), dim=1)
    whole = feature_circuit(5, "all", n_features=65)
    assert torch.allclose(QuantumFeatureMap(5, "all", n_features=64)(x), statevector(whole, padded), atol=1e-12)


def test_every_feature_of_every_block_is_seen():
    x = angles(1, 64).requires_grad_()
    weights = torch.randn(32, generator=torch.Generator().manual_seed(1), dtype=F64)
    (QuantumFeatureMap(5, "all", n_features=64)(x) @ weights).sum().backward()
    assert (x.grad.abs() > 1e-12).all()


# -- shots -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shots", [100, 1000])
def test_frequencies_have_the_statistics_of_a_multinomial(shots):
    n = 4000
    x = angles(1)
    features = QuantumFeatureMap(5, shots=shots, generator=torch.Generator().manual_seed(0))
    f, p = features(x.expand(n, 5)), QuantumFeatureMap(5)(x)[0]
    assert torch.allclose(f.sum(dim=1), torch.ones(n, dtype=F64), atol=1e-12)
    assert torch.allclose(f * shots, (f * shots).round(), atol=1e-9)
    variance = p * (1 - p) / shots
    assert ((f.mean(dim=0) - p).abs() <= 5 * (variance / n).sqrt() + 1e-12).all()
    seen = p * shots > 1  # rarer outcomes scatter too much for their variance to be known to some per cent
    assert torch.allclose(f.var(dim=0)[seen], variance[seen], rtol=0.15)
    covariance = f.mT.cov()
    first, second = p.topk(2).indices
    assert covariance[first, second].item() == pytest.approx(-(p[first] * p[second]).item() / shots, rel=0.25)


def test_a_generator_decides_what_is_drawn():
    x = angles()
    one, same, other = (
        QuantumFeatureMap(5, shots=50, generator=torch.Generator().manual_seed(seed))(x) for seed in (0, 0, 1)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


# -- wrong input -------------------------------------------------------------------------------------------------------


def test_wrong_numbers_of_features_and_shots_are_refused():
    with pytest.raises(ValueError, match=r"the last dimension must be n_features=5, .* got input of shape \(3, 4\)"):
        QuantumFeatureMap(5)(angles(3, 4))
    with pytest.raises(ValueError, match="each qubit needs a feature, got n_features=3 for n_qubits=5"):
        QuantumFeatureMap(5, n_features=3)
    with pytest.raises(ValueError, match="at least one shot, got shots=0"):
        QuantumFeatureMap(5, shots=0)


def test_an_unknown_place_of_hadamards_is_refused():
    for build in (lambda: feature_circuit(5, "frist"), lambda: product_xor_features(angles(), "frist")):
        with pytest.raises(UnknownName, match="Did you mean 'first'"):
            build()


def test_the_observable_is_all_probabilities():
    assert QuantumFeatureMap(3).plan.wanted == Probabilities()
