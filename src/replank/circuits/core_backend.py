"""Programs on the compiled core: values, and exact gradients by uncomputing the state on the way back.

The backward pass keeps the final state only, whatever the depth; steps that can't be undone (post-selection, channels)
keep one more copy each. Derivatives of derivatives ask the torch backend.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function
from torch.utils.dlpack import to_dlpack  # type: ignore[attr-defined]  # C++'s own, re-exported

from replank.circuits import core, torch_backend
from replank.circuits.cost import flops
from replank.circuits.finite import NOT_FINITE
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
_MOST_QUBITS_BY_SAMPLES = 10
"""Above, a tile of samples with its dual no longer fits half of a second-level cache, but a sample alone does."""

_TABLE_BYTES, _MOST_TABLE_BYTES = 72, 2**21
"""With samples in the lanes, each diagonal step keeps so many bytes an amplitude. Beyond the other number, memory would
grow with a circuit's depth: amplitudes go into the lanes, where tables can be done without."""

_FLOPS_OF_A_THREAD = 1_000_000
"""About 20 microseconds: a thread that is woken for less costs more than it brings, above all on a busy machine."""


class CoreProgram:
    """A program in the core's memory. It can be pickled and copied: the memory is filled again.

    Args:
        program: what is run.
        slots: its angles.
        output: what is wanted of it.
        prepared: whether the lines begin in a given state.
    """

    def __init__(self, program: Program, slots: Slots, output: Output, *, prepared: bool):
        self.program, self.slots, self.output, self.prepared = program, slots, output, prepared
        self.kind = _OUTPUTS[output if isinstance(output, str) else "expectations"]
        self.handle = _core.Program(**_describe(program, slots, output, prepared=prepared))
        self._n_diagonal = sum(isinstance(step, Phases) for step in program.steps)
        self._flops = max(flops(program, 0 if isinstance(output, str) else len(output)))

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (self.program, self.slots, self.output, self.prepared)

    def layout(self, batch: int, *, single: bool) -> Layout:
        """The faster layout: samples in the lanes if there are enough of them and their states fit the cache."""
        n, lanes = self.program.n, _core.lanes(single)
        if 2**n < lanes:
            return "samples"
        fits = n <= _MOST_QUBITS_BY_SAMPLES and self._n_diagonal * 2**n * _TABLE_BYTES <= _MOST_TABLE_BYTES
        return "samples" if fits and 2 * batch >= lanes else "amplitudes"

    def threads(self, rows: int) -> int:
        """How many of torch's threads are worth while for so many samples in all groups."""
        return max(1, min(_n_threads(), rows * self._flops // _FLOPS_OF_A_THREAD))

    def out_shape(self, n_groups: int, batch: int) -> tuple[int, ...]:
        """Shape of the output as real numbers."""
        if self.kind == _OUTPUTS["expectations"]:
            return n_groups, batch, len(self.output)
        amplitudes = (n_groups, batch, 2**self.program.n)
        return (*amplitudes, 2) if self.kind == _OUTPUTS["state"] else amplitudes

    def run_torch(self, features: Tensor, parameters: Tensor, initial: Tensor | None = None) -> Tensor:
        """The same by torch; amplitudes as pairs of real numbers."""
        given = None if initial is None else torch.view_as_complex(initial)
        result = torch_backend.run(self.program, self.slots, features, parameters, given, self.output)
        return torch.view_as_real(result) if self.kind == _OUTPUTS["state"] else result


def _rebuilt(program: Program, slots: Slots, output: Output, prepared: bool) -> CoreProgram:
    return CoreProgram(program, slots, output, prepared=prepared)


def run(
    compiled: CoreProgram,
    features: Tensor,
    parameters: Tensor,
    initial: Tensor | None,
    layout: Layout | None = None,
) -> Tensor:
    """Run a program on the core.

    Shape: as :func:`replank.circuits.torch_backend.run`, whose result it equals.

    Args:
        compiled: the program.
        features: with the sources that its slots derive.
        parameters: likewise.
        initial: amplitudes that the lines begin in, if the program wants them.
        layout: what lies in a vector; the faster one if not given.

    Raises:
        ValueError: an angle is NaN or infinite.
    """
    given = None if initial is None else torch.view_as_real(initial)
    single = features.dtype == torch.float32
    chosen = compiled.layout(features.shape[1], single=single) if layout is None else layout
    keeps_states = _need_gradients(features, parameters, given)
    out = _apply(_Run, features, parameters, given, compiled, chosen == "amplitudes", keeps_states)[0]
    return torch.view_as_complex(out) if compiled.kind == _OUTPUTS["state"] else out


def _need_gradients(*tensors: Tensor | None) -> bool:
    return torch.is_grad_enabled() and any(tensor is not None and tensor.requires_grad for tensor in tensors)


def _apply(function: type[Function], *arguments: Any) -> Any:
    """``function.apply``, which asks ``inspect`` for the signature of ``forward`` at every call (50 us).

    Only the transforms of ``torch.func`` have a use for that.
    """
    if torch._C._are_functorch_transforms_active():
        return function.apply(*arguments)  # type: ignore[no-untyped-call]
    return super(Function, function).apply(*arguments)  # type: ignore[misc]


def _border(tensor: Tensor | None) -> Any:
    """A tensor as the core takes it: its own memory, contiguous, with no bits of torch's that the core can't see."""
    return None if tensor is None else to_dlpack(tensor.detach().resolve_neg().contiguous())


class _Run(Function):
    """The output, and the states that the backward pass begins with."""

    @staticmethod
    def forward(
        features: Tensor,
        parameters: Tensor,
        initial: Tensor | None,
        compiled: CoreProgram,
        inside: bool,
        keeps_states: bool,
    ) -> tuple[Tensor, Tensor]:
        n_groups, batch = _n_groups(features, parameters, initial), features.shape[1]
        single = features.dtype == torch.float32
        out = features.new_empty(compiled.out_shape(n_groups, batch))
        saved = features.new_empty(n_groups, compiled.handle.saved_size(batch, single, inside) if keeps_states else 0)
        with _finite_angles():
            compiled.handle.forward(
                _border(features),
                _border(parameters),
                _border(initial),
                to_dlpack(out),
                to_dlpack(saved) if keeps_states else None,
                compiled.kind,
                inside,
                compiled.threads(n_groups * batch),
            )
        return out, saved

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        features, parameters, initial, ctx.compiled, ctx.inside, _ = inputs
        ctx.mark_non_differentiable(output[1])
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(features, parameters, initial, output[1])

    @staticmethod
    def backward(ctx: Any, grad: Tensor | None, *_: Tensor) -> tuple[Tensor | None, ...]:
        if grad is None:
            return (None,) * 6
        arguments = (grad, *ctx.saved_tensors, ctx.compiled, ctx.inside)
        # the gradient's own graph is needed for derivatives of derivatives only
        is_last = not torch.is_grad_enabled() and not torch._C._are_functorch_transforms_active()
        gradients = _Gradient.forward(*arguments) if is_last else _apply(_Gradient, *arguments)
        return (*gradients, *(None,) * (6 - len(gradients)))

    @staticmethod
    def vmap(info: Any, in_dims: Any, *arguments: Any) -> Any:
        tensors = _as_groups(info.batch_size, in_dims[:3], arguments[:3])
        compiled, inside, keeps_states = arguments[3:]
        keeps_states = keeps_states or _need_gradients(*tensors)  # which tensors hide while vmap maps over them
        return _as_batch(info.batch_size, _apply(_Run, *tensors, compiled, inside, keeps_states))


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
        inside: bool,
    ) -> tuple[Tensor, ...]:
        n_groups = _n_groups(features, parameters, initial)
        sources = [features, parameters] if initial is None else [features, parameters, initial]
        gradients = [torch.zeros(n_groups, *each.shape[1:], dtype=each.dtype) for each in sources]
        compiled.handle.backward(
            _border(features),
            _border(parameters),
            _border(initial),
            _border(grad),
            _border(saved),
            to_dlpack(gradients[0]),
            to_dlpack(gradients[1]),
            to_dlpack(gradients[2]) if len(gradients) > 2 else None,
            compiled.kind,
            inside,
            compiled.threads(n_groups * features.shape[1]),
        )
        return tuple(_summed(each, source) for each, source in zip(gradients, sources, strict=True))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.compiled = inputs[5]
        ctx.save_for_backward(*inputs[:4])

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Tensor | None, ...]:
        grad, *sources = (tensor for tensor in ctx.saved_tensors if tensor is not None)
        gradients = second_order(ctx.compiled.run_torch, cotangents, grad, *sources)
        return (*gradients, *(None,) * (7 - len(gradients)))

    @staticmethod
    def vmap(info: Any, in_dims: Any, *arguments: Any) -> Any:
        tensors = _as_groups(info.batch_size, in_dims[:5], arguments[:5])
        return _as_batch(info.batch_size, _apply(_Gradient, *tensors, *arguments[5:]))


@contextmanager
def _finite_angles() -> Iterator[None]:
    try:
        yield
    except ArithmeticError:
        raise ValueError(NOT_FINITE) from None


_is_forked = False


def _n_threads() -> int:
    """As many as torch's, but for a forked process: the threads that OpenMP remembers there were not forked with it."""
    return 1 if _is_forked else torch.get_num_threads()


def _note_the_fork() -> None:
    global _is_forked
    _is_forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_the_fork)


def _n_groups(features: Tensor, parameters: Tensor, initial: Tensor | None) -> int:
    return max(features.shape[0], parameters.shape[0], 1 if initial is None else initial.shape[0])


def _summed(gradient: Tensor, source: Tensor) -> Tensor:
    """The gradient of what all groups share is the sum over groups."""
    return gradient.sum(0, keepdim=True) if source.shape[0] == 1 and gradient.shape[0] > 1 else gradient


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
    return tuple(each.reshape(size, len(each) // size, *each.shape[1:]) for each in outputs), (0,) * len(outputs)


# -- how a program is told to the core ---------------------------------------------------------------------------------


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
                matrices.append(np.ascontiguousarray(matrix, np.complex128).view(np.float64).ravel().tolist())
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
