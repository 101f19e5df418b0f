"""The contract of the group *recurrent*: what is replaced, what goes in and out, and what a state is."""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import Any, ClassVar, Literal, Self

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from replank.circuits.finite import require_finite
from replank.parts._input import check_dtype
from replank.parts.part import Part

__all__ = ["RecurrentPart", "State"]

State = Tensor | tuple[Tensor, ...]
"""What is handed from one step to the next: one tensor, or several in a tuple, as of :class:`torch.nn.LSTM`."""

States = tuple[Tensor, ...]
"""The same always as a tuple, of tensors ``(B, *)``."""

Unroll = Callable[[Tensor, States], tuple[Tensor, States]]


class RecurrentPart(Part):
    """A part that can stand where a :class:`torch.nn.RNN`, :class:`torch.nn.GRU` or :class:`torch.nn.LSTM` stands.

    Its constructor begins like theirs, ``(input_size, hidden_size, num_layers=1, bias=True, batch_first=False,
    dropout=0.0, bidirectional=False, *, ...)``, and ends with ``device=None, dtype=None``. There is one layer in one
    direction: several are a chain of parts.

    Called as they are, ``part(input, hx) -> (output, h_n)``. Shape: ``(T, B, input_size) -> (T, B, hidden_size)``, with
    ``B`` first if ``batch_first``, or both without ``B``; same dtype and device. A state is one tensor
    ``(1, B, *)`` or a tuple of several, with the shapes that :meth:`state_shapes` says; it is zeros if not given, and
    what comes back as ``h_n`` goes on where the sequence ended. The output at t depends on inputs up to t alone.
    """

    num_layers: ClassVar[Literal[1]] = 1
    dropout: ClassVar[float] = 0.0
    bidirectional: ClassVar[Literal[False]] = False
    proj_size: ClassVar[Literal[0]] = 0

    input_size: int
    hidden_size: int
    bias: bool
    batch_first: bool

    @classmethod
    def like(cls, old: nn.Module, **options: Any) -> Self:
        """A part with the sizes, layout, device and dtype of a recurrent layer or of another recurrent part.

        Outputs are alike; states need not be, as those of an LSTM and of a GRU are not.

        Raises:
            TypeError: ``old`` is neither.
            ValueError: it has several layers, two directions, dropout or a projection.
        """
        return cls(**interface(old, cls.__name__), **options)

    @abc.abstractmethod
    def state_shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shape of each tensor of one sequence's state."""

    @abc.abstractmethod
    def unroll(self, input: Tensor, state: States) -> tuple[Tensor, States]:
        """Run over time.

        Shape: ``input`` ``(T, B, input_size)`` with T at least 1, tensors of the state ``(B, *)``; the same comes out,
        with ``hidden_size`` features.
        """

    @abc.abstractmethod
    def slow_unroll(self, input: Tensor, state: States) -> tuple[Tensor, States]:
        """The same by another, slower and more obvious way."""

    def forward(self, input: Tensor, hx: State | None = None) -> tuple[Tensor, State]:
        """Run over time, from the state ``hx``, or from zeros."""
        self._check_input(input)
        if torch.is_autocast_enabled(input.device.type):
            # what is handed on from step to step needs more digits than half precision has
            own = next(self.parameters()).dtype.to_real()
            with torch.autocast(input.device.type, enabled=False):
                return self._in_layout(self.unroll, input.to(own), _map(hx, lambda each: each.to(own)))
        return self._in_layout(self.unroll, input, hx)

    def reference(self, input: Tensor) -> Tensor:
        """The outputs, by :meth:`slow_unroll`."""
        return self._in_layout(self.slow_unroll, input, None)[0]

    def flatten_parameters(self) -> None:
        """Nothing: models call it on recurrent layers, whose weights a GPU wants in one piece."""

    def _set_interface(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
    ) -> None:
        """Store and check what the part has in common with the layer it replaces."""
        name = type(self).__name__
        for size, value in (("input_size", input_size), ("hidden_size", hidden_size)):
            if value < 1:
                raise ValueError(f"{name}: `{size}` must be a positive integer, got {size}={value}.")
        if num_layers != 1:
            raise ValueError(f"{name}: there is one layer, got num_layers={num_layers}. Chain as many parts.")
        if dropout:
            raise ValueError(
                f"{name}: dropout is between layers and there is one, got dropout={dropout}. Put nn.Dropout behind it."
            )
        if bidirectional:
            raise ValueError(
                f"{name}: there is one direction, got bidirectional={bidirectional}. Run a second part on the reversed "
                "sequence."
            )
        self.input_size, self.hidden_size, self.bias, self.batch_first = input_size, hidden_size, bias, batch_first

    def _check_input(self, input: Tensor) -> None:
        """Refuse what a recurrent layer would refuse, in words.

        Raises:
            ValueError: another number of dimensions or features, or no step at all.
            TypeError: a packed sequence, or not a floating-point tensor of the parameters' dtype.
        """
        name = type(self).__name__
        if isinstance(input, PackedSequence):
            raise TypeError(
                f"{name}: input must be a tensor, got a PackedSequence. Unpack it with pad_packed_sequence and take "
                "each sequence's output at its own length: padding behind it changes nothing before."
            )
        shape = tuple(input.shape)
        time = 1 if self.batch_first and input.ndim == 3 else 0
        if input.ndim not in (2, 3) or shape[-1] != self.input_size or not shape[time]:
            layout = "(B, T, F) or (T, F)" if self.batch_first else "(T, B, F) or (T, F)"
            raise ValueError(
                f"{name}: input must be {layout} with F = input_size={self.input_size} and at least one step, got "
                f"shape {shape}."
            )
        check_dtype(self, input)

    def _in_layout(self, unroll: Unroll, input: Tensor, hx: State | None) -> tuple[Tensor, State]:
        """Time first and a batch inside, the caller's layout outside."""
        turned, is_batch = self.batch_first and input.ndim == 3, input.ndim == 3
        steps = input.transpose(0, 1) if turned else input if is_batch else input.unsqueeze(1)
        steps = require_finite(steps, f"{type(self).__name__}: input must be finite, got NaN or infinity.")
        outputs, state = unroll(steps, self._taken(hx, steps, is_batch))
        outputs = outputs.transpose(0, 1) if turned else outputs if is_batch else outputs.squeeze(1)
        handed = tuple(each.unsqueeze(0) if is_batch else each for each in state)
        return outputs, handed[0] if len(handed) == 1 else handed

    def _taken(self, hx: State | None, steps: Tensor, is_batch: bool) -> States:
        """The state as tensors ``(B, *)``.

        Raises:
            TypeError: not as many tensors as the part has, or of another dtype.
            ValueError: of other shapes, or not finite.
        """
        name, shapes, n_rows = type(self).__name__, self.state_shapes(), steps.shape[1]
        if hx is None:
            return tuple(steps.new_zeros(n_rows, *shape) for shape in shapes)
        given = (hx,) if isinstance(hx, Tensor) else hx
        if len(given) != len(shapes) or isinstance(hx, Tensor) != (len(shapes) == 1):
            wanted = "a tensor" if len(shapes) == 1 else f"a tuple of {len(shapes)} tensors"
            got = "a tensor" if isinstance(hx, Tensor) else f"a {type(hx).__name__} of {len(given)}"
            raise TypeError(f"{name}: `hx` must be {wanted}, got {got}. Another part's state does not fit.")
        for each, shape in zip(given, shapes, strict=True):
            expected = (1, n_rows, *shape) if is_batch else (1, *shape)
            if tuple(each.shape) != expected:
                raise ValueError(
                    f"{name}: `hx` must hold a tensor of shape {expected} for this input, got {tuple(each.shape)}."
                )
            check_dtype(self, each, "hx")
        message = f"{name}: `hx` must be finite, got NaN or infinity."
        return tuple(require_finite(each.squeeze(0) if is_batch else each, message) for each in given)

    def extra_repr(self) -> str:
        """The constructor's common arguments."""
        return f"{self.input_size}, {self.hidden_size}, bias={self.bias}, batch_first={self.batch_first}"


def _map(state: State | None, function: Callable[[Tensor], Tensor]) -> State | None:
    if state is None:
        return None
    return function(state) if isinstance(state, Tensor) else tuple(map(function, state))


def interface(old: nn.Module, asker: str) -> dict[str, Any]:
    """The constructor arguments that a recurrent layer or part has in common with its replacement."""
    if not isinstance(old, nn.RNNBase | RecurrentPart):
        raise TypeError(f"{asker}.like: needs an nn.RNN, nn.GRU, nn.LSTM or RecurrentPart, got {type(old).__name__}.")
    if old.proj_size:
        raise ValueError(
            f"{asker}.like: needs a layer without a projection, got proj_size={old.proj_size}. Put an nn.Linear behind "
            "it."
        )
    some = next(old.parameters())
    return {
        "input_size": old.input_size,
        "hidden_size": old.hidden_size,
        "num_layers": old.num_layers,
        "bias": old.bias,
        "batch_first": old.batch_first,
        "dropout": old.dropout,
        "bidirectional": old.bidirectional,
        "device": some.device,
        "dtype": some.dtype.to_real(),
    }
