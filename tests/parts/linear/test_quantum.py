from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from replank import Swap, compare, part, swap
from replank.circuits.noise import NoiseModel, depolarising
from replank.errors import InterfaceMismatch, UnknownName
from replank.parts.controls import control
from replank.parts.linear import LowRankLinear, ParallelQuantumLinear, QuantumLinear
from replank.seeding import isolated, torch_stream

F64 = torch.float64
BARE = {"bias": False, "output_scaling": 1.0}
"""Expectation values as they are."""


def close(one, other, tolerance=1e-12):
    torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


def build(kind, *sizes, seed=0, **options):
    with isolated(seed, "part"):
        return kind(*sizes, dtype=F64, **options)


def randn(*shape, seed=0):
    return torch.randn(*shape, dtype=F64, generator=torch_stream(seed, "input"))


def without_weights(part):
    nn.init.zeros_(part.layer.theta)
    return part


def count(module):
    return sum(each.numel() for each in module.parameters())


# -- closed forms ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("observable", "law"), [("Z", torch.cos), ("Y", lambda t: -torch.sin(t))])
def test_one_qubit_without_weights(observable, law):
    bare = without_weights(build(QuantumLinear, 1, 1, observable=observable, **BARE))
    batch = randn(7, 1)
    close(bare(batch), law(batch))


def test_without_weights_and_entanglement_outputs_are_products_of_cosines():
    product = without_weights(build(QuantumLinear, 3, 7, unentangled=True, **BARE))
    batch = randn(5, 3)
    a, b, c = batch.cos().unbind(-1)
    close(product(batch), torch.stack((a, b, c, a * b, a * c, b * c, a * b * c), -1))


@pytest.mark.parametrize("unentangled", [True, False])
@pytest.mark.parametrize("encoding", ["angle", "iqp"])
@pytest.mark.parametrize("ansatz", ["strongly-entangling", "basic-entangler", "hardware-efficient"])
def test_values_on_two_qubits_factorise_without_entanglement_only(unentangled, encoding, ansatz):
    made = build(QuantumLinear, 3, 6, encoding=encoding, ansatz=ansatz, unentangled=unentangled, **BARE)
    a, b, c, ab, ac, bc = made(randn(5, 3)).unbind(-1)
    distance = (torch.stack((a * b, a * c, b * c)) - torch.stack((ab, ac, bc))).abs().max()
    assert distance < 1e-14 if unentangled else distance > 1e-3


def test_scaling_and_bias_are_around_the_circuit():
    options = {"input_scaling": "trainable", "n_layers": 1}
    full, bare = build(QuantumLinear, 3, 2, **options), build(QuantumLinear, 3, 2, **options, **BARE)
    batch, input_scale = randn(5, 3), torch.tensor([0.5, -2.0, 3.0], dtype=F64)
    with torch.no_grad():
        full.input_scale.copy_(input_scale)
        full.output_scale.copy_(torch.tensor([4.0, -1.0]))
        bare.layer.theta.copy_(full.layer.theta)
    close(full(batch), torch.tensor([4.0, -1.0]) * bare(batch * input_scale) + full.bias)


@pytest.mark.parametrize("encoding", ["angle", "homogeneous"])
def test_a_fixed_factor_is_that_of_the_input(encoding):
    scaled = build(QuantumLinear, 3, 2, encoding=encoding, input_scaling=-1.7)
    plain = build(QuantumLinear, 3, 2, encoding=encoding)
    batch = randn(5, 3)
    close(scaled(batch), plain(-1.7 * batch))


@settings(deadline=None)
@given(
    encoding=st.sampled_from(["angle", "iqp", "homogeneous"]),
    n_in=st.integers(1, 6),
    n_out=st.integers(1, 6),
    seed=st.integers(0, 5),
)
def test_expectation_values_are_bounded_by_one(encoding, n_in, n_out, seed):
    bare = build(QuantumLinear, n_in, n_out, encoding=encoding, n_layers=1, seed=seed, **BARE)
    assert bare(10 * randn(4, n_in, seed=seed)).abs().max() <= 1 + 1e-12


# -- encodings ---------------------------------------------------------------------------------------------------------


def test_amplitudes_do_not_see_the_scale_of_a_sample_and_homogeneous_ones_do():
    batch = randn(5, 4)
    amplitude = build(QuantumLinear, 4, 2, encoding="amplitude")
    close(amplitude(3 * batch), amplitude(batch))
    homogeneous = build(QuantumLinear, 4, 2, encoding="homogeneous")
    assert (homogeneous(3 * batch) - homogeneous(batch)).abs().max() > 1e-3


def test_a_sample_of_zeros_is_refused_by_amplitudes_alone():
    zeros = torch.zeros(2, 4, dtype=F64)
    with pytest.raises(ValueError, match="must not all be 0"):
        build(QuantumLinear, 4, 2, encoding="amplitude")(zeros)
    for encoding in ("angle", "iqp", "homogeneous"):
        zeros.requires_grad_()
        output = build(QuantumLinear, 4, 2, encoding=encoding)(zeros)
        (gradient,) = torch.autograd.grad(output.sum(), zeros)
        assert output.isfinite().all()
        assert gradient.isfinite().all()


def test_the_published_bottleneck_is_blind_to_uniform_features():
    """Sixteen amplitudes on four qubits, RX and a ring of CNOTs: |+...+> is an eigenstate of all of it."""
    bottleneck = build(QuantumLinear, 16, 4, n_layers=2, encoding="amplitude", ansatz="basic-entangler", **BARE)
    assert bottleneck.design.n_qubits == 4
    assert count(bottleneck) == 8
    close(bottleneck(torch.full((1, 16), 0.3, dtype=F64)), torch.zeros(1, 4, dtype=F64))


@pytest.mark.parametrize(
    ("n_in", "options", "n_qubits"),
    [
        (1, {}, 1),
        (8, {}, 8),
        (9, {}, 4),
        (15, {}, 4),
        (16, {}, 5),
        (16, {"encoding": "amplitude"}, 4),
        (17, {"encoding": "amplitude"}, 5),
        (784, {}, 10),
        (64, {"encoding": "angle", "n_qubits": 6}, 6),
    ],
)
def test_qubits_are_as_few_as_hold_the_features(n_in, options, n_qubits):
    assert QuantumLinear(n_in, 1, n_layers=1, device="meta", **options).design.n_qubits == n_qubits


@pytest.mark.parametrize(("n_out", "n_qubits"), [(1, 1), (2, 2), (3, 2), (4, 3), (10, 4), (1000, 10)])
def test_qubits_are_enough_for_the_outputs(n_out, n_qubits):
    design = QuantumLinear(1, n_out, n_layers=1, device="meta").design
    assert design.n_qubits == n_qubits
    assert len({observable.terms for observable in design.observables()}) == n_out


@pytest.mark.parametrize("unentangled", [False, True])
@pytest.mark.parametrize(("n_in", "n_qubits"), [(5, 2), (2, 5), (7, 3)], ids=["more", "fewer", "odd"])
@pytest.mark.parametrize("encoding", ["angle", "iqp"])
def test_every_feature_is_seen_with_more_features_than_qubits_and_with_fewer(encoding, n_in, n_qubits, unentangled):
    made = build(QuantumLinear, n_in, 3, encoding=encoding, n_qubits=n_qubits, unentangled=unentangled, **BARE)
    batch = randn(4, n_in).requires_grad_()
    (gradient,) = torch.autograd.grad(made(batch).square().sum(), batch)
    seen = gradient.abs().amin(0) > 1e-6
    assert seen.all() or unentangled  # alone, a qubit that is not read out tells nothing
    assert seen.any()


@pytest.mark.parametrize("n_uploads", [1, 2, 3])
def test_uploads_set_the_highest_frequency(n_uploads):
    made = build(QuantumLinear, 2, 3, n_uploads=n_uploads, n_layers=1, **BARE)
    grid = torch.zeros(16, 2, dtype=F64)
    grid[:, 0] = 2 * math.pi * torch.arange(16, dtype=F64) / 16
    spectrum = torch.fft.rfft(made(grid).detach(), dim=0).abs().amax(1)
    assert spectrum[n_uploads + 1 :].max() < 1e-12
    assert spectrum[n_uploads] > 1e-6


# -- parallel circuits -------------------------------------------------------------------------------------------------


def test_the_published_parallel_layer():
    """HQNN-Parallel: four circuits of five qubits, three layers, Y on each qubit."""
    parallel = build(ParallelQuantumLinear, 20, 20, observable="Y", **BARE)
    assert count(parallel) == 180
    batch = randn(6, 20)
    groups = []
    for number in range(4):
        single = build(QuantumLinear, 5, 5, observable="Y", **BARE)
        single.layer.theta.data = parallel.layer.theta[number].detach()
        groups.append(single(batch[:, 5 * number : 5 * number + 5]))
    close(parallel(batch), torch.cat(groups, -1))
    close(without_weights(parallel)(torch.zeros(1, 20, dtype=F64)), torch.zeros(1, 20, dtype=F64))


@pytest.mark.parametrize(("n_in", "n_out", "n_circuits"), [(6, 4, 2), (7, 5, 3), (5, 8, 4), (4, 4, 4)], ids=str)
def test_outputs_depend_on_their_own_features_alone(n_in, n_out, n_circuits):
    parallel = build(ParallelQuantumLinear, n_in, n_out, n_circuits=n_circuits, n_qubits=3)
    jacobian = torch.autograd.functional.jacobian(parallel, randn(n_in))
    inputs, outputs = (torch.arange(n).tensor_split(n_circuits) for n in (n_in, n_out))
    for i, rows in enumerate(outputs):
        for j, columns in enumerate(inputs):
            block = jacobian[rows][:, columns]
            assert block.any() if i == j else not block.any()


def test_there_are_four_circuits_or_as_many_as_can_be():
    assert [ParallelQuantumLinear(*sizes, device="meta").n_circuits for sizes in ((20, 20), (3, 9), (9, 2))] == [
        4,
        3,
        2,
    ]


# -- in the place of a linear layer ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [QuantumLinear, ParallelQuantumLinear])
def test_a_layer_of_an_image_classifier_can_be_replaced_without_a_word(kind):
    made = kind.like(nn.Linear(784, 10))
    assert made(torch.zeros(2, 784)).shape == (2, 10)
    assert count(made) < 600


COUNTS = {
    "strongly-entangling": (QuantumLinear, {"n_layers": 2}, 2 * 3 * 3),
    "basic-entangler": (QuantumLinear, {"n_layers": 2, "ansatz": "basic-entangler"}, 2 * 3),
    "hardware-efficient": (QuantumLinear, {"n_layers": 2, "ansatz": "hardware-efficient"}, 3 * 2 * 3),
    "uploads": (QuantumLinear, {"n_layers": 2, "n_uploads": 4}, 4 * 2 * 3 * 3),
    "chunks": (QuantumLinear, {"n_layers": 2, "n_qubits": 2}, 2 * 2 * 2 * 3),
    "parallel": (ParallelQuantumLinear, {"n_layers": 2, "n_circuits": 3, "n_qubits": 2}, 3 * 2 * 2 * 3),
}


@pytest.mark.parametrize(("kind", "options", "n_angles"), COUNTS.values(), ids=COUNTS)
def test_numbers_of_angles(kind, options, n_angles):
    assert count(kind(3, 3, **options, **BARE)) == n_angles
    assert count(kind(3, 3, **options)) == n_angles + 3 + 3
    assert count(kind(3, 3, **options, input_scaling="trainable")) == n_angles + 3 + 3 + 3


def test_frozen_angles_stay_while_the_rest_is_trained():
    made = build(QuantumLinear, 3, 2, frozen=True)
    before = {name: each.clone() for name, each in made.named_parameters()}
    optimiser = torch.optim.Adam(made.parameters(), lr=0.1)
    made(randn(5, 3)).square().sum().backward()
    optimiser.step()
    assert made.layer.theta.grad is None
    moved = {name: not torch.equal(each, before[name]) for name, each in made.named_parameters()}
    assert moved == {"bias": True, "output_scale": True, "layer.theta": False}


def digits_of_two_kinds(n=120):
    generator = torch_stream(0, "points")
    points = torch.rand(n, 4, generator=generator) * 2 - 1
    return points, (points[:, 0] * points[:, 1] > 0).long()


def test_a_tiny_model_learns():
    points, labels = digits_of_two_kinds()
    with isolated(0, "model"):
        model = QuantumLinear(4, 2)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.05)
    losses = []
    for _ in range(60):
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(model(points), labels)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]


def host():
    return nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2))


def test_compare_trains_it_and_its_controls():
    data = digits_of_two_kinds()
    arms = {"quantum": Swap("2", part(QuantumLinear, n_layers=1))}
    controls = ("frozen", "same-size", "unentangled")
    result = compare(host, arms, (data, data), controls=controls, seeds=1, epochs=2, batch_size=40, progress=False)
    assert list(result.frame["arm"]) == ["host", "quantum", *(f"quantum, {name}" for name in controls)]
    assert not result.failures


def test_the_unentangled_control_starts_from_the_same_values():
    replacement = part(QuantumLinear, n_layers=2)
    model = host()
    entangled, twin = swap(model, "2", replacement)[2], swap(model, "2", control("unentangled")(replacement))[2]
    assert all(torch.equal(a, b) for a, b in zip(entangled.parameters(), twin.parameters(), strict=True))
    batch = torch.randn(5, 4)
    assert not torch.equal(entangled(batch), twin(batch))
    twin.layer.theta.data.fill_(0.3)
    made = QuantumLinear(4, 2, n_layers=2, unentangled=True)
    made.load_state_dict(twin.state_dict())
    assert torch.equal(made(batch), twin(batch))
    assert "unentangled=True" in repr(twin)


def test_a_part_without_a_circuit_can_not_be_unentangled():
    with pytest.raises(InterfaceMismatch, match=r"`without_entanglement`.*got LowRankLinear"):
        swap(host(), "2", control("unentangled")(part(LowRankLinear, rank=1)))


# -- as a device would run it ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [QuantumLinear, ParallelQuantumLinear])
def test_shots_of_a_trained_part(kind):
    made, batch = build(kind, 4, 3), randn(5, 4)
    noisy = made.on(shots=20_000, generator=torch_stream(0, "shots"))
    error = (noisy(batch) - made(batch)).abs().max()
    assert 0 < error < 5 / math.sqrt(20_000)
    assert noisy.bias is made.bias
    assert noisy.layer.theta is made.layer.theta
    close(made(batch), noisy.on()(batch))


def test_noise_in_a_whole_model():
    model = swap(host(), "2", part(QuantumLinear, n_layers=1))
    noise = NoiseModel(one_qubit=[depolarising(0.75, 0)])  # nothing is left of the state
    noisy = swap(model, QuantumLinear, lambda old: old.on(noise=noise))
    close(noisy(torch.randn(5, 4)), model[2].bias.expand(5, 2), 1e-6)


# -- refusals ----------------------------------------------------------------------------------------------------------

BAD = {
    "encoding": ({"encoding": "angel"}, UnknownName, "Did you mean 'angle'"),
    "rotation": ({"encoding": "angle", "rotation": "RW"}, UnknownName, "rotation 'RW'"),
    "ansatz": ({"ansatz": "basic"}, UnknownName, "ansatz 'basic'"),
    "observable": ({"observable": "I"}, UnknownName, "observable 'I'"),
    "no layer": ({"n_layers": 0}, ValueError, "n_layers=0"),
    "no upload": ({"n_uploads": 0}, ValueError, "n_uploads=0"),
    "amplitudes twice": ({"encoding": "amplitude", "n_uploads": 2}, ValueError, "n_uploads=2"),
    "rotated amplitudes": ({"encoding": "amplitude", "rotation": "RY"}, ValueError, "rotation='RY'"),
    "scaled amplitudes": ({"encoding": "amplitude", "input_scaling": 2.0}, ValueError, "has no effect"),
    "factor 0": ({"input_scaling": 0.0}, ValueError, "input_scaling=0.0"),
    "factor nan": ({"output_scaling": math.nan}, ValueError, "output_scaling=nan"),
    "factor in words": ({"output_scaling": "trained"}, ValueError, "output_scaling='trained'"),
    "qubits for amplitudes": ({"encoding": "homogeneous", "n_qubits": 2}, ValueError, "n_qubits=2 .*at least 3"),
    "qubits for outputs": ({"encoding": "angle", "n_qubits": 1}, ValueError, "n_qubits=1 .*at least 2"),
    "scale": ({"init_scale": -1.0}, ValueError, "init_scale=-1.0"),
}


@pytest.mark.parametrize(("options", "error", "law"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("kind", [QuantumLinear, ParallelQuantumLinear])
def test_bad_arguments_are_refused(kind, options, error, law):
    n_circuits = {"n_circuits": 1} if kind is ParallelQuantumLinear else {}
    with pytest.raises(error, match=law):
        kind(5, 3, **n_circuits, **options)


@pytest.mark.parametrize("n_circuits", [0, 4])
def test_more_circuits_than_outputs_are_refused(n_circuits):
    with pytest.raises(ValueError, match=f"got n_circuits={n_circuits} for in_features=5 and out_features=3"):
        ParallelQuantumLinear(5, 3, n_circuits=n_circuits)


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("encoding", ["angle", "iqp", "amplitude", "homogeneous"])
def test_features_that_are_not_finite_are_refused(encoding, value):
    batch = randn(2, 4)
    batch[1, 2] = value
    with pytest.raises(ValueError, match=r"finite|NaN"):
        build(QuantumLinear, 4, 2, encoding=encoding)(batch)
