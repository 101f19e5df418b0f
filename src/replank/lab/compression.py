"""Put factorised convolutions in the place of a model's own ones, and say what that saves."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, get_args

import pandas as pd
import torch
from torch import Tensor, nn

from replank.errors import SlotError, UsageError
from replank.measure.evaluation import evaluating
from replank.measure.macs import conv_macs
from replank.measure.parameters import count_parameters
from replank.parts.convolution.depthwise_separable import DepthwiseSeparableConv2d
from replank.parts.convolution.depthwise_separable_3d import DepthwiseSeparableConv3d
from replank.parts.convolution.separable_filters import SeparableFilterConv2d
from replank.parts.convolution.separable_filters_1d import SeparableFilterConv1d
from replank.parts.convolution.separable_filters_3d import SeparableFilterConv3d
from replank.slots import swap

Mode = Literal["rank1", "cp", "spatial", "depthwise_separable"]
Convolution = nn.Conv1d | nn.Conv2d | nn.Conv3d
Predicate = Callable[[str, Convolution], bool]

_ONE_WAY: dict[type[nn.Module], Any] = {
    nn.Conv1d: SeparableFilterConv1d,
    nn.Conv2d: SeparableFilterConv2d,
    nn.Conv3d: SeparableFilterConv3d,
}
_DEPTHWISE: dict[type[nn.Module], Any] = {nn.Conv2d: DepthwiseSeparableConv2d, nn.Conv3d: DepthwiseSeparableConv3d}


@dataclass(frozen=True)
class Replaced:
    """A model with other convolutions, and what they save.

    Args:
        model: the new one.
        layers: one row a layer that was replaced, by name: ``parameters_before``, ``parameters_after``,
            ``macs_before``, ``macs_after`` and, of projected layers, ``projection_error``, the relative error of the
            kernel in the Frobenius norm.
        parameters_before: of the whole model.
        parameters_after: likewise.
        macs_before: multiply-adds of the replaced layers, for one sample.
        macs_after: likewise.
    """

    model: nn.Module
    layers: pd.DataFrame
    parameters_before: int
    parameters_after: int
    macs_before: int
    macs_after: int

    def __str__(self) -> str:
        return (
            f"{self.layers.to_string()}\n{len(self.layers)} layers replaced: parameters of the model "
            f"{self.parameters_before:,} -> {self.parameters_after:,}, multiply-adds of these layers "
            f"{self.macs_before:,} -> {self.macs_after:,}"
        )


def wide_enough(name: str, conv: Convolution) -> bool:
    """Whether a convolution has a window larger than one, eight input channels or more, and one group."""
    return max(conv.kernel_size) > 1 and conv.in_channels >= 8 and conv.groups == 1


def replace_convolutions(
    model: nn.Module,
    predicate: Predicate = wide_enough,
    mode: Mode = "rank1",
    rank: int | None = None,
    *,
    example: Tensor | tuple[Tensor, ...],
    project: bool = False,
    seed: int = 0,
) -> Replaced:
    """A copy of the model with factorised convolutions in the place of those that a predicate chooses.

    Args:
        model: left as it is.
        predicate: from a convolution's name and itself to whether it is replaced.
        mode: ``"rank1"``, ``"cp"``, ``"spatial"`` or ``"depthwise_separable"``.
        rank: of ``"cp"``, or the channels in the middle of ``"spatial"``.
        example: one input of the model, which says how large each layer's images are.
        project: whether the new layers begin as the nearest ones to the old, rather than anew.
        seed: of the new layers' initial values.

    Raises:
        UsageError: no such mode.
        SlotError: no convolution is chosen.
        InterfaceMismatch: a layer can't be replaced: it has groups, or the rank does not fit the mode.
    """
    if mode not in get_args(Mode):
        raise UsageError(f"replace_convolutions: `mode` must be one of {', '.join(get_args(Mode))}, got mode={mode!r}.")
    names = [
        name for name, module in model.named_modules() if isinstance(module, Convolution) and predicate(name, module)
    ]
    if not names:
        kinds = sorted({type(module).__name__ for module in model.modules()})
        raise SlotError(
            f"replace_convolutions: the predicate must choose a convolution, got none among {', '.join(kinds)}."
        )
    build = partial(_built, mode=mode, rank=rank, project=project)
    new = swap(model, names, build, example=example, seed=seed)
    sizes = _input_sizes(model, names, example)
    layers = pd.DataFrame.from_dict(
        {
            name: _row(model.get_submodule(name), new.get_submodule(name), sizes[name], project=project)
            for name in names
        },
        orient="index",
    )
    return Replaced(
        new,
        layers,
        count_parameters(model).total,
        count_parameters(new).total,
        int(layers["macs_before"].sum()),
        int(layers["macs_after"].sum()),
    )


def _built(old: nn.Module, *, mode: Mode, rank: int | None, project: bool) -> nn.Module:
    """The new layer for an old one."""
    if mode == "depthwise_separable":
        kind = _kind_for(old, _DEPTHWISE, mode)
        if rank is not None:
            raise ValueError(f"mode={mode!r} has no rank, got rank={rank}. Leave it out.")
        made = kind.from_dense(old) if project else kind.like(old)
    else:
        kind = _kind_for(old, _ONE_WAY, mode)
        made = kind.from_dense(old, mode, rank) if project else kind.like(old, mode=mode, rank=rank)
    assert isinstance(made, nn.Module)
    return made


def _kind_for(old: nn.Module, kinds: dict[type[nn.Module], Any], mode: Mode) -> Any:
    for layer, kind in kinds.items():
        if isinstance(old, layer):
            return kind
    raise TypeError(f"mode={mode!r} has no layer for {type(old).__name__}. Choose other layers by the predicate.")


def _row(old: Any, new: Any, size: Sequence[int], *, project: bool) -> dict[str, float]:
    row: dict[str, float] = {
        "parameters_before": count_parameters(old).total,
        "parameters_after": count_parameters(new).total,
        "macs_before": conv_macs(old, size),
        "macs_after": conv_macs(new, size),
    }
    if project:
        kernel = old.weight.detach()
        row["projection_error"] = float((new.weight_tensor().detach() - kernel).norm() / kernel.norm())
    return row


def _input_sizes(
    model: nn.Module, names: Sequence[str], example: Tensor | tuple[Tensor, ...]
) -> dict[str, tuple[int, ...]]:
    """How large the images are that each layer sees first."""
    twin = copy.deepcopy(model)
    sizes: dict[str, tuple[int, ...]] = {}

    for name in names:

        def note(module: Any, inputs: tuple[Tensor, ...], name: str = name) -> None:
            sizes.setdefault(name, tuple(inputs[0].shape[-len(module.kernel_size) :]))

        twin.get_submodule(name).register_forward_pre_hook(note)
    with evaluating(twin), torch.no_grad():
        twin(*(example if isinstance(example, tuple) else (example,)))
    return sizes
