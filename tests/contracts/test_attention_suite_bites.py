"""Each check of attention parts finds the fault that it is there for."""

from __future__ import annotations

import pytest
import torch
from torch.autograd.gradcheck import GradcheckError

from replank.parts.attention import GROUP, AttentionPart, MultiHeadSimilarityAttention
from replank.testing import attention_contracts, check_part

EXAMPLE = {"embed_dim": 4, "num_heads": 2, "variant": "symmetric"}


class AnswersWithoutWeights(MultiHeadSimilarityAttention):
    def forward(self, query, key=None, value=None, **options):
        found = super().forward(query, key, value, **options)
        return (found[0], None) if key is not None else found


class SumsHeads(MultiHeadSimilarityAttention):
    def forward(self, *args, **options):
        found = super().forward(*args, **options)
        return (found[0], found[1].sum(-3)) if isinstance(found, tuple) and found[1] is not None else found


class WeightsAreNotNormalised(MultiHeadSimilarityAttention):
    def _attended(self, x, hidden, wanted):
        output, weights = super()._attended(x, hidden, wanted)
        return output, None if weights is None else 2 * weights


class HidesNothing(MultiHeadSimilarityAttention):
    def _attended(self, x, hidden, wanted):
        return super()._attended(x, None, wanted)


class HidesAlmost(MultiHeadSimilarityAttention):
    def _attended(self, x, hidden, wanted):
        queries, keys, values = self.project(x)
        scores = queries @ keys.mT * self.scale
        if hidden is not None:
            scores = scores - 5 * hidden[:, None, None, :]
        weights = scores.softmax(-1)
        return self.merge(weights @ values), weights if wanted else None


class HidesQueriesInsteadOfKeys(MultiHeadSimilarityAttention):
    def _attended(self, x, hidden, wanted):
        output, weights = super()._attended(x, None, wanted)
        return output if hidden is None else output.masked_fill(hidden[..., None], 0), weights


class ForgetsTheMaskInSinglePrecision(MultiHeadSimilarityAttention):
    def _attended(self, x, hidden, wanted):
        return super()._attended(x, hidden if x.dtype == torch.float64 else None, wanted)


class KnowsPlaces(MultiHeadSimilarityAttention):
    def _attended(self, x, hidden, wanted):
        place = torch.arange(x.shape[-2], dtype=x.dtype)[:, None] / 10
        return super()._attended(x + place, hidden, wanted)


class SeesItselfAlone(MultiHeadSimilarityAttention):
    def _attended(self, x, hidden, wanted):
        return self.merge(self.project(x)[2]), super()._attended(x, hidden, wanted)[1]


class DropsAtRest(MultiHeadSimilarityAttention):
    def _attended(self, x, hidden, wanted):
        output, weights = super()._attended(x, hidden, wanted)
        return torch.nn.functional.dropout(output, self.dropout), weights


class NeverDrops(MultiHeadSimilarityAttention):
    def _attended(self, x, hidden, wanted):
        training, self.training = self.training, False
        found = super()._attended(x, hidden, wanted)
        self.training = training
        return found


class TakesOtherKeys(MultiHeadSimilarityAttention):
    def forward(self, query, key=None, value=None, **options):
        return super().forward(query, query, query, **options) if key is not None else super().forward(query, **options)


class IgnoresMasksOnPairs(MultiHeadSimilarityAttention):
    def forward(self, *args, attn_mask=None, is_causal=False, **options):
        return super().forward(*args, **options)


class AnswersNothingToNothing(MultiHeadSimilarityAttention):
    def _check_mask(self, mask):
        pass


class AddsNumbersAsMask(MultiHeadSimilarityAttention):
    def _check_float_mask(self, mask):
        pass


class TakesNoToken(MultiHeadSimilarityAttention):
    def _check_input(self, x):
        if x.shape[-2:-1] != (0,):
            super()._check_input(x)


class TakesMoreDimensions(MultiHeadSimilarityAttention):
    def _check_input(self, x):
        if x.ndim != 4:
            super()._check_input(x)


class TakesAnySizes(MultiHeadSimilarityAttention):
    def __init__(self, embed_dim, num_heads, *args, **options):
        super().__init__(embed_dim, num_heads if embed_dim % num_heads == 0 else 1, *args, **options)


class LikeForgetsTheLayer(MultiHeadSimilarityAttention):
    @classmethod
    def like(cls, old, **options):
        old.batch_first = True
        return super().like(old, **options)


class TakesNumbersForNothing(MultiHeadSimilarityAttention):
    def _hidden(self, mask, query):
        return super()._hidden(None if mask is not None and mask.is_floating_point() else mask, query)


class DeadParameter(MultiHeadSimilarityAttention):
    def project(self, x):
        queries, keys, values = super().project(x)
        return queries, keys, values.detach()


class SeesTheBatch(MultiHeadSimilarityAttention):
    def merge(self, attended):
        return super().merge(attended - attended.mean(0, keepdim=True) if len(attended) else attended)


class Slips(MultiHeadSimilarityAttention):
    def merge(self, attended):
        return super().merge(attended) + 1e-6


class CutsGradients(MultiHeadSimilarityAttention):
    def project(self, x):
        queries, keys, values = super().project(x)
        return queries.detach(), keys, values


FAULTS = {
    AnswersWithoutWeights: "it_is_called_as_the_layer_is",
    SumsHeads: "weights",
    WeightsAreNotNormalised: "weights",
    HidesNothing: "hidden_keys_have_no_weight",
    HidesAlmost: "hidden_keys_have_no_weight",
    HidesQueriesInsteadOfKeys: "hidden_keys_have_no_weight",
    ForgetsTheMaskInSinglePrecision: "single_precision_takes_masks",
    KnowsPlaces: "permuted_tokens_give_permuted_outputs",
    SeesItselfAlone: "tokens_see_each_other",
    DropsAtRest: "dropout_is_for_training",
    NeverDrops: "dropout_is_for_training",
    TakesOtherKeys: "refuses_what_is_no_self_attention",
    IgnoresMasksOnPairs: "refuses_what_is_no_self_attention",
    AnswersNothingToNothing: "refuses_other_masks",
    AddsNumbersAsMask: "refuses_other_masks",
    TakesNoToken: "refuses_what_the_layer_refuses",
    TakesMoreDimensions: "refuses_what_the_layer_refuses",
    TakesAnySizes: "refuses_sizes_that_do_not_fit",
    LikeForgetsTheLayer: "like_takes_plain_layers_only",
    TakesNumbersForNothing: "it_works_in_torchs_encoder_layer",
    DeadParameter: "every_parameter_moves_the_output",
    SeesTheBatch: "rows_do_not_see_each_other",
    Slips: "agrees_with_its_reference",
    CutsGradients: "gradients",
}


def checks(kind):
    return dict(check_part(kind, EXAMPLE, GROUP))


@pytest.mark.parametrize(("kind", "name"), FAULTS.items(), ids=lambda value: getattr(value, "__name__", value))
def test_the_fault_is_found(kind, name):
    with pytest.raises((AssertionError, GradcheckError)):
        checks(kind)[name]()


@pytest.mark.parametrize("name", sorted(checks(MultiHeadSimilarityAttention)))
def test_the_sound_part_passes(name):
    checks(MultiHeadSimilarityAttention)[name]()


def test_every_check_of_attention_has_a_fault():
    own = {name.removeprefix("check_") for name in vars(attention_contracts) if name.startswith("check_")}
    assert own <= set(FAULTS.values())
    assert issubclass(MultiHeadSimilarityAttention, AttentionPart)
