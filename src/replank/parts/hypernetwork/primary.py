"""The network whose parameters are predicted: it is called with parameters, and has none of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from replank.errors import UnknownName

Shape = tuple[int, ...]


@dataclass(frozen=True)
class _NeedsParameters:
    """Refuses to run a module whose released parameters have not been given."""

    shapes: Mapping[str, Shape]

    def __call__(self, module: nn.Module, args: Any) -> None:
        for name in self.shapes:
            path, _, last = name.rpartition(".")
            if getattr(module.get_submodule(path), last) is None:
                raise RuntimeError(
                    f"{type(module).__name__}: its parameters are predicted by a hypernetwork, got none for {name!r}. "
                    "Call functional_primary(primary, params, x)."
                )


def check_predictable(primary: nn.Module) -> None:
    """Refuse parameters that can't be predicted one by one.

    Raises:
        ValueError: there are none, two names share a parameter, or a shape is not known yet.
    """
    seen: dict[int, str] = {}
    for name, parameter in primary.named_parameters(remove_duplicate=False):
        if is_lazy(parameter):
            raise ValueError(
                f"HyperNetwork: the primary network's shapes must be known, got the lazy parameter {name!r}. Run "
                "it once first."
            )
        if id(parameter) in seen:
            raise ValueError(
                f"HyperNetwork: the primary network must not tie parameters, got {name!r} tied to "
                f"{seen[id(parameter)]!r}. Untie them first."
            )
        seen[id(parameter)] = name
    if not seen:
        raise ValueError(f"HyperNetwork: the primary network must have parameters, got {type(primary).__name__}.")


def release_parameters(primary: nn.Module, names: Iterable[str]) -> nn.Module:
    """Take parameters out of a module that is given them with each call; in place.

    They are then neither counted nor trained, stored or moved, and the module refuses to run without them. Buffers,
    such as the running averages of batch normalisation, stay with it.

    Args:
        primary: the module.
        names: of the parameters.

    Raises:
        UnknownName: it has no such parameter.
    """
    parameters = dict(primary.named_parameters())
    shapes = {}
    for name in names:
        if name not in parameters:
            raise UnknownName("parameter of the primary network", name, parameters)
        shapes[name] = tuple(parameters[name].shape)
        path, _, last = name.rpartition(".")
        primary.get_submodule(path).register_parameter(last, None)
    primary.register_forward_pre_hook(_NeedsParameters(shapes))
    return primary


def functional_primary(primary: nn.Module, params: Mapping[str, Tensor], x: Any) -> Any:
    """The primary network's output with these parameters: :func:`torch.func.functional_call` with a strict check.

    Its own parameters and buffers stay as they were, also if it raises; what it does to its *buffers* in training mode,
    such as updating running averages, it does to its own.

    Args:
        primary: any module. If parameters were released, exactly those must be given; else all of them.
        params: by name, of the parameters' own shapes; for a batch of them see :func:`batched_primary`.
        x: its input, a single argument.

    Raises:
        ValueError: missing or unexpected names, or another shape.
    """
    required = _required(primary)
    missing, unexpected = sorted(required.keys() - params.keys()), sorted(params.keys() - required.keys())
    if missing or unexpected:
        raise ValueError(
            f"functional_primary: `params` must be those of {type(primary).__name__}, got missing={missing}, "
            f"unexpected={unexpected}."
        )
    for name, shape in required.items():
        if tuple(params[name].shape) != shape:
            raise ValueError(
                f"functional_primary: {name!r} must have shape {shape}, got {tuple(params[name].shape)}. For a "
                "batch of parameters call batched_primary."
            )
    return torch.func.functional_call(primary, dict(params), (x,))


def batched_primary(primary: nn.Module, params: Mapping[str, Tensor], x: Tensor) -> Any:
    """Each input through the network with parameters of its own.

    Shape: params ``(B, *shape)``, ``x`` ``(B, ...)``; outputs ``(B, ...)``. The network sees batches of one.

    Raises:
        ValueError: batch normalisation in training mode, whose averages several networks would share; batch sizes that
            differ; what :func:`functional_primary` refuses.
    """
    for name, module in primary.named_modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.training:
            raise ValueError(
                f"batched_primary: batch normalisation must be in evaluation mode, got {name!r} in training mode: "
                "several networks can't share its averages. Call .eval(), or take another normalisation."
            )
    sizes = {name: len(each) for name, each in params.items() if each.ndim}
    if set(sizes.values()) != {len(x)}:
        raise ValueError(f"batched_primary: there must be parameters for each of {len(x)} inputs, got {sizes}.")

    def one(own: dict[str, Tensor], sample: Tensor) -> Any:
        return functional_primary(primary, own, sample[None])[0]

    return torch.func.vmap(one)(dict(params), x)


def _required(primary: nn.Module) -> Mapping[str, Shape]:
    released = [hook for hook in primary._forward_pre_hooks.values() if isinstance(hook, _NeedsParameters)]
    if released:
        return {name: shape for hook in released for name, shape in hook.shapes.items()}
    return {name: tuple(parameter.shape) for name, parameter in primary.named_parameters()}
