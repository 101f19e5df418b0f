"""What every part of every group must do, as checks that anyone can run over a part of their own.

A check raises ``AssertionError`` when the promise is broken. The torch layer that the part stands for is the yardstick
wherever there is one: the part takes what the layer takes, and refuses what the layer refuses.

Example:
    >>> from replank.parts import groups
    >>> from replank.parts.linear import LowRankLinear
    >>> example = {"in_features": 5, "out_features": 4, "rank": 2}
    >>> for name, check in check_part(LowRankLinear, example, groups()["linear"]):
    ...     check()
"""

from __future__ import annotations

import copy
import inspect
import math
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from replank.parts.activation import ActivationPart
from replank.parts.attention import AttentionPart
from replank.parts.density import DensityPart
from replank.parts.part import Group, Part
from replank.parts.recurrent import RecurrentPart
from replank.parts.sequence_encoder import SequenceEncoderPart
from replank.seeding import isolated
from replank.testing import (
    activation_contracts,
    attention_contracts,
    density_contracts,
    recurrent_contracts,
    token_contracts,
)

Check = Callable[[], None]


@dataclass(frozen=True)
class Case:
    """One part with one set of constructor arguments."""

    kind: type[Part]
    example: Mapping[str, Any]
    group: Group

    def build(self, dtype: torch.dtype = torch.float64, **options: Any) -> Part:
        """The part, from a random stream of its own."""
        with isolated(0, "part"):
            return self.kind(**self.example, dtype=dtype, **options)

    def layer(self, part: Part) -> nn.Module:
        """The torch layer with the part's interface."""
        return self.group.same_size(part, sys.maxsize)

    def input(self, part: Part) -> Tensor:
        """A batch of inputs that fits the part."""
        with isolated(0, "input"):
            return self.group.example_input(part)

    def followed(self, input: Tensor) -> tuple[Tensor, ...]:
        """The input, if derivatives with respect to it are defined, and asked for from now on; not of token numbers."""
        return (input.requires_grad_(),) if input.is_floating_point() else ()

    def output(self, module: nn.Module, input: Tensor) -> Any:
        """What the module gives for an input, as far as all modules of the group give it."""
        return self.group.promised(module(input))


def check_part(kind: type[Part], example: Mapping[str, Any], group: Group) -> Iterator[tuple[str, Check]]:
    """The checks of one part with one set of constructor arguments, by name.

    Args:
        kind: the part's class.
        example: constructor arguments, small ones.
        group: the group that the part belongs to.
    """
    if issubclass(kind, RecurrentPart):
        # checks speak of rows; what the other layout does is among the group's own
        example = {**example, "batch_first": True}
    case = Case(kind, example, group)
    for name, function in _checks(kind).items():
        yield name.removeprefix("check_"), partial(function, case)


_OWN_CHECKS: dict[type[Part], ModuleType] = {
    RecurrentPart: recurrent_contracts,
    DensityPart: density_contracts,
    SequenceEncoderPart: token_contracts,
    ActivationPart: activation_contracts,
    AttentionPart: attention_contracts,
}


def _checks(kind: type[Part]) -> dict[str, Callable[[Case], None]]:
    """The common checks, and those of the part's group, which take the place of common ones of the same name."""
    checks = _checks_in(globals())
    if issubclass(kind, DensityPart):
        checks = {f"check_{name}": checks[f"check_{name}"] for name in density_contracts.COMMON}
    for base, module in _OWN_CHECKS.items():
        if issubclass(kind, base):
            checks |= _checks_in(vars(module))
    return checks


def _checks_in(names: Mapping[str, Any]) -> dict[str, Callable[[Case], None]]:
    return {name: each for name, each in names.items() if name.startswith("check_") and name != "check_part"}


def check_output_is_like_the_layers(case: Case) -> None:
    """Batched, unbatched, with further leading dimensions, and empty: the same shape and dtype as the torch layer's."""
    part = case.build()
    layer, batch = case.layer(part), case.input(part)
    for input in (batch, batch[0], batch[None], batch[:0]):
        expected = _outcome(partial(case.output, layer), input)
        if isinstance(expected, Tensor):
            output = case.output(part, input)
            assert output.shape == expected.shape, f"{tuple(input.shape)} -> {tuple(output.shape)}"
            assert output.dtype == expected.dtype
        else:
            assert isinstance(_outcome(part, input), ValueError), f"{tuple(input.shape)} must be refused"


def check_refuses_what_the_layer_refuses(case: Case) -> None:
    """A dimension one larger that the torch layer refuses: ``ValueError`` naming both sizes."""
    part = case.build()
    layer, batch = case.layer(part), case.input(part)
    refused = 0
    for dim in range(1, batch.ndim):
        wider = torch.cat((batch, batch.narrow(dim, 0, 1)), dim)
        if isinstance(_outcome(partial(case.output, layer), wider), Tensor):
            continue
        error = _outcome(part, wider)
        assert isinstance(error, ValueError), f"{tuple(wider.shape)} must raise ValueError, got {error!r}"
        for size in (batch.shape[dim], wider.shape[dim]):
            assert str(size) in str(error), f"{size} is not in: {error}"
        refused += 1
    assert refused, "the torch layer refuses nothing: the example input does not fit it"


def check_refuses_other_dtypes(case: Case) -> None:
    """Integers, complex numbers and another precision: ``TypeError`` naming the dtype."""
    part = case.build()
    batch = case.input(part)
    for dtype in (torch.int64, torch.complex128, torch.float32):
        error = _outcome(part, batch.to(dtype))
        assert isinstance(error, TypeError), f"{dtype} must raise TypeError, got {error!r}"
        assert str(dtype) in str(error)


def check_agrees_with_its_reference(case: Case) -> None:
    """Value and gradients equal those of the slow and obvious way."""
    part = case.build()
    batch = case.input(part)
    sources = [*case.followed(batch), *_trained(part).values()]
    output, slow_output = case.output(part, batch), part.reference(batch)
    weight = _weights_like(output)
    fast = torch.autograd.grad((output * weight).sum(), sources)
    slow = torch.autograd.grad((slow_output * weight).sum(), sources)
    torch.testing.assert_close(output, slow_output, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(fast, slow, rtol=1e-9, atol=1e-9)


def check_gradients(case: Case) -> None:
    """First and second derivatives, to the input and to every parameter, against finite differences."""
    part = case.build()
    batch = case.input(part)[:2]
    followed = case.followed(batch)
    names = [name for name, _ in part.named_parameters()]

    def function(*sources: Tensor) -> Tensor:
        given, parameters = sources[: len(followed)] or (batch,), sources[len(followed) :]
        result = torch.func.functional_call(part, dict(zip(names, parameters, strict=True)), given)
        return case.group.promised(result)

    sources = (*followed, *(parameter.detach().clone().requires_grad_() for parameter in part.parameters()))
    assert torch.autograd.gradcheck(function, sources, fast_mode=True)
    assert torch.autograd.gradgradcheck(function, sources, fast_mode=True)


def check_every_parameter_moves_the_output(case: Case) -> None:
    """No dead parameter: each that is trained receives a gradient that is not zero."""
    part = case.build()
    batch = case.input(part)
    case.followed(batch)
    output = case.output(part, batch)
    (output * _weights_like(output)).sum().backward()
    dead = [name for name, each in _trained(part).items() if each.grad is None or not each.grad.any()]
    assert not dead, f"no gradient reaches {dead}"


def check_rows_do_not_see_each_other(case: Case) -> None:
    """A sample's output is the same in every company."""
    part = case.build()
    batch = case.input(part)
    others = -2 * batch[1:] if batch.is_floating_point() else (batch[1:] + 1) % (batch.max() + 1)
    changed = torch.cat((batch[:1], others))
    torch.testing.assert_close(case.output(part, changed)[0], case.output(part, batch)[0], rtol=1e-12, atol=1e-12)


def check_memory_layout_does_not_matter(case: Case) -> None:
    """A non-contiguous input gives what its contiguous copy gives."""
    part = case.build()
    batch = case.input(part)
    scattered = torch.stack((batch, batch), dim=-1)[..., 0]
    assert not scattered.is_contiguous()
    torch.testing.assert_close(case.output(part, scattered), case.output(part, batch))


def check_single_precision(case: Case) -> None:
    """In single precision the output is single, and near the one in double."""
    part = case.build()
    batch = case.input(part)
    single = copy.deepcopy(part).to(torch.float32)
    output = case.output(single, _in_precision(batch, torch.float32))
    assert output.dtype == torch.float32
    torch.testing.assert_close(output.double(), case.output(part, batch), rtol=1e-4, atol=1e-4)


def check_autocast(case: Case) -> None:
    """Under autocast the output is finite, floating point, and near the one without."""
    part = case.build(torch.float32)
    batch = case.input(part)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = case.output(part, _in_precision(batch, torch.bfloat16))
    assert output.is_floating_point()
    assert output.isfinite().all()
    torch.testing.assert_close(output.float(), case.output(part, batch), rtol=0.1, atol=0.1)


def check_moves_between_devices(case: Case) -> None:
    """Parameters and buffers are made on the device asked for, and go where the module goes."""
    for part in (case.build().to("meta"), case.build(device="meta")):
        left = [name for name, each in part.state_dict(keep_vars=True).items() if each.device.type != "meta"]
        left += [name for name, each in part.named_buffers() if each.device.type != "meta"]
        assert not left, f"still on the CPU: {left}"


def check_state_dict(case: Case) -> None:
    """Another part that loads the state gives bit-equal outputs."""
    part = case.build()
    other = case.build()
    other.reset_parameters()
    other.load_state_dict(part.state_dict())
    _assert_bit_equal(case, other, part)


def check_copies(case: Case) -> None:
    """Deep copies and pickles give bit-equal outputs."""
    part = case.build()
    _assert_bit_equal(case, copy.deepcopy(part), part)
    _assert_bit_equal(case, pickle.loads(pickle.dumps(part)), part)


def check_functional_call_and_vmap(case: Case) -> None:
    """``torch.func``: one sample at a time under ``vmap``, and gradients for each sample."""
    part = case.build()
    batch = case.input(part)
    parameters = {name: each.detach() for name, each in part.named_parameters()}

    def one(parameters: dict[str, Tensor], sample: Tensor) -> Tensor:
        return case.group.promised(torch.func.functional_call(part, parameters, (sample[None],)))[0]

    def energy(parameters: dict[str, Tensor], sample: Tensor) -> Tensor:
        return one(parameters, sample).square().sum()

    outputs = torch.func.vmap(one, in_dims=(None, 0))(parameters, batch)
    torch.testing.assert_close(outputs, case.output(part, batch).detach())
    each = torch.func.vmap(torch.func.grad(energy), in_dims=(None, 0))(parameters, batch)
    trained = _trained(part)
    sources = (*case.followed(batch), *trained.values())
    whole = torch.autograd.grad(case.output(part, batch).square().sum(), sources)[len(sources) - len(trained) :]
    for name, total in zip(trained, whole, strict=True):
        torch.testing.assert_close(each[name].sum(0), total)


def check_randomness(case: Case) -> None:
    """Same seed, same parameters; ``reset_parameters`` draws anew; ``forward`` draws nothing."""
    part, twin = case.build(), case.build()
    assert _parameters_equal(part, twin)
    part.reset_parameters()
    assert not _parameters_equal(part, twin)
    before = torch.get_rng_state()
    case.output(part, case.input(part))
    assert torch.equal(torch.get_rng_state(), before)


def check_parameter_count(case: Case) -> None:
    """There are as many parameters as the stated formula says."""
    part = case.build()
    counted, stated = sum(each.numel() for each in part.parameters()), part.parameter_formula()
    assert counted == stated, f"{counted} parameters, the formula says {stated}"


def check_like(case: Case) -> None:
    """``like`` builds a part with the torch layer's interface, device and dtype, and refuses other modules."""
    part = case.build()
    own = inspect.signature(case.kind).parameters
    common = _arguments(case.group.replaces[0])
    options = {name: value for name, value in case.example.items() if name in own and name not in common}
    made = case.kind.like(part, **options)
    assert {name: each.shape for name, each in made.named_parameters()} == {
        name: each.shape for name, each in part.named_parameters()
    }
    batch = case.input(part)
    assert case.output(made, batch).shape == case.output(part, batch).shape
    layer = case.layer(part)
    if case.group.holds(layer):
        assert case.output(case.kind.like(layer, **options), batch).dtype == torch.float64
    error = _outcome(lambda module: case.kind.like(module, **options), nn.Flatten())
    assert isinstance(error, TypeError)
    assert "Flatten" in str(error)


def check_repr(case: Case) -> None:
    """The printed module shows every option that it was built with."""
    text = repr(case.build())
    for name, value in case.example.items():
        shown = f"{name}=" in text or str(value) in text
        assert shown, f"{name} is not in {text}"


def check_documentation(case: Case) -> None:
    """The docstring says what is replaced, the shapes and the source, by the paper's key where there is a paper."""
    text = inspect.getdoc(case.kind) or ""
    missing = [word for word in ("Replaces", "Shape:", "Source:") if word not in text]
    assert not missing, f"the docstring lacks {missing}"
    paper = case.kind.source.paper
    assert paper is None or f"[{paper.key}]" in text, "the docstring does not name the paper's key"


def check_same_size(case: Case) -> None:
    """The group's classical rival of the same size fits the part's place and its budget."""
    part = case.build()
    budget = part.parameter_formula()
    rival = case.group.same_size(part, budget)
    assert sum(each.numel() for each in rival.parameters()) <= budget
    batch = case.input(part)
    assert case.output(rival, batch).shape == case.output(part, batch).shape


def _outcome(function: Callable[..., Any], argument: Any) -> Any:
    try:
        return function(argument)
    except Exception as error:
        return error


def _in_precision(input: Tensor, dtype: torch.dtype) -> Tensor:
    """Numbers in another precision; token numbers have none."""
    return input.to(dtype) if input.is_floating_point() else input


def _trained(part: Part) -> dict[str, Tensor]:
    """The parameters that a part does not keep frozen."""
    return {name: each for name, each in part.named_parameters() if each.requires_grad}


def _arguments(layer: type[nn.Module]) -> set[str]:
    """The arguments of a torch layer's constructor, some of which take theirs by ``*args, **kwargs`` from a base."""
    return {
        name for kind in layer.__mro__ if issubclass(kind, nn.Module) for name in inspect.signature(kind).parameters
    }


def _weights_like(output: Tensor) -> Tensor:
    """Fixed weights that differ from one output to the next, so that no sum rule hides a gradient."""
    return torch.linspace(1, math.e, output.numel(), dtype=output.dtype).sin().reshape(output.shape)


def _parameters_equal(one: Part, other: Part) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def _assert_bit_equal(case: Case, one: Part, other: Part) -> None:
    assert _parameters_equal(one, other)
    batch = case.input(other)
    assert torch.equal(case.output(one, batch), case.output(other, batch))
