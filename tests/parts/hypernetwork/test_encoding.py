"""Identities of the encodings of hyper-inputs, and what they refuse."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from replank.parts.hypernetwork import encode_hyper_input

DOUBLE = torch.float64
gammas = st.lists(st.floats(0, 1), min_size=1, max_size=6).map(lambda values: torch.tensor(values, dtype=DOUBLE))


@given(gammas)
def test_the_norm_is_the_same_everywhere(gamma):
    d = len(gamma)
    encoded = encode_hyper_input(gamma)
    assert encoded.shape == (2 * d,)
    assert float(encoded.norm()) == pytest.approx(math.sqrt(d), abs=1e-12)
    assert float(encode_hyper_input(gamma, "z|1-z").abs().sum()) == pytest.approx(d, abs=1e-12)
    assert float(encode_hyper_input(gamma, "fourier").norm()) == pytest.approx(math.sqrt(4 * d), abs=1e-12)


@given(gammas)
def test_the_encoding_can_be_undone(gamma):
    cosine, sine = encode_hyper_input(gamma).chunk(2, -1)
    torch.testing.assert_close(2 / math.pi * torch.atan2(sine, cosine), gamma)


def test_ends_and_a_known_value():
    ones, zeros = torch.ones(3, dtype=DOUBLE), torch.zeros(3, dtype=DOUBLE)
    torch.testing.assert_close(encode_hyper_input(zeros), torch.cat((ones, zeros)))
    torch.testing.assert_close(encode_hyper_input(ones), torch.cat((zeros, ones)), atol=1e-15, rtol=0)
    known = torch.tensor([0.8910065, 0.4539905], dtype=DOUBLE)
    torch.testing.assert_close(encode_hyper_input(torch.tensor([0.3], dtype=DOUBLE)), known, atol=5e-8, rtol=0)


@given(gammas)
def test_the_derivative_has_the_same_norm_everywhere(gamma):
    jacobian = torch.autograd.functional.jacobian(encode_hyper_input, gamma)
    assert float(jacobian.norm()) == pytest.approx(math.pi / 2 * math.sqrt(len(gamma)))


@pytest.mark.parametrize("mode", ["none", "cos|sin", "z|1-z", "centred", "symmetric", "unit", "fourier"])
def test_gradients_and_batches(mode):
    gamma = torch.rand(3, 4, dtype=DOUBLE, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert torch.autograd.gradcheck(lambda each: encode_hyper_input(each, mode), gamma)
    rows = torch.stack([encode_hyper_input(row, mode) for row in gamma])
    assert torch.equal(encode_hyper_input(gamma, mode), rows)
    torch.testing.assert_close(torch.func.vmap(lambda row: encode_hyper_input(row, mode))(gamma), rows)


def test_the_unit_norm_of_one_number_forgets_it():
    gamma = torch.tensor([[0.2], [0.9], [0.0]])
    assert encode_hyper_input(gamma, "unit").tolist() == [[1.0], [1.0], [0.0]]


def test_none_is_the_input_itself():
    gamma = torch.tensor([3.0, -1.0])
    assert encode_hyper_input(gamma, None) is gamma
    assert encode_hyper_input(gamma, "symmetric").tolist() == [5.0, -3.0]
    assert encode_hyper_input(gamma, "centred").tolist() == [2.5, -1.5]


def test_outside_the_unit_interval():
    gamma = torch.tensor([0.5, 1.01])
    with pytest.raises(ValueError, match=r"\[0, 1\].*1\.01.*clamp=True"):
        encode_hyper_input(gamma)
    with pytest.raises(ValueError, match=r"-0\.2"):
        encode_hyper_input(torch.tensor([-0.2]))
    assert torch.equal(encode_hyper_input(gamma, clamp=True), encode_hyper_input(torch.tensor([0.5, 1.0])))
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        torch.func.vmap(encode_hyper_input)(gamma[:, None])


@pytest.mark.parametrize("mode", ["none", "cos|sin", "unit"])
def test_nan_and_other_dtypes(mode):
    with pytest.raises(ValueError, match="NaN"):
        encode_hyper_input(torch.tensor([0.1, math.nan]), mode)
    with pytest.raises(ValueError, match="NaN"):
        encode_hyper_input(torch.tensor([0.1, math.nan]), mode, clamp=True)
    for dtype in (torch.int64, torch.bool, torch.complex64):
        with pytest.raises(TypeError, match="floating point"):
            encode_hyper_input(torch.ones(2).to(dtype), mode)
    with pytest.raises(ValueError, match=r"sin\|cos"):
        encode_hyper_input(torch.ones(2), "sin|cos")
