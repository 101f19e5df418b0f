"""Each check of parts that take token numbers finds the fault that it is there for."""

from __future__ import annotations

import pytest
import torch

from replank.parts.sequence_encoder import GROUP, GRUEncoder
from replank.testing import check_part, token_contracts

EXAMPLE = {"num_embeddings": 5, "embedding_dim": 2, "padding_idx": 0, "token_size": 2, "hidden_size": 3}


class TakesOneSequence(GRUEncoder):
    def forward(self, input, mask=None):
        return super().forward(input[None], mask)[0] if input.ndim == 1 else super().forward(input, mask)


class WrapsTokensRound(GRUEncoder):
    def forward(self, input, mask=None):
        return super().forward(input % self.num_embeddings, mask)


class TakesAnyNumbers(GRUEncoder):
    def forward(self, input, mask=None):
        return super().forward(input.real.long() if input.is_complex() else input.long(), mask)


class RaisesPrecision(GRUEncoder):
    def forward(self, input, mask=None):
        return super().forward(input, mask).float()


class AnswersNothing(GRUEncoder):
    def _check_mask(self, mask):
        pass


class GuessesTheMask(GRUEncoder):
    def counted(self, input, mask=None):
        return super().counted(input, mask if mask is not None and mask.shape == input.shape else None)


class CountsThePadding(GRUEncoder):
    def counted(self, input, mask=None):
        super().counted(input, mask)
        return torch.ones_like(input, dtype=torch.bool)


class IgnoresTheMask(GRUEncoder):
    def counted(self, input, mask=None):
        return super().counted(input)


class SeesTheBatch(GRUEncoder):
    def encode(self, input, mask):
        return super().encode(input, mask) - super().encode(input, mask).mean()


class Slips(GRUEncoder):
    def encode(self, input, mask):
        return super().encode(input, mask) + 1e-6


class WrongGradient(GRUEncoder):
    def encode(self, input, mask):
        return super().encode(input, mask) + (self.tokens - self.tokens.detach()).sum()


class DeadParameter(GRUEncoder):
    def encode(self, input, mask):
        return super().encode(input, mask) * 0 + (self.weight.sum() + self.of_input.sum())


FAULTS = {
    TakesOneSequence: "refuses_what_the_layer_refuses",
    WrapsTokensRound: "refuses_what_the_layer_refuses",
    TakesAnyNumbers: "refuses_other_dtypes",
    RaisesPrecision: "takes_what_an_embedding_bag_takes",
    AnswersNothing: "refuses_empty_sequences",
    GuessesTheMask: "refuses_other_masks",
    CountsThePadding: "padding_does_not_count",
    IgnoresTheMask: "padding_does_not_count",
    SeesTheBatch: "rows_do_not_see_each_other",
    Slips: "agrees_with_its_reference",
    WrongGradient: "gradients",
    DeadParameter: "every_parameter_moves_the_output",
}


def checks(kind):
    return dict(check_part(kind, EXAMPLE, GROUP))


@pytest.mark.parametrize(("kind", "name"), FAULTS.items(), ids=lambda value: getattr(value, "__name__", value))
def test_the_fault_is_found(kind, name):
    with pytest.raises(AssertionError if name != "gradients" else RuntimeError):
        checks(kind)[name]()


@pytest.mark.parametrize("name", sorted(checks(GRUEncoder)))
def test_the_sound_part_passes(name):
    checks(GRUEncoder)[name]()


def test_every_check_of_token_numbers_has_a_fault():
    own = {name.removeprefix("check_") for name in vars(token_contracts) if name.startswith("check_")}
    assert own <= set(FAULTS.values())
