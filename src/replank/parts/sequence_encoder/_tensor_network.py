"""What tensor networks of words have in common: trained words, trained unitaries, and one qubit that is measured."""

from __future__ import annotations

import abc
import functools
import itertools
import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from replank.circuits import Circuit, reference, theta
from replank.circuits.circuit_unitary import circuit_unitary
from replank.circuits.templates import (
    iqp_layers,
    iqp_layers_shape,
    sim9_layers,
    sim9_shape,
    sim14_layers,
    sim14_shape,
)
from replank.errors import UnknownName
from replank.parts._inspect import inspect
from replank.parts.sequence_encoder._interface import SequenceEncoderPart
from replank.parts.sequence_encoder._reduction import REDUCTIONS, Reduction, ReductionName

Sharing = Literal["uniform", "hierarchical"]
"""One unitary everywhere, or one for each position or level."""

Ansatz = Literal["sim14", "sim9", "iqp"]
"""What unitaries and words of several qubits are made of, see :mod:`replank.circuits.templates.sim_circuits`."""

EPSILON = 1e-7
"""What is added to probabilities before their logarithm, as published: no loss is infinite."""

LEAST_ACCEPTANCE = 1e-12
"""Share of kept runs below which post-selection is warned of and no longer divided by."""

_ANSATZE: dict[str, tuple[Callable[..., Circuit], Callable[[int, int], tuple[int, ...]]]] = {
    "sim14": (sim14_layers, sim14_shape),
    "sim9": (sim9_layers, sim9_shape),
    "iqp": (iqp_layers, iqp_layers_shape),
}
_SINGLE = 3  # angles of RX, RZ, RX on a single qubit


class TensorNetwork(SequenceEncoderPart):
    """A network in which words of q qubits meet two at a time, and one of the two leaves.

    Parameters are ``words`` ``(num_embeddings, n)``, ``head`` ``(n,)``, and those of :meth:`_unitary_shapes`, drawn in
    this order and all from ``U(0, init_scale)``.
    """

    n_qubits: int
    n_layers: int
    sharing: Sharing
    reduction: ReductionName
    ansatz: Ansatz
    max_len: int | None
    frozen: bool
    init_scale: float

    def _set_up(
        self,
        *,
        n_qubits: int,
        n_layers: int,
        sharing: Sharing,
        reduction: ReductionName,
        ansatz: Ansatz,
        max_len: int | None,
        frozen: bool,
        init_scale: float,
        device: Any,
        dtype: torch.dtype | None,
    ) -> None:
        """Store and check the options, and make the parameters."""
        name = type(self).__name__
        for what, choice, known in (
            ("sharing", sharing, get_args(Sharing)),
            ("reduction", reduction, get_args(ReductionName)),
            ("ansatz", ansatz, get_args(Ansatz)),
        ):
            if choice not in known:
                raise UnknownName(what, str(choice), known)
        if self.embedding_dim != 2:
            raise ValueError(f"{name}: one qubit has two outcomes, got embedding_dim={self.embedding_dim}.")
        for count, value in (("n_qubits", n_qubits), ("n_layers", n_layers)):
            if value < 1:
                raise ValueError(f"{name}: there must be at least one, got {count}={value}.")
        if sharing == "hierarchical" and max_len is None:
            raise ValueError(f"{name}: hierarchical sharing needs the longest length, got max_len=None.")
        if max_len is not None and max_len < 2:
            raise ValueError(f"{name}: `max_len` must be at least 2, got max_len={max_len}.")
        self.n_qubits, self.n_layers, self.ansatz = n_qubits, n_layers, ansatz
        self.sharing, self.reduction, self.max_len = sharing, reduction, max_len
        self.frozen, self.init_scale = frozen, init_scale
        made = {"device": device, "dtype": dtype}
        single, pair = (n_angles(ansatz, words * n_qubits, n_layers) for words in (1, 2))
        self.words = nn.Parameter(torch.empty(self.num_embeddings, single, **made))
        self.head = nn.Parameter(torch.empty(single, **made))
        for parameter, n_unitaries in self._unitary_counts().items():
            angles = torch.empty(n_unitaries, pair, **made)
            self.register_parameter(parameter, nn.Parameter(angles, requires_grad=not frozen))
        self.reset_parameters()

    @abc.abstractmethod
    def _unitary_counts(self) -> dict[str, int]:
        """The parameters of unitaries on two words, by name, with how many unitaries each holds."""

    @abc.abstractmethod
    def final_vectors(self, input: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """What is left of each sequence, ``(B, D)``, and the log of the squares of the factors that were taken out."""

    @abc.abstractmethod
    def _place(self, tokens: Sequence[int | None], placer: Placer) -> None:
        """Put one sequence's gates; ``None`` is a token that does not count."""

    def reset_parameters(self) -> None:
        """Draw all angles from ``U(0, init_scale)``, those of frozen unitaries from ``U(0, 2 pi)``."""
        for each in (self.words, self.head):
            nn.init.uniform_(each, 0, self.init_scale)
        for name in self._unitary_counts():
            nn.init.uniform_(self.get_parameter(name), 0, 2 * math.pi if self.frozen else self.init_scale)

    # -- what comes out ----------------------------------------------------------------------------------------------

    def encode(self, input: Tensor, mask: Tensor) -> Tensor:
        """Logarithms of the probabilities."""
        return (self._probabilities(input, mask) + EPSILON).log()

    def probabilities(self, input: Tensor, mask: Tensor | None = None) -> Tensor:
        """How often the measured qubit is 0 and 1, ``(B, 2)``."""
        return self._probabilities(input, self.counted(input, mask))

    def densities(self, input: Tensor, mask: Tensor | None = None) -> Tensor:
        """The state of the last word before the head, ``(B, 2^q, 2^q)``."""
        return self._reduction.densities(self.final_vectors(input, self.counted(input, mask))[0])

    def log_acceptance(self, input: Tensor, mask: Tensor | None = None) -> Tensor:
        """The logarithm of the share of runs that post-selection keeps, ``(B,)``; 0 where qubits are discarded."""
        vectors, log = self.final_vectors(input, self.counted(input, mask))
        if self.reduction == "discard":
            return log
        weight = self._reduction.outcomes(vectors).sum(-1)
        return log + weight.clamp(min=torch.finfo(weight.dtype).tiny).log()

    def _probabilities(self, input: Tensor, mask: Tensor) -> Tensor:
        vectors, _ = self.final_vectors(input, mask)
        turn = self._reduction.gate(circuit_unitary(self._block(1), self.head))
        outcomes = self._reduction.outcomes(vectors @ turn.mT)
        outcomes = _of_qubit(outcomes, self.n_qubits // 2)
        if self.reduction == "discard":
            return outcomes
        total = outcomes.sum(-1, keepdim=True)
        inspect(total, warn_of_rare)
        return outcomes / total.clamp(min=LEAST_ACCEPTANCE)

    # -- pieces ------------------------------------------------------------------------------------------------------

    @property
    def _reduction(self) -> Reduction:
        return REDUCTIONS[self.reduction](self.n_qubits)

    def _block(self, n_words: int) -> Circuit:
        return block(self.ansatz, n_words * self.n_qubits, self.n_layers)

    def _word_vectors(self, input: Tensor) -> Tensor:
        """``(B, L) -> (B, L, D)``."""
        states = circuit_unitary(self._block(1), self.words)[..., 0]
        table = self._reduction.words(states)
        if table.is_complex():  # which torch's embedding does not know
            flat = torch.view_as_real(table).flatten(-2)
            found = functional.embedding(input, flat)
            return torch.view_as_complex(found.reshape(*input.shape, table.shape[-1], 2))
        return functional.embedding(input, table)

    def _unitaries(self, name: str) -> Tensor:
        """All unitaries of a parameter, ``(n, 4^q, 4^q)``."""
        return circuit_unitary(self._block(2), getattr(self, name))

    # -- the same as circuits ----------------------------------------------------------------------------------------

    def flat_parameters(self) -> Tensor:
        """All parameters in one row, as :meth:`circuit` counts them."""
        return torch.cat([each.flatten() for each in self.parameters()])

    def circuit(self, tokens: Sequence[int | None]) -> Circuit:
        """One sequence as a circuit of :meth:`flat_parameters`, with q qubits a token; ``None`` does not count.

        Discarded qubits are simply not looked at any more; post-selected ones are projected onto 0.
        """
        placer = Placer(self, len(tokens))
        self._place(tokens, placer)
        placer.put("head", 0, (0,))
        return placer.circuit

    def slow_encode(self, input: Tensor, mask: Tensor) -> Tensor:
        """By the state vector of all qubits of one sequence after the other."""
        flat, measured = self.flat_parameters(), self.n_qubits // 2
        rows = []
        for tokens, counts in zip(input.tolist(), mask.tolist(), strict=True):
            chosen = [token if counted else None for token, counted in zip(tokens, counts, strict=True)]
            state = reference.state(self.circuit(chosen), flat.new_zeros(1, 0), flat)
            outcomes = torch.view_as_real(state).square().sum(-1)
            rows.append(_of_qubit(outcomes[0], measured))
        return (torch.stack(rows) + EPSILON).log()

    # -- sizes -------------------------------------------------------------------------------------------------------

    def parameter_formula(self) -> int:
        """Those of the words, of the head and of the unitaries on two words."""
        single, pair = (n_angles(self.ansatz, words * self.n_qubits, self.n_layers) for words in (1, 2))
        return (self.num_embeddings + 1) * single + sum(self._unitary_counts().values()) * pair

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        options = ("n_qubits", "n_layers", "sharing", "reduction", "ansatz", "max_len", "frozen", "init_scale")
        shown = ", ".join(f"{option}={getattr(self, option)!r}" for option in options)
        return f"{super().extra_repr()}, {shown}"


class Placer:
    """A circuit in the making: blocks of a part on registers of q qubits.

    Args:
        part: whose parameters the circuit has, in the order of :meth:`TensorNetwork.flat_parameters`.
        n_registers: number of words.
    """

    def __init__(self, part: TensorNetwork, n_registers: int):
        self.part, self.n_registers = part, n_registers
        self.circuit = Circuit(part.n_qubits * n_registers)
        sizes = [each.numel() for each in part.parameters()]
        starts = itertools.accumulate(sizes, initial=0)
        self._starts = dict(zip((name for name, _ in part.named_parameters()), starts, strict=False))

    def put(self, parameter: str, row: int, registers: Sequence[int]) -> None:
        """A block with one row of a parameter on some registers."""
        wires = [wire for register in registers for wire in self._wires(register)]
        start = self._starts[parameter] + row * self.part.get_parameter(parameter).shape[-1]
        gates = block(self.part.ansatz, len(wires), self.part.n_layers, start=start)
        self.circuit.extend(gates.on(wires, self.circuit.n_qubits))

    def drop(self, register: int) -> None:
        """A register leaves."""
        if self.part.reduction == "postselect":
            for wire in self._wires(register):
                self.circuit.post_select(wire, 0)

    def _wires(self, register: int) -> range:
        return range(self.part.n_qubits * register, self.part.n_qubits * (register + 1))


def _of_qubit(outcomes: Tensor, qubit: int) -> Tensor:
    """Probabilities of one qubit from those of basis states: ``(*, 2^n) -> (*, 2)``."""
    lead, before = outcomes.shape[:-1], 2**qubit
    return outcomes.reshape(*lead, before, 2, outcomes.shape[-1] // (2 * before)).sum((-3, -1))


@functools.cache
def block(ansatz: Ansatz, n_qubits: int, n_layers: int, *, start: int = 0) -> Circuit:
    """An ansatz on some qubits with weights from ``start`` on; on a single qubit RX, RZ and RX, whatever the ansatz."""
    if n_qubits == 1:
        first, second, third = theta[start : start + _SINGLE]
        return Circuit(1).rx(first, 0).rz(second, 0).rx(third, 0).freeze()
    return _ANSATZE[ansatz][0](n_qubits, n_layers, start=start).freeze()


def n_angles(ansatz: Ansatz, n_qubits: int, n_layers: int) -> int:
    """The number of angles of :func:`block`, in closed form."""
    return _SINGLE if n_qubits == 1 else math.prod(_ANSATZE[ansatz][1](n_qubits, n_layers))


def warn_of_rare(weights: Tensor) -> None:
    """Warn of outcomes that hardly ever happen; what is left of a state is then not divided by its weight."""
    if weights.numel() and bool((weights < LEAST_ACCEPTANCE).any()):
        warnings.warn(
            f"post-selection: outcomes must be possible, got one of probability {float(weights.min()):.3g}. Outputs of "
            "such a sequence say nothing.",
            stacklevel=2,
        )
