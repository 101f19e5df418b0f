from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from replank.circuits import Circuit, QuantumLayer, Z, theta, x
from replank.measure import fourier_spectrum
from replank.parts.linear import ParallelQuantumLinear, QuantumLinear
from replank.seeding import isolated

F64 = torch.float64


class Series(nn.Module):
    """Two trigonometric polynomials of the first input, times the second."""

    in_features = 2

    def forward(self, input):
        t, u = input.unbind(-1)
        return torch.stack((1 + 3 * torch.cos(2 * t) - torch.sin(5 * t), u * torch.sin(t)), -1)


def build(kind, *sizes, **options):
    with isolated(0, "part"):
        return kind(*sizes, dtype=F64, bias=False, output_scaling=1.0, **options)


def test_coefficients_of_a_known_series():
    point = torch.tensor([0.7, 2.0], dtype=F64)  # the series is in the input itself, wherever it begins
    spectrum = fourier_spectrum(Series(), 0, at=point)
    found = dict(zip(spectrum.frequencies.tolist(), spectrum.coefficients.tolist(), strict=True))
    expected = {0: (1, 0), 2: (1.5, 0), -2: (1.5, 0), 5: (0.5j, 0), -5: (-0.5j, 0), 1: (0, -1j), -1: (0, 1j)}
    for frequency, values in found.items():
        assert values == pytest.approx(expected.get(frequency, (0, 0)), abs=1e-12)


def test_the_series_gives_the_function_back():
    layer, point = build(QuantumLinear, 3, 4, n_uploads=2), torch.tensor([0.3, -1.0, 2.0], dtype=F64)
    frequencies, coefficients = fourier_spectrum(layer, 1, at=point)
    t = torch.tensor(1.234, dtype=F64)
    value = (torch.exp(1j * frequencies.double() * t)[:, None] * coefficients).sum(0)
    there = point.clone()
    there[1] = t
    torch.testing.assert_close(value.real, layer(there).detach(), rtol=0, atol=1e-12)
    assert value.imag.abs().max() < 1e-12


@pytest.mark.parametrize("n_uploads", [1, 2, 3])
def test_uploads_are_the_highest_frequency(n_uploads):
    spectrum = fourier_spectrum(build(QuantumLinear, 2, 3, n_uploads=n_uploads), 1)
    assert spectrum.support() == list(range(-n_uploads, n_uploads + 1))


def test_the_published_layer_encodes_each_feature_once():
    layer = build(ParallelQuantumLinear, 20, 20, observable="Y")
    for index in (0, 7, 19):
        spectrum = fourier_spectrum(layer, index, max_frequency=3)
        assert spectrum.support() == [-1, 0, 1]
        others = spectrum.coefficients[spectrum.frequencies != 0].abs().amax(0) > 1e-9
        group = torch.arange(20) // 5 == index // 5
        assert not others[~group].any()  # only its own circuit sees it
        assert others[group].any()


def test_a_scaled_input_has_another_period():
    layer = build(QuantumLinear, 2, 2, input_scaling=math.pi)
    assert fourier_spectrum(layer, 0, period=2).support() == [-1, 0, 1]
    with pytest.raises(ValueError, match="a Fourier series up to max_frequency=8"):
        fourier_spectrum(layer, 0)


def test_single_precision_is_good_enough():
    layer = build(QuantumLinear, 2, 2).float()
    assert fourier_spectrum(layer, 0).support(1e-4) == [-1, 0, 1]


def test_frequencies_that_are_too_high_are_not_taken_for_lower_ones():
    layer = build(QuantumLinear, 1, 1, n_uploads=4)
    with pytest.raises(ValueError, match=r"max_frequency=2.*beyond"):
        fourier_spectrum(layer, 0, max_frequency=2)


def test_any_layer_will_do():
    layer = QuantumLayer(Circuit(1).rx(x[0], 0).ry(theta[0], 0), [Z(0)], dtype=F64)
    assert fourier_spectrum(layer, 0, at=torch.zeros(1, dtype=F64)).support() == [-1, 1]
    with pytest.raises(ValueError, match="`at` must be given"):
        fourier_spectrum(layer, 0)


@pytest.mark.parametrize(
    ("options", "law"),
    [
        ({"input_index": 2}, r"0\.\.1, got input_index=2"),
        ({"input_index": 0, "at": torch.zeros(1, 2)}, r"shape=\(1, 2\)"),
        ({"input_index": 0, "at": torch.zeros(2, dtype=torch.int64)}, "int64"),
        ({"input_index": 0, "max_frequency": 0}, "max_frequency=0"),
        ({"input_index": 0, "period": math.inf}, "period=inf"),
    ],
)
def test_bad_arguments_are_refused(options, law):
    with pytest.raises(ValueError, match=law):
        fourier_spectrum(Series(), **options)
