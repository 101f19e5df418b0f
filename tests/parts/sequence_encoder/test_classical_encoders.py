from __future__ import annotations

import pytest
import torch
from torch import nn

from replank import swap
from replank.parts import group_of
from replank.parts.replacement import part as as_part
from replank.parts.sequence_encoder import (
    GROUP,
    ConvolutionEncoder,
    GRUEncoder,
    KmerComposition,
    PathTensorNetwork,
)

close = torch.testing.assert_close


def tokens(*rows: list[int]) -> torch.Tensor:
    return torch.tensor(rows)


def test_single_words_are_an_embedding_bag_with_a_bias():
    part = KmerComposition(5, 3, padding_idx=2, dtype=torch.float64)
    bag = nn.EmbeddingBag(5, 3, padding_idx=2, mode="mean", dtype=torch.float64)
    with torch.no_grad():
        bag.weight.zero_()
        bag.weight[[0, 1, 3, 4], 1:] = part.weight
    input = tokens([0, 1, 2, 4, 4], [3, 2, 2, 2, 2])
    close(part(input), bag(input) + torch.cat((torch.zeros(1), part.bias)))


def test_words_that_hold_padding_are_left_out():
    part = KmerComposition(3, padding_idx=0, k=2)
    frequencies = part.frequencies(tokens([1, 2, 1, 0], [1, 0, 2, 0]))
    close(frequencies, torch.tensor([[0, 0.5, 0.5, 0], [0, 0, 0, 0]]))


def test_composition_does_not_see_the_order_and_pairs_do():
    input = tokens([1, 2, 3, 4], [4, 2, 1, 3])
    for k, alike in ((1, True), (2, False)):
        first, second = KmerComposition(5, padding_idx=0, k=k)(input)
        assert torch.allclose(first, second) == alike


def test_a_gru_is_torchs_on_the_tokens_that_count():
    part = GRUEncoder(6, padding_idx=0, dtype=torch.float64)
    layer = nn.GRU(8, 12, dtype=torch.float64, batch_first=True)
    names = ("of_input", "of_state", "input_bias", "state_bias")
    with torch.no_grad():
        for weight, name in zip(layer.parameters(), names, strict=True):
            weight.copy_(getattr(part, name))
    end = layer(part.tokens[tokens([3, 5, 1])])[1][0]
    expected = torch.cat((torch.zeros(1, 1), end @ part.weight + part.bias), 1)
    close(part(tokens([3, 0, 5, 1, 0])), expected)


def test_the_papers_size_of_a_gru():
    assert GRUEncoder(21, padding_idx=0).parameter_formula() == 21 * 8 + 3 * (12 * 8 + 12 * 12 + 2 * 12) + 13 == 973


@pytest.mark.parametrize("budget", [60, 74, 314, 794, 5000])
def test_the_largest_that_fits_is_near_the_budget(budget):
    for kind in (GRUEncoder, ConvolutionEncoder):
        if kind is ConvolutionEncoder and budget < 74:
            continue
        count = kind.within(budget, 21).parameter_formula()
        assert 0.55 * budget <= count <= budget or budget == 5000  # beyond the largest sizes


def test_a_budget_that_nothing_fits_is_refused():
    for kind in (GRUEncoder, ConvolutionEncoder):
        with pytest.raises(ValueError, match="the smallest for 21 tokens has"):
            kind.within(20, 21)
    bag = nn.EmbeddingBag(21, 2, padding_idx=0)
    assert isinstance(GROUP.same_size(bag, 21), KmerComposition)
    assert isinstance(GROUP.same_size(bag, 74), GRUEncoder)
    with pytest.raises(ValueError, match="the smallest classical encoder"):
        GROUP.same_size(bag, 20)


def test_a_filter_does_not_see_hidden_tokens():
    part = ConvolutionEncoder(5, padding_idx=0)
    close(part(tokens([1, 2, 3, 0, 0, 0])), part(tokens([1, 2, 3])))


@pytest.mark.parametrize(
    ("call", "law"),
    [
        (lambda: KmerComposition(5, 1), "the first output is 0, got embedding_dim=1"),
        (lambda: KmerComposition(5, k=0), "k=0"),
        (lambda: KmerComposition(21, k=5), "1 to a million words, got 21 tokens and k=5"),
        (lambda: GRUEncoder(5, hidden_size=0), "hidden_size=0"),
        (lambda: ConvolutionEncoder(5, width=4), "an odd width, got .*width=4"),
        (lambda: KmerComposition(0), "num_embeddings=0"),
        (lambda: KmerComposition.like(nn.EmbeddingBag(5, 2, max_norm=1.0)), "without max_norm"),
    ],
)
def test_what_does_not_fit_is_refused(call, law):
    with pytest.raises(ValueError, match=law):
        call()


def test_an_embedding_bag_can_be_swapped():
    model = nn.Sequential(nn.EmbeddingBag(5, 2, padding_idx=0), nn.LogSoftmax(1))
    assert group_of(model[0]) is GROUP
    input = tokens([1, 2, 3, 4], [4, 2, 0, 0])
    swapped = swap(model, "0", as_part(PathTensorNetwork, sharing="hierarchical", max_len=4), example=input)
    assert swapped(input).shape == (2, 2)
    assert swapped[0].padding_idx == 0
