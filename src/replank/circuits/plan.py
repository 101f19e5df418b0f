"""A plan: a circuit and what is measured of it, made ready to run on large batches.

Planning lowers the circuit to few kinds of primitives, drops what the observables can't see, splits what never meets,
and assembles a program for each part. ``plan(features, parameters)`` then runs it, on the compiled core or on torch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import psutil
import torch
from numpy.typing import NDArray
from torch import Tensor

from replank.circuits import core, cost, torch_backend
from replank.circuits.angle import Variable
from replank.circuits.circuit import Circuit
from replank.circuits.finite import inverse_weight, require_finite
from replank.circuits.light_cone import DEAD, DIAGONAL, FULL, components, merge_copies, prune
from replank.circuits.lowering import Lowered, doubled, lower, only_lines
from replank.circuits.observables import (
    DensityMatrix,
    Observable,
    PauliSum,
    Probabilities,
    Projector,
    Samples,
    State,
    Z,
    check_wires,
)
from replank.circuits.prepared import prepared_state
from replank.circuits.primitives import Noise, Project, Word
from replank.circuits.program import Program, assemble
from replank.circuits.readout import from_density, from_probabilities, from_state
from replank.circuits.slots import Slots
from replank.errors import UsageError

Backend = Literal["auto", "core", "torch"]
_WORTH_ASKING = 2**28  # bytes from which the machine's free memory is looked at
_MOST_DENSITY_QUBITS = 12


@dataclass(frozen=True, eq=False)
class Component:
    """Lines that meet each other and no others, as a program of their own.

    Args:
        lines: which lines of the plan they are.
        lowered: what happens on them.
        program: what is run.
        slots: its angles.
        words: the Pauli strings on its lines whose expectation values are wanted; empty if all amplitudes are.
        output: what is wanted of the program: these strings on positions, or all of the same kind.
        is_normalised: whether its states keep norm 1; if not, the first word is the identity.
    """

    lines: tuple[int, ...]
    lowered: Lowered
    program: Program
    slots: Slots
    words: tuple[Word, ...]
    output: torch_backend.Output
    is_normalised: bool


class Plan:
    """A circuit with observables, ready to run. Made by :meth:`Circuit.plan`.

    Args:
        circuit: it is frozen from now on.
        observables: what is measured: one, or several at once; Z on every qubit if not given.

    Raises:
        ValueError: an observable on qubits that the circuit does not have; the state of a circuit that does not stay
            pure; a density matrix on more than 12 qubits.
    """

    def __init__(self, circuit: Circuit, observables: Observable | Sequence[Observable] | None = None):
        self.circuit = circuit.freeze()
        wanted = [Z(wire) for wire in range(circuit.n_qubits)] if observables is None else observables
        self.is_single = not isinstance(wanted, Sequence)
        self.observables: tuple[Observable, ...] = tuple(wanted) if isinstance(wanted, Sequence) else (wanted,)
        if not self.observables:
            raise ValueError("Plan: there must be an observable, got none.")
        for observable in self.observables:
            check_wires(observable, circuit.n_qubits)
        self.n_features, self.n_parameters = circuit.n_features, circuit.n_parameters
        lowered = lower(circuit)
        self.is_mixed = any(isinstance(primitive, Noise) for primitive in lowered.primitives)
        self.output = self._output(lowered)
        self.lowered = self._pruned(doubled(lowered) if self.is_mixed else lowered)
        self.components = self._components()
        if self.output == "expectations":
            self._products = self._find_products()
            self._is_plain = self._has_plain_values()

    def __reduce__(self) -> tuple[Any, ...]:
        # programs of the compiled core live in this process only: another one plans anew
        return Plan, (self.circuit, self.wanted)

    def __deepcopy__(self, memo: dict[int, Any]) -> Plan:
        return self  # immutable, and planning is the costly part

    @property
    def wanted(self) -> Observable | tuple[Observable, ...]:
        """What is measured, as it was given: one observable, or several."""
        return self.observables[0] if self.is_single else self.observables

    # -- planning ----------------------------------------------------------------------------------------------------

    def _output(self, lowered: Lowered) -> Literal["expectations", "probabilities", "state"]:
        n_lines, n_qubits = lowered.n_lines, self.circuit.n_qubits
        has_state = any(isinstance(observable, State) for observable in self.observables)
        if has_state and (self.is_mixed or n_lines > n_qubits):
            raise ValueError(
                "Plan: only a circuit without channels, measurements and resets has a state, got State(). "
                "Ask for DensityMatrix(wires)."
            )
        if self.is_mixed and n_lines > _MOST_DENSITY_QUBITS:
            raise ValueError(
                f"Plan: density matrices go up to {_MOST_DENSITY_QUBITS} qubits, got {n_lines} with those that hold "
                f"measurements. Average over replank.circuits.Trajectories instead."
            )
        if self.is_mixed:
            return "state"
        if all(isinstance(observable, PauliSum) for observable in self.observables):
            return "expectations"
        diagonal = all(_is_diagonal(observable) for observable in self.observables)
        return "probabilities" if diagonal else "state"

    def _status(self, lowered: Lowered) -> list[int]:
        """What the observables are on each line."""
        status = [DEAD] * lowered.n_lines
        for observable in self.observables:
            for wire, level in _levels(observable, self.circuit.n_qubits):
                line = lowered.output[wire]
                status[line] = max(status[line], FULL if self.is_mixed else level)
                if self.is_mixed:
                    status[lowered.output[wire + self.circuit.n_qubits]] = FULL
        return status

    def _pruned(self, lowered: Lowered) -> Lowered:
        status = self._status(lowered)
        pruned = prune(lowered, list(status))
        return pruned if self.is_mixed else merge_copies(pruned, status)

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """All Pauli strings that are measured, on lines, each once."""
        found: dict[Word, None] = {}
        for observable in self.observables:
            if isinstance(observable, PauliSum):
                found |= {self._on_lines(word): None for word, _ in observable.terms}
        return tuple(found)

    def _on_lines(self, word: Word) -> Word:
        return tuple(sorted((self.lowered.output[wire], letter) for wire, letter in word))

    def _components(self) -> tuple[Component, ...]:
        if self.output != "expectations":
            return (self._component(list(range(self.lowered.n_lines)), ()),)
        found = []
        for lines in components(self.lowered):
            words = {_renamed(word, lines): None for word in self.words}
            words.pop((), None)
            if words:
                found.append(self._component(lines, tuple(words)))
        return tuple(found)

    def _component(self, lines: list[int], words: tuple[Word, ...]) -> Component:
        lowered = only_lines(self.lowered, lines)
        program = assemble(lowered)
        is_normalised = not any(isinstance(primitive, Project) for primitive in lowered.primitives)
        if words and not is_normalised:
            words = ((), *words)
        slots = Slots(program.angles, self.n_features, self.n_parameters)
        strings = [program.frame.masked(word) for word in words]
        output = strings if self.output == "expectations" else self.output
        return Component(tuple(lines), lowered, program, slots, words, output, is_normalised)

    # -- running -----------------------------------------------------------------------------------------------------

    def __call__(
        self,
        features: Tensor,
        parameters: Tensor,
        *,
        backend: Backend = "auto",
        generator: torch.Generator | None = None,
    ) -> Any:
        """Run the circuit on a batch.

        Shape: ``features`` ``(*, n_features)``, ``parameters`` ``(n_parameters,)``. Observables that are sums of Pauli
        strings, or projectors, give ``(*, K)`` for K of them, ``(*,)`` for a single one; if there are others, the
        result is a tuple with one tensor for each.

        Args:
            features: of each sample.
            parameters: shared by all samples.
            backend: where to run; ``"auto"`` takes the core on a CPU if there is one.
            generator: for samples; torch's default one if not given.

        Raises:
            ValueError: too few or too many features or parameters, NaN or infinity among them.
            TypeError: their dtypes or devices differ, or are not floating point.
            UsageError: the states do not fit into memory, or the backend asked for can't do it.
        """
        self._check(features, parameters)
        lead = features.shape[:-1]
        flat = features.reshape(1, math.prod(lead), features.shape[-1])
        results = self.run(flat, parameters[None], backend=backend, generator=generator)
        return _map(results, lambda result: result.reshape((*lead, *result.shape[2:])))

    def run(
        self,
        features: Tensor,
        parameters: Tensor,
        *,
        backend: Backend = "auto",
        generator: torch.Generator | None = None,
    ) -> Any:
        """The same for several sets of parameters or of features in one call.

        Shape: ``features`` ``(G or 1, B, n_features)``, ``parameters`` ``(G or 1, n_parameters)``; results are
        ``(G, B, ...)``. Shapes and dtypes are not checked.

        Raises:
            ValueError: a feature or parameter is NaN or infinite; not inside ``torch.compile``.
        """
        chosen = self._chosen(backend, features)
        if torch.is_autocast_enabled(features.device.type):
            with torch.autocast(features.device.type, enabled=False):
                return self.run(features, parameters, backend=chosen, generator=generator)
        dtype = features.dtype
        if dtype not in (torch.float32, torch.float64):
            results = self.run(features.float(), parameters.float(), backend=chosen, generator=generator)
            return _map(results, lambda result: result.to(dtype) if result.is_floating_point() else result)
        self._check_memory(features, parameters)
        self._check_unseen(features, parameters)
        raw = [self._run(component, features, parameters, chosen) for component in self.components]
        return self._combine(raw, features, parameters, generator)

    def backend(self, features: Tensor) -> Literal["core", "torch"]:
        """Which backend ``"auto"`` takes for such features: torch for other devices and inside ``torch.compile``."""
        if torch.compiler.is_compiling() or features.device.type != "cpu":
            return "torch"
        return "core" if core.available() else "torch"

    def _chosen(self, backend: Backend, features: Tensor) -> Literal["core", "torch"]:
        if backend == "auto":
            return self.backend(features)
        if backend not in ("core", "torch"):
            raise UsageError(f'Plan: the backend must be "auto", "core" or "torch", got {backend=}.')
        if backend == "core":
            core.require()
            if features.device.type != "cpu":
                raise UsageError(
                    f"Plan: the core runs on a CPU, got features on {features.device}. Use the torch backend."
                )
        return backend

    def _run(self, component: Component, features: Tensor, parameters: Tensor, backend: str) -> Tensor:
        batch = features.shape[1] * max(features.shape[0], parameters.shape[0])
        cost.record(component.program, len(component.words), batch)
        initial = prepared_state(component.lowered, features, parameters, is_mixed=self.is_mixed)
        features, parameters = component.slots.sources(features, parameters)
        if backend == "torch":
            features, parameters = require_finite(features), require_finite(parameters)
            program, slots, output = component.program, component.slots, component.output
            return torch_backend.run(program, slots, features, parameters, initial, output)
        from replank.circuits import core_backend

        return core_backend.run(self._compiled[component], features, parameters, initial, None)

    @cached_property
    def _compiled(self) -> dict[Component, Any]:
        from replank.circuits.core_backend import CoreProgram

        return {
            each: CoreProgram(each.program, each.slots, each.output, prepared=bool(each.lowered.prepared))
            for each in self.components
        }

    # -- putting results together ------------------------------------------------------------------------------------

    def _combine(
        self, raw: list[Tensor], features: Tensor, parameters: Tensor, generator: torch.Generator | None
    ) -> Any:
        if self.output == "expectations":
            values = self._observed(raw, features, parameters)
            return values[..., 0] if self.is_single else values
        (only,) = raw
        if self.output == "state" and not self.is_mixed:
            phase = self.components[0].program.phase.evaluate(features, parameters[:, None])
            only = only * torch.exp(-0.5j * phase)[..., None]
        read = from_density if self.is_mixed else from_state if self.output == "state" else from_probabilities
        results = [read(observable, only, self.lowered.output, generator) for observable in self.observables]
        if self.is_single:
            return results[0]
        if all(isinstance(observable, PauliSum | Projector) for observable in self.observables):
            return torch.stack(results, -1)
        return tuple(results)

    def _observed(self, raw: list[Tensor], features: Tensor, parameters: Tensor) -> Tensor:
        """Sums of Pauli strings, from the strings' values on each component."""
        columns = [_normalised(values, part) for values, part in zip(raw, self.components, strict=True)]
        if self._is_plain:
            return columns[0]
        one = features.new_ones(max(features.shape[0], parameters.shape[0]), features.shape[1], 1)
        table = torch.cat((*columns, one), -1)
        factors, coefficients = self._products
        values = table[..., torch.as_tensor(factors, device=table.device)].prod(-1)
        return values @ torch.as_tensor(coefficients).to(values)

    def _find_products(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The columns that each word is the product of, padded by the last one; and words' weights in observables."""
        place: dict[tuple[int, Word], int] = {}
        for number, component in enumerate(self.components):
            place |= {(number, word): len(place) + i for i, word in enumerate(filter(None, component.words))}
        one = len(place)
        rows = []
        for word in self.words:
            pieces = [(number, _renamed(word, part.lines)) for number, part in enumerate(self.components)]
            rows.append([place[piece] for piece in pieces if piece[1]])
        width = max((len(row) for row in rows), default=1) or 1
        factors = np.array([row + [one] * (width - len(row)) for row in rows], np.int64).reshape(-1, width)
        coefficients = np.zeros((len(self.words), len(self.observables)))
        index = {word: number for number, word in enumerate(self.words)}
        for column, observable in enumerate(self.observables):
            for word, coefficient in observable.terms if isinstance(observable, PauliSum) else ():
                coefficients[index[self._on_lines(word)], column] += coefficient
        return factors, coefficients

    def _has_plain_values(self) -> bool:
        """Whether the values of the only component are the result as they are."""
        if len(self.components) != 1 or () in self.words:
            return False
        factors, coefficients = self._products
        one_each = np.array_equal(factors[:, 0], np.arange(len(factors)))
        return one_each and np.array_equal(coefficients, np.eye(len(factors)))

    # -- refusing ----------------------------------------------------------------------------------------------------

    def _check(self, features: Tensor, parameters: Tensor) -> None:
        if not (isinstance(features, Tensor) and isinstance(parameters, Tensor)):
            raise TypeError(
                f"Plan: features and parameters must be tensors, got {type(features).__name__} and "
                f"{type(parameters).__name__}."
            )
        if features.ndim == 0 or features.shape[-1] != self.n_features:
            raise ValueError(
                f"Plan: the circuit takes n_features={self.n_features}, got features of shape {tuple(features.shape)}."
            )
        if parameters.shape != (self.n_parameters,):
            raise ValueError(
                f"Plan: the circuit takes n_parameters={self.n_parameters} in one dimension, got parameters of shape "
                f"{tuple(parameters.shape)}."
            )
        if not features.is_floating_point() or features.dtype != parameters.dtype:
            raise TypeError(
                f"Plan: features and parameters must be floating point of one dtype, got {features.dtype} and "
                f"{parameters.dtype}."
            )
        if features.device != parameters.device:
            raise TypeError(
                f"Plan: features and parameters must be on one device, got {features.device} and {parameters.device}."
            )

    def _check_unseen(self, features: Tensor, parameters: Tensor) -> None:
        """Refuse NaN and infinity where the backends, which look at angles and amplitudes, would not see them."""
        if torch.compiler.is_compiling():
            return
        for numbers, unseen in zip((features, parameters), self._unseen, strict=True):
            if unseen:
                require_finite(numbers)

    @cached_property
    def _unseen(self) -> tuple[bool, bool]:
        """Whether there are features, or parameters, that no angle or amplitude is a multiple of."""
        angles = [angle for part in self.components for angle in part.program.angles]
        angles += [a for part in self.components for _, each in part.lowered.prepared for a in each.angles]
        seen = {atom for angle in angles for atom, _ in angle.terms}
        return (
            any(Variable("x", i) not in seen for i in range(self.n_features)),
            any(Variable("theta", i) not in seen for i in range(self.n_parameters)),
        )

    def memory_bytes(self, batch: int, itemsize: int, *, with_gradients: bool) -> int:
        """About how many bytes a run takes at its peak, for ``batch`` samples in all groups.

        Args:
            batch: samples times groups.
            itemsize: bytes of a real number.
            with_gradients: whether the states are kept for the backward pass.
        """
        states, kept = self._bytes
        at_work = 2 * min(torch.get_num_threads(), batch)  # a state and its dual
        results = 0 if self.output == "expectations" else 2 * batch
        return itemsize * (states * (at_work + results) + (kept * batch if with_gradients else 0))

    @cached_property
    def _bytes(self) -> tuple[int, int]:
        """Real numbers in a sample's states, and in those kept for the backward pass."""
        sizes = [2 * 2**component.program.n for component in self.components]
        copies = [1 + component.program.n_irreversible for component in self.components]
        return sum(sizes), sum(size * n for size, n in zip(sizes, copies, strict=True))

    def _check_memory(self, features: Tensor, parameters: Tensor) -> None:
        if torch.compiler.is_compiling():
            return
        batch = features.shape[1] * max(features.shape[0], parameters.shape[0])
        most = 8 * (batch + 2 * torch.get_num_threads()) * sum(self._bytes)
        if most < _WORTH_ASKING or features.device.type != "cpu":
            return
        needs = torch.is_grad_enabled() and (features.requires_grad or parameters.requires_grad)
        wanted = self.memory_bytes(batch, features.itemsize, with_gradients=needs)
        free = psutil.virtual_memory().available
        if wanted > free:
            raise UsageError(
                f"Plan: states must fit into memory, got {self.circuit.n_qubits} qubits and a batch of {batch}, which "
                f"take about {wanted / 2**30:.3g} GiB of {free / 2**30:.3g} GiB free. Take a smaller batch or fewer "
                "qubits."
            )

    def explain(self, batch: int = 1) -> str:
        """What planning did, and what a run costs: see :func:`replank.circuits.explain.explain`."""
        from replank.circuits.explain import explain

        return explain(self, batch)


def _is_diagonal(observable: Observable) -> bool:
    is_diagonal_sum = isinstance(observable, PauliSum) and observable.is_diagonal
    return is_diagonal_sum or isinstance(observable, Probabilities | Projector | Samples)


def _levels(observable: Observable, n_qubits: int) -> list[tuple[int, int]]:
    """Wires that an observable looks at, with what it is on each."""
    match observable:
        case PauliSum(terms):
            return [(wire, DIAGONAL if letter == "Z" else FULL) for word, _ in terms for wire, letter in word]
        case Probabilities(wires) | Samples(wires=wires):
            return [(wire, DIAGONAL) for wire in (range(n_qubits) if wires is None else wires)]
        case Projector(wires=wires):
            return [(wire, DIAGONAL) for wire in wires]
        case DensityMatrix(wires):
            return [(wire, FULL) for wire in wires]
    return [(wire, FULL) for wire in range(n_qubits)]


def _renamed(word: Word, lines: Sequence[int]) -> Word:
    """The part of a word that is on some lines, which are numbered anew in their order."""
    return tuple((lines.index(line), letter) for line, letter in word if line in lines)


def _normalised(values: Tensor, component: Component) -> Tensor:
    """The strings' values relative to that of the identity, which comes first where states do not keep their norm."""
    return values if component.is_normalised else values[..., 1:] * inverse_weight(values[..., :1], power=2)


def _map(results: Any, function: Callable[[Tensor], Tensor]) -> Any:
    return tuple(map(function, results)) if isinstance(results, tuple) else function(results)
