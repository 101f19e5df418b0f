from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from replank import Swap, compare, part
from replank.errors import UnknownName
from replank.parts.convolution import Quanvolution2d
from replank.parts.linear import QuantumLinear
from replank.seeding import isolated, torch_stream

F64 = torch.float64
BARE = {"bias": False, "output_scaling": 1.0}


def close(one, other, tolerance=1e-12):
    torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


def build(*sizes, seed=0, **options):
    with isolated(seed, "part"):
        return Quanvolution2d(*sizes, dtype=F64, **options)


def images(*shape, seed=0):
    return torch.rand(*shape, dtype=F64, generator=torch_stream(seed, "images"))


def count(module):
    return sum(each.numel() for each in module.parameters())


def test_it_is_a_quantum_layer_on_every_patch():
    quanvolution = build(2, 5, (1, 2), (2, 1), (1, 0, 2, 1), n_filters=2, n_layers=2)
    image = images(3, 2, 5, 4)
    padded = F.pad(image, (2, 1, 1, 0))
    output = quanvolution(image)
    for number, (first, n_outputs) in enumerate(((0, 3), (3, 2))):
        single = QuantumLinear(4, n_outputs, n_layers=2, dtype=F64)
        channels = slice(first, first + n_outputs)
        single.layer.theta.data = quanvolution.layer.theta[number].detach()
        single.output_scale.data = quanvolution.output_scale[channels].detach()
        single.bias.data = quanvolution.bias[channels].detach()
        for row in range(output.shape[2]):
            for column in range(output.shape[3]):
                patch = padded[:, :, 2 * row, column : column + 2].flatten(1)
                close(output[:, channels, row, column], single(patch))


@pytest.mark.parametrize("sizes", [(1, 4, 2), (3, 5, 3), (1, 9, 2)], ids=str)
def test_shapes_are_those_of_a_convolution(sizes):
    layer = nn.Conv2d(*sizes, stride=2, padding=1)
    image = torch.rand(2, sizes[0], 7, 6)
    assert Quanvolution2d.like(layer)(image).shape == layer(image).shape
    assert Quanvolution2d.like(layer)(image[0]).shape == layer(image[0]).shape


def test_all_filters_on_all_patches_run_in_one_call(monkeypatch):
    quanvolution, calls = build(1, 12, 2, 2), []
    run = quanvolution.layer.plan.run
    monkeypatch.setattr(quanvolution.layer.plan, "run", lambda *inputs: calls.append(inputs) or run(*inputs))
    quanvolution(images(4, 1, 6, 6))
    assert [tuple(each.shape) for each in calls[0]] == [(1, 4 * 9, 4), (3, quanvolution.layer.plan.n_parameters)]
    assert len(calls) == 1


@pytest.mark.parametrize("stride", [1, 2])
def test_moving_the_image_by_a_stride_moves_the_output(stride):
    quanvolution = build(1, 4, 2, stride)
    image = images(2, 1, 8, 8)
    moved = torch.roll(image, (stride, stride), (-2, -1))
    close(quanvolution(moved)[..., 1:, 1:], quanvolution(image)[..., :-1, :-1])


def test_without_weights_it_is_the_cosine_of_each_pixel():
    quanvolution = build(1, 4, 2, 2, input_scaling=math.pi, unentangled=True, **BARE)
    nn.init.zeros_(quanvolution.layer.theta)
    image = images(2, 1, 6, 4)
    close(quanvolution(image), F.pixel_unshuffle(torch.cos(math.pi * image), 2))


def test_the_published_trainable_quanvolution():
    """Angles pi times pixel, four layers of RX and a ring of CNOTs, a channel for each of four qubits."""
    options = {"n_layers": 4, "ansatz": "basic-entangler", "input_scaling": math.pi}
    quanvolution = build(1, 4, 2, 2, **options, **BARE)
    assert count(quanvolution) == 16
    output = quanvolution(images(3, 1, 14, 14))
    assert output.shape == (3, 4, 7, 7)
    assert output.abs().max() <= 1


def test_more_channels_than_qubits_take_more_filters():
    assert [build(1, n, 2).n_filters for n in (1, 4, 5, 8, 9)] == [1, 1, 2, 2, 3]
    assert build(1, 15, 2, n_filters=1).n_filters == 1


def test_large_windows_become_amplitudes_and_may_be_empty():
    quanvolution = build(3, 4, 3, padding=1)
    assert quanvolution.design.encoding == "homogeneous"
    assert quanvolution.design.n_qubits == 5  # 27 values and the number 1
    image = torch.zeros(1, 3, 5, 5, dtype=F64, requires_grad=True)
    output = quanvolution(image)
    (gradient,) = torch.autograd.grad(output.sum(), image)
    assert output.isfinite().all()
    assert gradient.isfinite().all()
    with pytest.raises(ValueError, match="must not all be 0"):
        build(3, 4, 3, padding=1, encoding="amplitude")(image)


def test_frozen_it_is_a_random_feature_map():
    quanvolution = build(1, 4, 2, 2, frozen=True, **BARE)
    image = images(2, 1, 4, 4)
    assert not quanvolution(image).requires_grad
    assert quanvolution(image.requires_grad_()).requires_grad
    assert [each.requires_grad for each in quanvolution.parameters()] == [False]


def test_shots_and_controls():
    quanvolution, image = build(1, 4, 2, 2), images(2, 1, 4, 4)
    noisy = quanvolution.on(shots=20_000, generator=torch_stream(0, "shots"))(image)
    assert 0 < (noisy - quanvolution(image)).abs().max() < 5 / math.sqrt(20_000)
    twin = quanvolution.without_entanglement()
    assert not torch.equal(twin(image), quanvolution(image))
    assert torch.equal(twin.layer.theta, quanvolution.layer.theta)


def test_compare_trains_it_and_its_controls():
    x = images(60, 1, 6, 6).float()
    data = x, (x[:, 0, :3].mean((1, 2)) > x[:, 0, 3:].mean((1, 2))).long()
    arms = {"quanvolution": Swap("0", part(Quanvolution2d, n_layers=1))}
    result = compare(
        lambda: nn.Sequential(nn.Conv2d(1, 4, 2, 2), nn.Flatten(), nn.Linear(36, 2)),
        arms, (data, data), controls=("frozen", "unentangled"), seeds=1, epochs=2, batch_size=30, progress=False,
    )  # fmt: skip
    assert not result.failures
    assert len(result.frame) == 4


BAD = {
    "no filter": ({"n_filters": 0}, ValueError, "n_filters=0 for out_channels=5"),
    "too many filters": ({"n_filters": 6}, ValueError, "n_filters=6 for out_channels=5"),
    "too few qubits": ({"n_filters": 1, "n_qubits": 2}, ValueError, "n_qubits=2 .*at least 3"),
    "encoding": ({"encoding": "amplitudes"}, UnknownName, "Did you mean 'amplitude'"),
    "padding": ({"padding": "same"}, ValueError, "padding='same'"),
}


@pytest.mark.parametrize(("options", "error", "law"), BAD.values(), ids=BAD)
def test_bad_arguments_are_refused(options, error, law):
    with pytest.raises(error, match=law):
        Quanvolution2d(1, 5, 2, **options)


def test_pixels_that_are_not_finite_are_refused():
    image = images(1, 1, 4, 4)
    image[0, 0, 1, 1] = math.nan
    with pytest.raises(ValueError, match=r"finite|NaN"):
        build(1, 4, 2)(image)
