"""HQNN-Parallel: the acceptance list of the study's card, as far as it is about that network."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from replank.circuits import Circuit, QuantumLayer, Y, x
from replank.datasets.medical_mnist import shortcuts
from replank.errors import InterfaceMismatch, UsageError
from replank.lab.feed import TensorFeed
from replank.lab.task import Classification
from replank.lab.training import Budget, train
from replank.measure import fourier_spectrum
from replank.parts.linear import ParallelQuantumLinear, QuantumLinear
from replank.seeding import isolated, torch_stream
from replank.studies.parallel_quantum_and_quanvolution import STUDY
from replank.studies.parallel_quantum_and_quanvolution.model import circuits, parallel_ladder
from replank.studies.parallel_quantum_and_quanvolution.settings import ARMS, OTHER_SETS, PUBLISHED
from replank.studies.parallel_quantum_and_quanvolution.trial import ladder

F64 = torch.float64
MNIST = (1, 28, 28)
TINY = replace(PUBLISHED, blocks=((4,),))
SHAPE = (1, 8, 8)
ALL = [(experiment, arm) for experiment in ("controls", "grid", "variants", "wide") for arm in ARMS[experiment]]


def count(module):
    return sum(each.numel() for each in module.parameters())


def rung(arm, settings=TINY, shape=SHAPE, seed=0):
    experiment = next(name for name, arms in ARMS.items() if arm in arms)
    return parallel_ladder(replace(settings, experiment=experiment), shape).model(arm, seed=seed)


def layer(seed=0, **options):
    with isolated(seed, "layer"):
        return circuits(PUBLISHED, 4, **options).double()


def features(n=6, width=20):
    return 2 * torch.randn(n, width, dtype=F64, generator=torch_stream(0, "features"))


# -- what is built -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arm", "total"),
    [
        ("removed", 44_974),
        ("4x5", 45_154),
        ("4x5-post-bn", 45_194),
        ("linear-tanh", 45_094),
        ("frozen", 45_154),
        ("unentangled", 45_154),
        ("classical-372k", 372_234),
        ("2x10", 45_154),
        ("5x4", 45_154),
        ("10x2", 45_154),
        ("20x1", 45_154),
        ("1x20", 45_154),
        ("depth-0", 44_974),
        ("depth-1", 45_034),
        ("depth-6", 45_334),
        ("student", 45_034),
    ],
)
def test_totals_of_parameters(arm, total):
    assert count(rung(arm, PUBLISHED, MNIST)) == total


def test_totals_part_by_part():
    model = rung("4x5", PUBLISHED, MNIST)
    assert [count(each) for each in model.convolutions if count(each)] == [416, 32, 12_832, 64]
    assert {name: count(each) for name, each in model.dense.named_children()} == {
        "squeeze": 31_380,
        "norm": 40,
        "relu": 0,
        "middle": 180,
        "head": 210,
    }
    assert count(rung("linear-tanh").dense.middle) == 120


@pytest.mark.parametrize(("dataset", "n_classes"), [("cifar10", 10), ("medical_mnist", 6), ("fashion_mnist", 10)])
def test_other_sets_have_networks_that_fit_them(dataset, n_classes):
    settings = replace(PUBLISHED, **OTHER_SETS.get(dataset, {}))
    model = ladder(settings, dataset).model("4x5")
    shape = {"cifar10": (3, 32, 32), "medical_mnist": (1, 64, 64)}.get(dataset, MNIST)
    assert model(torch.rand(2, *shape)).shape == (2, n_classes)


@pytest.mark.parametrize(("experiment", "arm"), ALL)
def test_what_is_not_swapped_starts_bit_identical(experiment, arm):
    ladder = parallel_ladder(replace(TINY, experiment=experiment), SHAPE)
    host = rung("removed", seed=3).state_dict()
    model = ladder.model(arm, seed=3).state_dict()
    kept = [name for name in host if name.startswith("convolutions") or arm != "classical-372k"]
    assert any(name.startswith("dense") for name in kept) == (arm != "classical-372k")
    assert all(torch.equal(host[name], model[name]) for name in kept)


def test_controls_start_with_the_same_angles():
    angles = [rung(arm, seed=1).dense.middle.layer.theta for arm in ("4x5", "frozen", "unentangled")]
    assert torch.equal(angles[0], angles[1])
    assert torch.equal(angles[0], angles[2])
    assert not torch.equal(angles[0], rung("4x5", seed=2).dense.middle.layer.theta)


@pytest.mark.parametrize(("experiment", "arm"), [pair for pair in ALL if pair[1] != "1x20"])
def test_every_arm_trains_all_that_is_not_frozen(experiment, arm):
    model = rung(arm)
    stream = torch_stream(0, "images")
    loss = functional.cross_entropy(model(torch.rand(12, *SHAPE, generator=stream)), torch.arange(12) % 10)
    loss.backward()
    still = {
        name for name, each in model.named_parameters() if each.numel() and (each.grad is None or not each.grad.any())
    }
    assert still == ({"dense.middle.layer.theta"} if arm == "frozen" else set())


# -- identities --------------------------------------------------------------------------------------------------------


def test_without_weights_it_is_minus_the_sine_or_the_cosine_of_each_feature():
    for observable, law in (("Y", lambda t: -t.sin()), ("Z", torch.cos)):
        made = layer(observable=observable, unentangled=True)
        nn.init.zeros_(made.layer.theta)
        torch.testing.assert_close(made(features()), law(features()), rtol=0, atol=1e-12)


def test_without_layers_it_is_minus_the_sine_and_has_nothing_to_train():
    made = layer(ansatz=Circuit(5), n_layers=1)
    assert count(made) == 0
    torch.testing.assert_close(made(features()), -features().sin(), rtol=0, atol=1e-12)
    single = QuantumLayer(Circuit(1).rx(x[0], 0), [Y(0)], dtype=F64)
    torch.testing.assert_close(single(features(width=1)), -features(width=1).sin(), rtol=0, atol=1e-12)


def test_outputs_are_bounded_and_periodic_in_features_and_angles():
    made, batch = layer(), features()
    values = made(batch)
    assert values.abs().max() <= 1
    torch.testing.assert_close(made(batch + 2 * math.pi), values, rtol=0, atol=1e-12)
    with torch.no_grad():
        turns = torch.randint(-2, 3, made.layer.theta.shape, generator=torch_stream(0, "turns")).double()
        made.layer.theta += 2 * math.pi * turns
    torch.testing.assert_close(made(batch), values, rtol=0, atol=1e-12)


def test_the_jacobian_is_block_diagonal():
    jacobian = torch.autograd.functional.jacobian(layer(), features(1)[0])
    blocks = jacobian.reshape(4, 5, 4, 5).transpose(1, 2)
    for i in range(4):
        for j in range(4):
            assert blocks[i, j].any() == (i == j)


def test_one_shot_is_the_loop_with_gradients():
    made, batch = layer(), features().requires_grad_()
    loop = []
    for number in range(4):
        single = QuantumLinear(5, 5, bias=False, encoding="angle", observable="Y", output_scaling=1.0, dtype=F64)
        single.layer.theta = nn.Parameter(made.layer.theta[number].detach())
        loop.append(single)
    values = torch.cat([each(group) for each, group in zip(loop, batch.split(5, -1), strict=True)], -1)
    torch.testing.assert_close(made(batch), values, rtol=0, atol=1e-12)
    weights = torch.linspace(-1, 1, values.numel(), dtype=F64).reshape(values.shape)
    own = torch.autograd.grad((made(batch) * weights).sum(), [batch, made.layer.theta])
    others = torch.autograd.grad((values * weights).sum(), [batch, *(each.layer.theta for each in loop)])
    torch.testing.assert_close(own[0], others[0], rtol=0, atol=1e-12)
    torch.testing.assert_close(own[1], torch.stack(others[1:]), rtol=0, atol=1e-12)


def test_shifts_by_half_pi_give_the_derivative():
    made, batch = layer(), features(3)
    theta = made.layer.theta
    weights = torch.linspace(-1, 1, 60, dtype=F64).reshape(3, 20)
    (gradient,) = torch.autograd.grad((made(batch) * weights).sum(), theta)
    for index in ((0, 0), (1, 17), (3, 44)):
        ends = []
        for shift in (math.pi / 2, -math.pi / 2):
            with torch.no_grad():
                theta[index] += shift
                ends.append((made(batch) * weights).sum())
                theta[index] -= shift
        torch.testing.assert_close((ends[0] - ends[1]) / 2, gradient[index], rtol=0, atol=1e-12)


@pytest.mark.parametrize("arm", ["4x5", "2x10", "20x1", "student", "depth-6", "depth-0"])
def test_each_feature_is_encoded_once(arm):
    made = rung(arm).double().dense.middle
    assert set(fourier_spectrum(made, 3, at=features(1)[0], max_frequency=3).support()) <= {-1, 0, 1}


def test_twenty_circuits_of_one_qubit_are_never_entangled():
    operations = rung("20x1").dense.middle.design.circuit().operations
    assert all(len(each.wires) == 1 for each in operations)


def test_bounded_angles_can_not_wrap_round():
    for arm, low, high in (("tanh-angles", -math.pi / 2, math.pi / 2), ("sigmoid-angles", 0, math.pi)):
        squash, quantum = rung(arm).dense.middle
        angles = quantum.design.scale * squash(torch.linspace(-50, 50, 101))
        assert (angles.min().item(), angles.max().item()) == pytest.approx((low, high))


# -- in training -------------------------------------------------------------------------------------------------------


def blobs(each=8):
    """Easy images: classes far apart."""
    stream = torch_stream(0, "blobs")
    centres = torch.rand(10, *SHAPE, generator=stream)
    labels = torch.arange(10).repeat(each)
    return centres[labels] + 0.05 * torch.randn(len(labels), *SHAPE, generator=stream), labels


def trained(arm, epochs=12):
    model = rung(arm)
    feed = TensorFeed(*blobs(), batch_size=20)
    budget = Budget(epochs, partial(torch.optim.Adam, lr=2e-2))
    return model, train(model, Classification(), feed, feed, budget, seed=0, progress=lambda *_: None)


@pytest.mark.parametrize("arm", ["4x5", "linear-tanh", "student", "depth-0"])
def test_easy_classes_are_learned(arm):
    assert trained(arm)[1].metrics["train_accuracy"] > 0.9


def test_frozen_circuits_stay_and_get_no_gradient():
    before = rung("frozen").dense.middle.layer.theta
    model, measured = trained("frozen", epochs=2)
    after = model.dense.middle.layer.theta
    assert after.grad is None
    assert torch.equal(before, after)
    assert measured.metrics["parameters"] - measured.metrics["trainable_parameters"] == 180
    assert not torch.equal(rung("frozen").dense.head.weight, model.dense.head.weight)


def test_state_is_saved_and_loaded():
    model, other = rung("4x5", seed=0).eval(), rung("4x5", seed=1).eval()
    images = torch.rand(3, *SHAPE)
    assert not torch.equal(model(images), other(images))
    other.load_state_dict(model.state_dict())
    assert torch.equal(model(images), other(images))


# torch itself looks at .grad of what goes from one graph to the next
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
def test_it_can_be_compiled():
    model, images = rung("4x5"), torch.rand(4, *SHAPE)
    compiled = torch.compile(model, fullgraph=False, backend="eager")
    torch.testing.assert_close(compiled(images), model(images))
    losses = [functional.cross_entropy(each(images), torch.arange(4)) for each in (compiled, model)]
    ours, plain = (torch.autograd.grad(loss, list(model.parameters())) for loss in losses)
    torch.testing.assert_close(ours, plain, rtol=1e-4, atol=1e-6)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_it_runs_on_cuda():
    model, images = rung("4x5").eval(), torch.rand(4, *SHAPE)
    there = rung("4x5").eval().cuda()(images.cuda()).cpu()
    torch.testing.assert_close(there, model(images), rtol=1e-4, atol=1e-4)


def test_shortcuts_tell_classes_of_different_brightness_apart():
    from replank.datasets import load
    from replank.studies.parallel_quantum_and_quanvolution.trial import _by_shortcuts

    data = load("digits")
    dark = replace(
        data,
        train_x=(data.train_x * (data.train_y == 0)[:, None, None, None]).astype(np.uint8),
        test_x=(data.test_x * (data.test_y == 0)[:, None, None, None]).astype(np.uint8),
        train_y=(data.train_y == 0).astype(np.int64),
        test_y=(data.test_y == 0).astype(np.int64),
    )
    assert shortcuts(dark.test_x).shape == (360, 3)
    found = _by_shortcuts(dark, 1.0)
    assert found["test_shortcut_accuracy"] == 1
    assert found["test_minus_shortcut_accuracy"] == 0
    assert _by_shortcuts(data, 1.0)["test_shortcut_accuracy"] < 0.7


# -- the study ---------------------------------------------------------------------------------------------------------


def test_the_control_without_circuits_is_in_every_report():
    for scale in ("small", "medium", "paper"):
        protocols = [each for name, each in STUDY.scales[scale].protocols.items() if name.startswith("P")]
        assert protocols
        assert all({"4x5", "removed", "linear-tanh"} <= set(each.arms) for each in protocols)
    assert {"removed", "linear-tanh"} == set(STUDY.contrast.same_size)
    judged = {protocol for claim in STUDY.claims if claim.id == "P7" for protocol in claim.rules}
    assert {"P", "P-full", "P-paper"} <= judged


def test_recalled_numbers_are_marked():
    for claim in STUDY.claims:
        assert claim.source.provenance in ("paper", "recalled", "derived", "ours")
        if claim.source.provenance == "recalled" and claim.source.paper is not None:
            assert "[recalled, unverified]" in claim.reported


# -- refusals ----------------------------------------------------------------------------------------------------------


def test_features_that_can_not_be_shared_out_evenly_are_refused():
    with pytest.raises(UsageError, match="n_features=20 for n_circuits=3"):
        circuits(PUBLISHED, 3)
    with pytest.raises(InterfaceMismatch, match="n_features=22 for n_circuits=4"):
        rung("4x5", replace(TINY, n_features=22))


@pytest.mark.parametrize("options", [{"blocks": ((4,),) * 4}, {"kernel_size": 4}])
def test_images_that_are_too_small_and_even_kernels_are_refused(options):
    with pytest.raises(UsageError, match=r"kernel_size=\d, shape=\(1, 8, 8\)"):
        rung("4x5", replace(TINY, **options))


@pytest.mark.parametrize(
    ("options", "law"),
    [
        ({"ansatz": Circuit(4).rx(0.1, 0)}, "got 4 for n_qubits=5"),
        ({"ansatz": Circuit(5).rx(x[0], 0)}, "n_features=1"),
        ({"ansatz": Circuit(5).reset(0)}, "made of gates"),
        ({"observable": "W"}, "observable 'W'"),
        ({"n_qubits": 0}, "n_qubits=0"),
        ({"n_qubits": 21}, "up to 20 qubits, got n_qubits=21"),
    ],
    ids=str,
)
def test_circuits_that_do_not_fit_are_refused(options, law):
    with pytest.raises(ValueError, match=law):
        ParallelQuantumLinear(20, 20, n_circuits=4, **({"n_qubits": 5} | options))


def test_what_is_not_finite_is_refused():
    batch = features()
    batch[2, 3] = math.nan
    with pytest.raises(ValueError, match="NaN"):
        layer()(batch)
