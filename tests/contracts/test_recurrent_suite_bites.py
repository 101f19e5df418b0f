"""Each check of recurrent parts finds the fault that it is there for."""

from __future__ import annotations

import copy

import pytest
import torch
from torch.autograd.gradcheck import GradcheckError
from torch.nn.utils.rnn import PackedSequence

from replank.parts.recurrent import GROUP, LowRankRecurrent, RecurrentPart
from replank.testing import check_part, recurrent_contracts

EXAMPLE = {"input_size": 2, "hidden_size": 3, "cell": "lstm", "rank": 2}


class SeesTheFuture(LowRankRecurrent):
    def unroll(self, input, state):
        outputs, state = super().unroll(input, state)
        return outputs - outputs.mean(0), state


class HasNoMemory(LowRankRecurrent):
    def unroll(self, input, state):
        outputs = [super(HasNoMemory, self).unroll(each[None], state)[0] for each in input]
        return torch.cat(outputs), state


class HandsOverWhatItWasGiven(LowRankRecurrent):
    def unroll(self, input, state):
        return super().unroll(input, state)[0], state


class HandsOverTheStateBefore(LowRankRecurrent):
    def unroll(self, input, state):
        outputs, after = super().unroll(input, state)
        return outputs, super().unroll(input[:-1], state)[1] if len(input) > 1 else after


class BeginsInOnes(LowRankRecurrent):
    def _taken(self, hx, steps, is_batch):
        taken = super()._taken(hx, steps, is_batch)
        return taken if hx is not None else tuple(map(torch.ones_like, taken))


class IgnoresTheState(LowRankRecurrent):
    def forward(self, input, hx=None):
        return super().forward(input)


class HandsOverWithoutALayer(LowRankRecurrent):
    def forward(self, input, hx=None):
        outputs, state = super().forward(input, hx)
        return outputs, tuple(each[0] for each in state)


class CutsGradients(LowRankRecurrent):
    def unroll(self, input, state):
        return super().unroll(input, (state[0], state[1].detach()))


class IgnoresTheLayout(LowRankRecurrent):
    def forward(self, input, hx=None):
        twin = copy.copy(self)
        twin.batch_first = True
        return LowRankRecurrent.forward(twin, input, hx)


class LosesASequenceWithoutABatch(LowRankRecurrent):
    def forward(self, input, hx=None):
        outputs, state = super().forward(input, hx)
        return (outputs if input.ndim == 3 else outputs.flip(0)), state


class PutsTheBatchFirst(LowRankRecurrent):
    def __init__(self, *args, batch_first=True, **kwargs):
        super().__init__(*args, batch_first=batch_first, **kwargs)


class TakesPaddingForData(LowRankRecurrent):
    def _check_input(self, input):
        if not isinstance(input, PackedSequence):
            super()._check_input(input)

    def forward(self, input, hx=None):
        return super().forward(input.data if isinstance(input, PackedSequence) else input, hx)


class TakesAnyState(LowRankRecurrent):
    def _taken(self, hx, steps, is_batch):
        if hx is None:
            return super()._taken(hx, steps, is_batch)
        return tuple(torch.zeros(steps.shape[1], 3, dtype=steps.dtype) for _ in range(2))


class TakesAnything(LowRankRecurrent):
    def _in_layout(self, unroll, input, hx):
        return super()._in_layout(unroll, input.nan_to_num(0, 0, 0), hx)


class IgnoresOptions(LowRankRecurrent):
    def _set_interface(self, input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional):
        super()._set_interface(input_size, hidden_size, 1, bias, batch_first, 0, False)


class SaysItHasTwoLayers(LowRankRecurrent):
    num_layers = 2


class SeesTheBatch(LowRankRecurrent):
    def unroll(self, input, state):
        outputs, state = super().unroll(input, state)
        return outputs - outputs.mean(1, keepdim=True), state


class SlipsWithTime(LowRankRecurrent):
    def unroll(self, input, state):
        outputs, state = super().unroll(input, state)
        return outputs + 1e-6 * torch.arange(len(outputs), dtype=outputs.dtype)[:, None, None], state


FAULTS = {
    SeesTheFuture: "outputs_do_not_see_the_future",
    HasNoMemory: "outputs_remember_the_past",
    HandsOverWhatItWasGiven: "a_state_goes_on_where_a_sequence_ended",
    HandsOverTheStateBefore: "a_state_goes_on_where_a_sequence_ended",
    BeginsInOnes: "it_begins_in_zeros",
    IgnoresTheState: "it_begins_in_zeros",
    HandsOverWithoutALayer: "states_have_a_layer_and_a_batch",
    CutsGradients: "gradients_pass_through_states",
    IgnoresTheLayout: "layouts",
    LosesASequenceWithoutABatch: "layouts",
    PutsTheBatchFirst: "time_first_is_the_default",
    TakesPaddingForData: "refuses_packed_sequences",
    TakesAnyState: "refuses_other_states",
    TakesAnything: "refuses_what_is_not_finite",
    IgnoresOptions: "refuses_options_of_the_layer",
    SaysItHasTwoLayers: "models_read_the_layers_attributes",
    SeesTheBatch: "rows_do_not_see_each_other",
    SlipsWithTime: "agrees_with_its_reference",
}


def checks(kind):
    return dict(check_part(kind, EXAMPLE, GROUP))


@pytest.mark.parametrize(("kind", "name"), FAULTS.items(), ids=lambda value: getattr(value, "__name__", value))
def test_the_fault_is_found(kind, name):
    with pytest.raises((AssertionError, GradcheckError)):
        checks(kind)[name]()


@pytest.mark.parametrize("name", sorted(checks(LowRankRecurrent)))
def test_the_sound_part_passes(name):
    checks(LowRankRecurrent)[name]()


def test_every_check_of_recurrent_parts_has_a_fault():
    own = {name.removeprefix("check_") for name in vars(recurrent_contracts) if name.startswith("check_")}
    assert own <= set(FAULTS.values())
    assert issubclass(LowRankRecurrent, RecurrentPart)
