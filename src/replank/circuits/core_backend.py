"""Programs on the compiled core: values, and exact gradients by uncomputing the state on the way back.

The backward pass keeps the final state only, whatever the depth; steps that can't be undone (post-selection, channels)
keep one more copy each. Derivatives of derivatives ask the torch backend.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function

from replank.circuits import core, torch_backend
from replank.circuits.program import Condition, Dense, Masked, Phases, Program, Projection, Rotation, Rotations
from replank.circuits.second_order import second_order
from replank.circuits.slots import Slots
from replank.circuits.torch_backend import Output

core.require()
from replank.circuits import _core  # noqa: E402  torch comes first: see core.py

Layout = Literal["samples", "amplitudes"]
"""What lies in a vector: one amplitude of several samples, or several amplitudes of one sample."""

_OUTPUTS = {"expectations": 0, "probabilities": 1, "state": 2}
_KINDS = {Phases: 0, Rotations: 1, Dense: 2, Projection: 3}
_LETTERS = {"X": 0, "Y": 1, "Z": 2}
_MOST_QUBITS_BY_SAMPLES = 9
"""From here on a tile of 16 samples no longer fits the second-level cache: a sample alone does."""


class CoreProgram:
    """A program in the core's memory.

    Args:
        program: what is run.
        slots: its angles.
        output: what is wanted of it.
        prepared: whether the lines begin in a given state.
    """

    def __init__(self, program: Program, slots: Slots, output: Output, *, prepared: bool):
        self.program, self.slots, self.output, self.n = program, slots, output, program.n
        self.kind = _OUTPUTS[output if isinstance(output, str) else "expectations"]
        self.n_strings = 0 if isinstance(output, str) else len(output)
        self.handle = _core.Program(**_describe(program, slots, output, prepared=prepared))

    def layout(self, batch: int, n_groups: int, single: bool) -> Layout:
        """The faster layout: samples in the lanes if there are enough of them and their states fit the cache."""
        lanes = _lanes(single)
        if 2**self.n < lanes:
            return "samples"
        return "samples" if self.n <= _MOST_QUBITS_BY_SAMPLES and 2 * batch >= lanes else "amplitudes"

    def out_shape(self, n_groups: int, batch: int) -> tuple[int, ...]:
        """Shape of the output as real numbers."""
        return {
            0: (n_groups, batch, self.n_strings),
            1: (n_groups, batch, 2**self.n),
            2: (n_groups, batch, 2**self.n, 2),
        }[self.kind]

    def run_torch(self, features: Tensor, parameters: Tensor, initial: Tensor | None) -> Tensor:
        """The same by torch; amplitudes as pairs of real numbers."""
        given = None if initial is None else torch.view_as_complex(initial)
        result = torch_backend.run(self.program, self.slots, features, parameters, given, self.output)
        return torch.view_as_real(result) if self.kind == 2 else result


@lru_cache(maxsize=None)
def _lanes(single: bool) -> int:
    return _core.lanes(single)


def run(
    compiled: CoreProgram, features: Tensor, parameters: Tensor, initial: Tensor | None, layout: Layout | None
) -> Tensor:
    """Run a program on the core.

    Shape: as :func:`replank.circuits.torch_backend.run`, whose result it equals.
    """
    given = None if initial is None else torch.view_as_real(initial)
    needs_gradient = torch.is_grad_enabled() and any(
        tensor is not None and tensor.requires_grad for tensor in (features, parameters, given)
    )
    out, _ = _Run.apply(features, parameters, given, compiled, layout, needs_gradient)  # type: ignore[no-untyped-call]
    return torch.view_as_complex(out) if compiled.kind == 2 else out


def _plain(tensor: Tensor) -> Tensor:
    return tensor.detach().resolve_neg().contiguous()


class _Run(Function):
    """The output, and the states that the backward pass begins with."""

    @staticmethod
    def forward(
        features: Tensor,
        parameters: Tensor,
        initial: Tensor | None,
        compiled: CoreProgram,
        layout: Layout | None,
        needs_gradient: bool,
    ) -> tuple[Tensor, Tensor]:
        n_groups, batch, single = _sizes(features, parameters, initial)
        inside = (layout or compiled.layout(batch, n_groups, single)) == "amplitudes"
        out = features.new_empty(compiled.out_shape(n_groups, batch))
        per_group = compiled.handle.saved_size(batch, single, inside) if needs_gradient else 0
        saved = features.new_empty(n_groups, per_group)
        compiled.handle.forward(
            _plain(features),
            _plain(parameters),
            None if initial is None else _plain(initial),
            out,
            saved if needs_gradient else None,
            compiled.kind,
            inside,
            torch.get_num_threads(),
        )
        return out, saved

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        features, parameters, initial, ctx.compiled, ctx.layout, _ = inputs
        ctx.mark_non_differentiable(output[1])
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(features, parameters, initial, output[1])

    @staticmethod
    def backward(ctx: Any, grad: Tensor | None, *_: Tensor) -> tuple[Tensor | None, ...]:
        if grad is None:
            return (None,) * 6
        features, parameters, initial, saved = ctx.saved_tensors
        gradients = _Gradient.apply(grad, features, parameters, initial, saved, ctx.compiled, ctx.layout)  # type: ignore[no-untyped-call]
        return (*gradients, None, None, None) if initial is not None else (*gradients, None, None, None, None)

    @staticmethod
    def vmap(info: Any, in_dims: Any, *arguments: Any) -> Any:
        tensors = _as_groups(info.batch_size, in_dims[:3], arguments[:3])
        return _as_batch(info.batch_size, _Run.apply(*tensors, *arguments[3:]))


class _Gradient(Function):
    """Gradients with respect to features, parameters, and the initial state if there is one."""

    @staticmethod
    def forward(
        grad: Tensor,
        features: Tensor,
        parameters: Tensor,
        initial: Tensor | None,
        saved: Tensor,
        compiled: CoreProgram,
        layout: Layout | None,
    ) -> tuple[Tensor, ...]:
        n_groups, batch, single = _sizes(features, parameters, initial)
        inside = (layout or compiled.layout(batch, n_groups, single)) == "amplitudes"
        grad_features = features.new_zeros(n_groups, batch, features.shape[-1])
        grad_parameters = parameters.new_zeros(n_groups, parameters.shape[-1])
        grad_initial = None if initial is None else initial.new_zeros(n_groups, *initial.shape[1:])
        compiled.handle.backward(
            _plain(features),
            _plain(parameters),
            None if initial is None else _plain(initial),
            _plain(grad),
            _plain(saved),
            grad_features,
            grad_parameters,
            grad_initial,
            compiled.kind,
            inside,
            torch.get_num_threads(),
        )
        gradients = [grad_features, grad_parameters] + ([] if grad_initial is None else [grad_initial])
        sources = [features, parameters] + ([] if initial is None else [initial])
        return tuple(_summed(each, source) for each, source in zip(gradients, sources, strict=True))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.compiled = inputs[5]
        ctx.save_for_backward(*inputs[:4])

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Tensor | None, ...]:
        grad, features, parameters, initial = ctx.saved_tensors
        if initial is None:

            def plain(features: Tensor, parameters: Tensor) -> Tensor:
                return ctx.compiled.run_torch(features, parameters, None)

            return (*second_order(plain, cotangents, grad, features, parameters), None, None, None, None)
        return (
            *second_order(ctx.compiled.run_torch, cotangents, grad, features, parameters, initial),
            None,
            None,
            None,
        )

    @staticmethod
    def vmap(info: Any, in_dims: Any, *arguments: Any) -> Any:
        tensors = _as_groups(info.batch_size, in_dims[:5], arguments[:5])
        return _as_batch(info.batch_size, _Gradient.apply(*tensors, *arguments[5:]))


def _sizes(features: Tensor, parameters: Tensor, initial: Tensor | None) -> tuple[int, int, bool]:
    n_groups = max(len(tensor) for tensor in (features, parameters, initial) if tensor is not None)
    return n_groups, features.shape[1], features.dtype == torch.float32


def _summed(gradient: Tensor, source: Tensor) -> Tensor:
    """The gradient of what all groups share is the sum over groups."""
    return gradient.sum(0, keepdim=True) if len(source) == 1 and len(gradient) > 1 else gradient


def _as_groups(size: int, in_dims: Any, tensors: Any) -> list[Tensor | None]:
    """What ``vmap`` maps over becomes further groups: the core takes them in one call."""
    n_groups = max(
        (x.shape[0] if dim is None else x.movedim(dim, 0).shape[1])
        for x, dim in zip(tensors, in_dims, strict=True)
        if x is not None
    )
    found: list[Tensor | None] = []
    for x, dim in zip(tensors, in_dims, strict=True):
        if x is None:
            found.append(None)
            continue
        mapped = x[None].expand(size, *x.shape) if dim is None else x.movedim(dim, 0)
        found.append(mapped.expand(size, n_groups, *mapped.shape[2:]).flatten(0, 1))
    return found


def _as_batch(size: int, outputs: tuple[Tensor, ...]) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
    return tuple(output.unflatten(0, (size, -1)) for output in outputs), (0,) * len(outputs)


# -- how a program is told to the core -----------------------------------------------------------------------------------


def _weight(string: Masked) -> tuple[int, int]:
    """The sign of a rotation's off-diagonal, and whether it is imaginary: see cpp/kernels.hpp."""
    imaginary = string.n_y % 2 == 0
    turned = string.n_y if imaginary else string.n_y - 1
    return (-1 if turned % 4 else 1) * string.sign, int(imaginary)


def _flat(conditions: tuple[Condition, ...]) -> list[int]:
    return [number for condition in conditions for number in (condition.mask, condition.value)]


def _describe(program: Program, slots: Slots, output: Output, *, prepared: bool) -> dict[str, Any]:
    start: list[list[int]] = []
    for line, turns in enumerate(program.start):
        start += [[line, _LETTERS[letter], len(start) + index] for index, (letter, _) in enumerate(turns)]
    tables: dict[type, list[list[int]]] = {Phases: [], Rotations: [], Dense: [], Projection: []}
    steps, matrices = [], []
    slot, n_checkpoints = len(start), 0
    for step in program.steps:
        table = tables[type(step)]
        first, checkpoint = len(table), -1
        match step:
            case Phases(terms):
                table += [[mask, slot + index] for index, mask in enumerate(terms)]
                slot += len(terms)
            case Rotations(rotations):
                table += [_rotation_row(rotation, slot + index) for index, rotation in enumerate(rotations)]
                slot += len(rotations)
            case Dense(flips, reads, matrix, is_unitary):
                masks, values = [read.mask for read in reads], [read.value for read in reads]
                table.append([int(is_unitary), *flips, *masks, *values])
                matrices.append(np.ascontiguousarray(matrix).view(np.float64).ravel().tolist())
                checkpoint = -1 if is_unitary else n_checkpoints
            case Projection(condition):
                table.append(_flat((condition,)))
                checkpoint = n_checkpoints
        n_checkpoints += checkpoint >= 0
        steps.append([_KINDS[type(step)], first, len(table) - first, checkpoint])
    row_begins, sources, coefficients = slots.rows
    positions = torch_backend.position_bits(program.frame)
    strings = () if isinstance(output, str) else output
    return {
        "n": program.n,
        "has_start": not prepared,
        "start": start,
        "steps": steps,
        "rotations": tables[Rotations],
        "phases": tables[Phases],
        "dense": tables[Dense],
        "matrices": matrices,
        "projections": tables[Projection],
        "strings": [[string.x, string.z, *_weight(string)] for string in strings],
        "places": positions,
        "per_sample": slots.per_sample.tolist(),
        "constants": slots.constants.tolist(),
        "row_begins": row_begins.tolist(),
        "sources": sources.tolist(),
        "coefficients": coefficients.tolist(),
    }


def _rotation_row(rotation: Rotation, slot: int) -> list[int]:
    string = rotation.string
    return [string.x, string.z, *_weight(string), slot, *_flat(rotation.conditions)]
