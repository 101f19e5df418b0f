"""Put another part in a slot of a model, and touch nothing else.

Everything outside the slot stays bit-identical: the model is copied, never mutated; the new part draws its initial
values from a random stream of its own; torch's global generators are left as they were.
"""

from __future__ import annotations

import copy
import fnmatch
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from replank.errors import InterfaceMismatch, SlotError, UnknownName
from replank.parts import group_of
from replank.parts.initialiser import Initialiser
from replank.parts.replacement import Replacement, as_builder, describe
from replank.seeding import isolated, torch_stream

Where = str | type[nn.Module] | Sequence[str | type[nn.Module]]
"""Which slots: a dotted name, a glob, a module type, or several of these."""


@dataclass(frozen=True)
class Slot:
    """A named place in a model, with what fills it now."""

    name: str
    module: nn.Module


@dataclass(frozen=True)
class Swap:
    """One replacement to be made: ``Swap("head", part(LowRankLinear, rank=8))``."""

    slots: Where
    replacement: Replacement

    def __str__(self) -> str:
        return f"{_where_text(self.slots)} -> {describe(self.replacement)}"


def find_slots(model: nn.Module, where: Where) -> list[Slot]:
    """The slots that a name, a glob, a module type, or several of these select.

    Args:
        model: where to look.
        where: ``"head"``, ``"blocks.*.mlp"`` (a star does not cross a dot), ``nn.Linear``, or a sequence of these.

    Returns:
        The slots in the model's own order.

    Raises:
        SlotError: nothing matches, a slot matches twice, one lies within another, or a module stands in two places.
    """
    modules = dict(model.named_modules(remove_duplicate=False))
    modules.pop("", None)
    wanted = [where] if isinstance(where, str | type) else list(where)
    found: list[str] = []
    for query in wanted:
        matches = [name for name, module in modules.items() if _matches(query, name, module)]
        if not matches:
            raise _no_slot(query, modules)
        found += matches
    _check_unambiguous(found, modules)
    return [Slot(name, modules[name]) for name in modules if name in found]


def swap(model: nn.Module, slots: Where, replacement: Replacement, *, example: Any = None, seed: int = 0) -> nn.Module:
    """A copy of the model with another part in the given slots; everything else is bit-identical.

    Args:
        model: left as it is.
        slots: which slots, see :func:`find_slots`.
        replacement: a part class with ``like``, a module, or a function from the old module to the new one.
        example: one input of the model (a tensor, or a tuple of positional inputs). With it, the slot's real input and
            output are recorded and the new part is probed with them. Without it, the part is probed with a made-up
            input if the slot holds a module of a known group.
        seed: of the new part's initial values; each slot has a stream of its own.

    Returns:
        The new model, on the same device and in the same training mode.

    Raises:
        SlotError: a slot is missing or ambiguous, has hooks, or shares parameters with the rest of the model.
        InterfaceMismatch: the new part does not take the slot's input, or its output differs in shape, dtype or device.
            Where parts of a group may hand on states of their own, as recurrent ones do, the model must take the new
            one's; with an example, this is tried.
    """
    found = find_slots(model, slots)
    for slot in found:
        _check_free(model, slot)
    probes = _recorded_probes(model, found, example) if example is not None else {}
    swapped = copy.deepcopy(model)
    build = as_builder(replacement)
    own_output = False
    for slot in found:
        old = swapped.get_submodule(slot.name)
        with isolated(seed, "part", slot.name):
            new = _build(build, old, slot.name)
            probe = probes.get(slot.name) or _made_up_probe(old)
            _place(new, old)
            if probe is not None:
                own_output |= not _check_interface(new, probe, slot)
        swapped.set_submodule(slot.name, new)
    if own_output and example is not None:
        _check_model(swapped, found, example)
    return swapped


def reinitialise(model: nn.Module, slots: Where, initialiser: Initialiser, *, seed: int = 0) -> nn.Module:
    """A copy of the model whose given slots start from another initialiser's values; the rest is bit-identical.

    Args:
        model: left as it is.
        slots: which slots, see :func:`find_slots`.
        initialiser: fills the weights of each slot, from a stream of the slot's own.
        seed: of these values.

    Returns:
        The new model, on the same device and in the same training mode.

    Raises:
        SlotError: a slot is missing or ambiguous, or shares parameters with the rest of the model.
        InterfaceMismatch: the initialiser can't fill the slot.
    """
    found = find_slots(model, slots)
    for slot in found:
        _check_untied(model, slot, "reinitialise")
    copied = copy.deepcopy(model)
    for slot in found:
        module = copied.get_submodule(slot.name)
        device = next((parameter.device for parameter in module.parameters()), "cpu")
        try:
            initialiser(module, torch_stream(seed, "initialiser", slot.name, device=device))
        except (TypeError, ValueError) as error:
            raise InterfaceMismatch(f"reinitialise: {initialiser} can't fill slot {slot.name!r}: {error}") from error
    return copied


def as_swaps(name: str, rung: Swap | Sequence[Swap] | None) -> tuple[Swap, ...]:
    """The swaps of a rung, which may be given as one, several or none.

    Raises:
        TypeError: it is something else.
    """
    swaps = () if rung is None else (rung,) if isinstance(rung, Swap) else tuple(rung)
    wrong = next((each for each in swaps if not isinstance(each, Swap)), None)
    if wrong is not None:
        raise TypeError(f"Ladder: rung {name!r} must be a Swap, a sequence of them or None, got {wrong!r}.")
    return swaps


class Ladder:
    """An ordered list of rungs, each a set of swaps on one host: how the replacement creeps in.

    Args:
        host: builds the base model; called under the host's own random stream.
        rungs: swaps of each rung, by name; a rung with no swaps is the host itself.
        example: one input of the model, for probing the interfaces.
    """

    def __init__(
        self,
        host: Callable[[], nn.Module],
        rungs: Mapping[str, Swap | Sequence[Swap] | None],
        *,
        example: Any = None,
    ):
        self.host = host
        self.rungs: dict[str, tuple[Swap, ...]] = {name: as_swaps(name, rung) for name, rung in rungs.items()}
        self.example = example

    def model(self, rung: str, *, seed: int = 0) -> nn.Module:
        """The model of one rung: all rungs of one seed share the initial values outside their slots.

        Raises:
            UnknownName: no such rung.
            SlotError: two swaps of the rung want one slot.
        """
        if rung not in self.rungs:
            raise UnknownName("rung of the ladder", rung, self.rungs)
        with isolated(seed, "host"):
            model = self.host()
        if not isinstance(model, nn.Module):
            raise TypeError(f"Ladder: `host` must build a torch.nn.Module, got {type(model).__name__}.")
        _check_disjoint(rung, self.rungs[rung], model)
        for each in self.rungs[rung]:
            model = swap(model, each.slots, each.replacement, example=self.example, seed=seed)
        return model

    def models(self, *, seed: int = 0) -> Iterator[tuple[str, nn.Module]]:
        """All rungs, in order."""
        for rung in self.rungs:
            yield rung, self.model(rung, seed=seed)

    def table(self) -> pd.DataFrame:
        """What fills each slot on each rung: one row a rung, one column a slot, and the number of parameters."""
        with isolated(0, "host"):
            host = self.host()
        swaps = [each for rung in self.rungs.values() for each in rung]
        names = [
            slot.name for slot in find_slots(host, sorted({name for each in swaps for name in _names(host, each)}))
        ]
        rows = {}
        for rung, model in self.models():
            filled = {name: each for each in self.rungs[rung] for name in _names(host, each)}
            cells = {name: _cell(model.get_submodule(name), filled.get(name)) for name in names}
            rows[rung] = cells | {"parameters": sum(parameter.numel() for parameter in model.parameters())}
        return pd.DataFrame.from_dict(rows, orient="index")


def _names(host: nn.Module, each: Swap) -> list[str]:
    return [slot.name for slot in find_slots(host, each.slots)]


def _cell(module: nn.Module, filled_by: Swap | None) -> str:
    """What fills a slot, in words: the kind of module, and how it was asked for if that says more."""
    kind = type(module).__name__
    if filled_by is None:
        return kind
    asked = describe(filled_by.replacement)
    return asked if re.search(rf"\b{kind}\b", asked) else f"{kind}: {asked}"


# -- slots ---------------------------------------------------------------------------------------------------------


def _where_text(where: Where) -> str:
    if isinstance(where, str):
        return where
    return where.__name__ if isinstance(where, type) else ", ".join(_where_text(each) for each in where)


def _matches(query: str | type[nn.Module], name: str, module: nn.Module) -> bool:
    if isinstance(query, type):
        return isinstance(module, query)
    pattern, path = query.split("."), name.split(".")
    return len(pattern) == len(path) and all(map(fnmatch.fnmatchcase, path, pattern))


def _no_slot(query: str | type[nn.Module], modules: Mapping[str, nn.Module]) -> SlotError:
    if isinstance(query, type):
        kinds = sorted({type(module).__name__ for module in modules.values()})
        return SlotError(f"find_slots: the model must hold a {query.__name__}, got none. It holds: {', '.join(kinds)}.")
    return SlotError(f"find_slots: {UnknownName('slot', query, modules)}")


def _check_unambiguous(names: list[str], modules: Mapping[str, nn.Module]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise SlotError(f"find_slots: a slot may be named once, got {name!r} twice. Drop one of the two.")
        outer = next((other for other in names if name.startswith(other + ".")), None)
        if outer is not None:
            raise SlotError(f"find_slots: slots may not nest, got {name!r} within {outer!r}. Choose one of the two.")
        twins = [other for other, module in modules.items() if module is modules[name] and other != name]
        if twins:
            raise SlotError(
                f"find_slots: a slot must stand in one place, got {name!r}, the same module as {twins[0]!r}. "
                "Give each place a module of its own (copy.deepcopy) first."
            )


def _check_disjoint(rung: str, swaps: Sequence[Swap], model: nn.Module) -> None:
    taken: dict[str, Swap] = {}
    for each in swaps:
        for slot in find_slots(model, each.slots):
            if slot.name in taken:
                raise SlotError(
                    f"Ladder: a slot can be filled once on each rung, got {slot.name!r} twice on {rung!r} "
                    f"({taken[slot.name]} and {each}). Drop one of the two."
                )
            taken[slot.name] = each


def _check_free(model: nn.Module, slot: Slot) -> None:
    """Refuse a slot whose removal would change something outside it."""
    for module in slot.module.modules():
        # private, but there is no public way to ask; losing a hook silently would be worse
        if module._forward_hooks or module._forward_pre_hooks or module._backward_hooks or module._backward_pre_hooks:
            raise SlotError(
                f"swap: the slot must have no hooks, got some on {slot.name!r}. "
                "Remove them first and register them on the new model."
            )
    _check_untied(model, slot, "swap")


def _check_untied(model: nn.Module, slot: Slot, asker: str) -> None:
    """Refuse a slot that shares parameters with the rest of the model."""
    inside = {id(parameter): name for name, parameter in slot.module.named_parameters(prefix=slot.name)}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        if id(parameter) in inside and not name.startswith(slot.name + "."):
            raise SlotError(
                f"{asker}: the slot must own its parameters, got {inside[id(parameter)]!r} tied to {name!r}. "
                "Untie them first: give the slot an nn.Parameter of its own."
            )


# -- interfaces ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Probe:
    """What a slot was given and what it answered."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    output: Any


def _recorded_probes(model: nn.Module, slots: Sequence[Slot], example: Any) -> dict[str, _Probe]:
    probes: dict[str, _Probe] = {}
    twin = copy.deepcopy(model).eval()
    for slot in slots:

        def record(module: nn.Module, args: Any, kwargs: Any, output: Any, name: str = slot.name) -> None:
            probes.setdefault(name, _Probe(args, kwargs, output))

        twin.get_submodule(slot.name).register_forward_hook(record, with_kwargs=True)
    with torch.no_grad(), isolated(0, "probe"):
        try:
            twin(*_inputs(example))
        except Exception as error:
            raise InterfaceMismatch(
                f"swap: the model must accept `example`, got {_shape_text(example)}: {error}"
            ) from error
    silent = [slot.name for slot in slots if slot.name not in probes]
    if silent:
        raise SlotError(f"swap: the example must pass through the slot, got no call of {silent[0]!r}.")
    return probes


def _inputs(example: Any) -> tuple[Any, ...]:
    return example if isinstance(example, tuple) else (example,)


def _made_up_probe(old: nn.Module) -> _Probe | None:
    group = group_of(old)
    if group is None:
        return None
    arguments = group.arguments(group.example_input(old))
    with torch.no_grad():
        return _Probe(arguments, {}, old(*arguments))


def _build(build: Callable[[nn.Module], nn.Module], old: nn.Module, name: str) -> nn.Module:
    try:
        new = build(old)
    except (TypeError, ValueError) as error:
        raise InterfaceMismatch(
            f"swap: slot {name!r} holds {old}; the replacement can't be built like it: {error}"
        ) from error
    if not isinstance(new, nn.Module):
        raise TypeError(f"swap: the replacement for slot {name!r} must be a torch.nn.Module, got {type(new).__name__}.")
    return new


def _place(new: nn.Module, old: nn.Module) -> None:
    """Give the new part the device and training mode of the old one, and its frozen state if it was frozen."""
    new.train(old.training)
    parameter = next(old.parameters(), None)
    if parameter is not None:
        new.to(parameter.device)
        if not any(each.requires_grad for each in old.parameters()):
            new.requires_grad_(False)


def _check_interface(new: nn.Module, probe: _Probe, slot: Slot) -> bool:
    """Refuse a part that does not fit; whether its output is wholly like that of the old one."""
    mode = new.training
    try:
        with torch.no_grad():
            output = new.eval()(*probe.args, **probe.kwargs)
    except Exception as error:
        raise InterfaceMismatch(
            f"swap: slot {slot.name!r} is given {_shape_text(probe.args)}, but {type(new).__name__} refuses it: {error}"
        ) from error
    finally:
        new.train(mode)
    group = group_of(slot.module)
    promised = group.promised if group is not None else lambda whole: whole
    if _signature(promised(output)) != _signature(promised(probe.output)):
        raise InterfaceMismatch(
            f"swap: slot {slot.name!r} maps {_shape_text(probe.args)} to {_shape_text(probe.output)} "
            f"({type(slot.module).__name__}), but {type(new).__name__} gives {_shape_text(output)}. "
            "Build the part with the slot's sizes, for example by its class method `like`."
        )
    return bool(_signature(output) == _signature(probe.output))


def _check_model(model: nn.Module, slots: Sequence[Slot], example: Any) -> None:
    """Refuse parts with whose output the model can't do what it does with that of the old ones."""
    with torch.no_grad(), isolated(0, "probe"):
        try:
            copy.deepcopy(model).eval()(*_inputs(example))
        except Exception as error:
            names = ", ".join(repr(slot.name) for slot in slots)
            raise InterfaceMismatch(
                f"swap: the model must take what the new part in {names} gives, got {error}. Its states differ from "
                "those of the old one: take a part with the same, or let the model use outputs alone."
            ) from error


def _signature(value: Any) -> Any:
    if isinstance(value, Tensor):
        return (tuple(value.shape), value.dtype, value.device)
    if isinstance(value, list | tuple):
        return tuple(_signature(each) for each in value)
    if isinstance(value, Mapping):
        return {name: _signature(each) for name, each in value.items()}
    return type(value)


def _shape_text(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"{tuple(value.shape)} {str(value.dtype).removeprefix('torch.')} on {value.device}"
    if isinstance(value, list | tuple):
        return ", ".join(_shape_text(each) for each in value)
    return type(value).__name__
