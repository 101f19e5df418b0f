"""What every recurrent part must do besides: time, states, layouts, and the refusals of those.

:func:`replank.testing.check_part` runs these checks over parts of the group *recurrent*, after the common ones.
"""

from __future__ import annotations

import copy
import math
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from replank.parts.recurrent import RecurrentPart, State

if TYPE_CHECKING:
    from replank.testing.contracts import Case

_close = partial(torch.testing.assert_close, rtol=1e-11, atol=1e-11)


def check_outputs_do_not_see_the_future(case: Case) -> None:
    """What comes at step t and later leaves the outputs before t as they are, bit by bit, and changes that at t."""
    part = _built(case)
    batch = case.input(part)
    whole = case.output(part, batch)
    for step in range(1, batch.shape[1]):
        changed = case.output(part, torch.cat((batch[:, :step], -2 * batch[:, step:]), 1))
        assert torch.equal(changed[:, :step], whole[:, :step]), f"outputs before step {step} see it"
        assert _differ(changed[:, step], whole[:, step]), f"the output at step {step} does not see its input"


def check_outputs_remember_the_past(case: Case) -> None:
    """Inputs before the last move the last output: there is a state."""
    part = _built(case)
    batch = case.input(part)
    changed = torch.cat((-2 * batch[:, :-1], batch[:, -1:]), 1)
    assert _differ(case.output(part, changed)[:, -1], case.output(part, batch)[:, -1])


def check_a_state_goes_on_where_a_sequence_ended(case: Case) -> None:
    """Two parts of a sequence with the state handed over, or all steps one by one, give what the whole gives."""
    part = _built(case)
    batch = case.input(part)
    outputs, end = part(batch)
    for step in range(1, batch.shape[1]):
        first, state = part(batch[:, :step])
        second, state = part(batch[:, step:], state)
        _close(torch.cat((first, second), 1), outputs)
        _close(state, end)
    state, singles = None, []
    for step in range(batch.shape[1]):
        output, state = part(batch[:, step : step + 1], state)
        singles.append(output)
    _close(torch.cat(singles, 1), outputs)
    _close(state, end)


def check_it_begins_in_zeros(case: Case) -> None:
    """No state is a state of zeros, and another one gives other outputs, from the first step on."""
    part = _built(case)
    batch = case.input(part)
    outputs, end = part(batch)
    from_zeros, _ = part(batch, _mapped(end, torch.zeros_like))
    assert torch.equal(from_zeros, outputs)
    from_others, _ = part(batch, _mapped(end, _waves))
    assert _differ(from_others[:, 0], outputs[:, 0])


def check_states_have_a_layer_and_a_batch(case: Case) -> None:
    """States are ``(1, B, *)`` with the shapes that the part says; where a torch layer has such ones, as its own."""
    part = _built(case)
    layer = case.layer(part)
    batch = case.input(part)
    state, of_layer = part(batch)[1], layer(batch)[1]
    tensors = _tensors(state)
    assert [tuple(each.shape) for each in tensors] == [(1, len(batch), *shape) for shape in part.state_shapes()]
    assert {each.dtype for each in tensors} == {batch.dtype}
    assert isinstance(state, Tensor) == (len(tensors) == 1)
    if [each.shape for each in tensors] == [each.shape for each in _tensors(of_layer)]:
        assert isinstance(state, Tensor) == isinstance(of_layer, Tensor)


def check_gradients_pass_through_states(case: Case) -> None:
    """First and second derivatives with respect to the state that it begins in; each tensor of it counts."""
    part = _built(case)
    batch = case.input(part)[:2, :2]
    end = part(batch)[1]
    begin = tuple(_waves(each.detach()).requires_grad_() for each in _tensors(end))

    def function(*state: Tensor) -> tuple[Tensor, ...]:
        output, after = part(batch, state if len(state) > 1 else state[0])
        return output, *_tensors(after)

    assert torch.autograd.gradcheck(function, begin, fast_mode=True)
    assert torch.autograd.gradgradcheck(function, begin, fast_mode=True)
    output = function(*begin)[0]
    weights = torch.linspace(1, math.e, output.numel(), dtype=output.dtype).sin().reshape(output.shape)
    gradients = torch.autograd.grad((output * weights).sum(), begin)
    assert all(each.any() for each in gradients), "a tensor of the state does not matter"


def check_layouts(case: Case) -> None:
    """Time first gives what batch first gives, transposed, with the same states; so does a sequence without a batch."""
    part = _built(case)
    other = copy.deepcopy(part)
    other.batch_first = False
    batch = case.input(part)
    outputs, end = part(batch)
    turned, turned_end = other(batch.transpose(0, 1))
    _close(turned.transpose(0, 1), outputs)
    _close(turned_end, end)
    for each in (part, other):
        alone, alone_end = each(batch[1])
        _close(alone, outputs[1])
        _close(alone_end, _mapped(end, lambda tensor: tensor[:, 1]))
        again, _ = each(batch[1], _mapped(end, lambda tensor: tensor[:, 1]))
        _close(again, part(batch, end)[0][1])


def check_time_first_is_the_default(case: Case) -> None:
    """Without ``batch_first`` time comes first, as with torch's layers: rows see earlier ones, columns no others."""
    example = {name: value for name, value in case.example.items() if name != "batch_first"}
    part = case.kind(**example, dtype=torch.float64)
    batch = case.input(part)
    outputs = case.output(part, batch)
    assert outputs.shape == case.output(case.layer(part), batch).shape
    later = case.output(part, torch.cat((-2 * batch[:-1], batch[-1:])))
    assert _differ(later[-1], outputs[-1]), "the last step does not see those before it"
    beside = case.output(part, torch.cat((batch[:, :1], -2 * batch[:, 1:]), 1))
    _close(beside[:, 0], outputs[:, 0])


def check_refuses_packed_sequences(case: Case) -> None:
    """``TypeError`` that says how to go without."""
    part = _built(case)
    batch = case.input(part)
    lengths = [batch.shape[1], *(1 for _ in batch[1:])]
    error = _error(part, pack_padded_sequence(batch, lengths, batch_first=True))
    assert isinstance(error, TypeError), f"a PackedSequence must raise TypeError, got {error!r}"
    assert "pad_packed_sequence" in str(error)


def check_refuses_other_states(case: Case) -> None:
    """Another number of tensors or another precision: ``TypeError``; another batch, size or rank: ``ValueError``."""
    part = _built(case)
    batch = case.input(part)
    end = part(batch)[1]
    more = (*_tensors(end), _tensors(end)[0])
    wrong = {
        "one tensor more": (more, TypeError),
        "single precision": (_mapped(end, Tensor.float), TypeError),
        "one row less": (_mapped(end, lambda each: each[:, 1:]), ValueError),
        "a feature more": (_mapped(end, lambda each: torch.cat((each, each[..., :1]), -1)), ValueError),
        "no layer": (_mapped(end, lambda each: each[0]), ValueError),
        "NaN": (_mapped(end, lambda each: each * math.nan), ValueError),
    }
    for name, (state, kind) in wrong.items():
        error = _error(part, batch, state)
        assert isinstance(error, kind), f"a state with {name} must raise {kind.__name__}, got {error!r}"
        assert "hx" in str(error), f"{name}: `hx` is not in: {error}"
    error = _error(part, batch[0], end)
    assert isinstance(error, ValueError), "a sequence without a batch takes no state of a batch"


def check_refuses_what_is_not_finite(case: Case) -> None:
    """NaN and infinity anywhere: ``ValueError``, for they would stay in the state for good."""
    part = _built(case)
    for bad in (math.nan, math.inf):
        batch = case.input(part)
        batch[-1, 0, -1] = bad
        error = _error(part, batch)
        assert isinstance(error, ValueError), f"{bad} must raise ValueError, got {error!r}"


def check_refuses_options_of_the_layer(case: Case) -> None:
    """Several layers, two directions and dropout are there, or ``ValueError`` names the argument and its value."""
    for name, value in {"num_layers": 2, "bidirectional": True, "dropout": 0.5}.items():
        error = _error(case.kind, **{**case.example, "dtype": torch.float64, name: value})
        assert isinstance(error, ValueError), f"{name}={value} must raise ValueError, got {error!r}"
        assert f"{name}={value}" in str(error), f"{name}={value} is not in: {error}"
    layer = nn.LSTM(case.example["input_size"], 3, num_layers=2, dtype=torch.float64)
    error = _error(case.kind.like, layer, **_options(case))
    assert isinstance(error, ValueError), f"like(LSTM with two layers) must raise ValueError, got {error!r}"


def check_models_read_the_layers_attributes(case: Case) -> None:
    """What models ask a recurrent layer for, to make states or to lay out weights, is there."""
    part = _built(case)
    expected = {"num_layers": 1, "bias": True, "bidirectional": False}
    for name in ("input_size", "hidden_size", "num_layers", "bias", "batch_first", "bidirectional"):
        value = {**expected, **case.example}[name]
        assert getattr(part, name) == value, f"{name} must be {value}, is {getattr(part, name)}"
    part.flatten_parameters()


def _built(case: Case) -> RecurrentPart:
    part = case.build()
    assert isinstance(part, RecurrentPart)
    return part


def _options(case: Case) -> dict[str, Any]:
    common = {"input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional"}
    return {name: value for name, value in case.example.items() if name not in common}


def _tensors(state: State) -> tuple[Tensor, ...]:
    return (state,) if isinstance(state, Tensor) else state


def _mapped(state: State, function: Any) -> State:
    return function(state) if isinstance(state, Tensor) else tuple(map(function, state))


def _waves(like: Tensor) -> Tensor:
    """A state in (-1, 1) in which no two numbers are alike."""
    return (0.4 * torch.arange(1, 1 + like.numel(), dtype=like.dtype).sin()).reshape(like.shape)


def _differ(one: Tensor, other: Tensor) -> bool:
    return bool((one - other).abs().max() > 1e-9)


def _error(function: Any, *arguments: Any, **options: Any) -> Exception | None:
    try:
        function(*arguments, **options)
    except Exception as error:
        return error
    return None
