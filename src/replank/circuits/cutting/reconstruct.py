"""A circuit in fragments, and how their results make up the whole circuit's expectation values.

A cut wire is the identity ``rho = 1/2 sum_P Tr(P rho) P`` over P in I, X, Y, Z: each P is measured where the wire
ends and prepared, as a combination of states, where it begins. A cut gate is ``sum_k u_k P_k (x) Q_k``: the whole is
``sum_kl conj(u_k) u_l F_kl F'_kl``, where ``F_kl = <k|O|l>`` and ``|k>`` is what a fragment comes to with its side of
the k-th term. Both sums are exact.

Source: T. Peng, A. Harrow, M. Ozols and X. Wu, Simulating large quantum circuits on a small quantum computer (2020),
for wires. K. Mitarai and K. Fujii, Constructing a virtual two-qubit gate by sampling single-qubit operations (2021),
for gates. Differs: there, a cut gate measures qubits in the middle of a circuit. Here ``F_kl`` is read from one
ancilla, which steers all cut gates of a fragment, so that every circuit is unitary and measured at its end. The
ancilla is a qubit, and counted as one; in return, fewer circuits run, and gates that are cut together cost fewer
shots.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from replank.circuits.circuit import Circuit
from replank.circuits.cutting.bases import Basis, WireBasis, wire_basis
from replank.circuits.cutting.cuts import Cut, GateCut, WireCut
from replank.circuits.cutting.experiments import Experiments
from replank.circuits.cutting.fragments import Fragment, fragments_of
from replank.circuits.cutting.gate_terms import GateTerms, gate_terms, interference
from replank.circuits.cutting.overhead import gates_norm
from replank.circuits.cutting.real_amplitudes import check_y_vanishes
from replank.circuits.cutting.tasks import Result, Run, Task, execute_all
from replank.circuits.finite import require_finite
from replank.circuits.observables import PauliSum, check_wires
from replank.circuits.primitives import Word
from replank.errors import CircuitCutError


@dataclass(frozen=True, eq=False)
class CutCircuit:
    """A circuit that runs as several smaller ones.

    Args:
        circuit: the circuit as it was.
        observables: what is measured.
        cuts: where it is cut.
        experiments: the fragments, with all that is run of each.
        tasks: every circuit that has to run; as many results reconstruct the whole.
        scalar: whether there is one observable, so that values have the shape ``(B,)``.
        basis: what cut wires are measured and prepared in.
    """

    circuit: Circuit
    observables: tuple[PauliSum, ...]
    cuts: tuple[Cut, ...]
    experiments: tuple[Experiments, ...]
    tasks: tuple[Task, ...]
    scalar: bool
    basis: WireBasis

    @property
    def fragments(self) -> tuple[Fragment, ...]:
        """The fragments, by the first wire that each has."""
        return tuple(each.fragment for each in self.experiments)

    @property
    def widest(self) -> int:
        """Qubits of the widest circuit that has to run, ancillas included; 0 if the observables are numbers."""
        return max((task.circuit.n_qubits for task in self.tasks), default=0)

    @property
    def n_executions(self) -> int:
        """How many circuits a device runs: each task once for each setting in which it is measured."""
        return sum(len(task.settings) for task in self.tasks)

    @property
    def overhead(self) -> float:
        """How many times more shots the same precision takes, gamma^2; the most, where angles are not numbers."""
        edges = [(*self.sides(index), terms.largest_interference) for index, terms in self.gates]
        return float(self._wires_norm * gates_norm(edges)) ** 2

    def overhead_at(self, features: Tensor, parameters: Tensor) -> Tensor:
        """The overhead for given angles, ``(B,)``.

        Shape: ``features`` ``(B, n_features)``, ``parameters`` ``(n_parameters,)``.
        """
        check_inputs(self.circuit, features, parameters)
        one = features.new_ones(len(features))
        edges = [
            (*self.sides(i), interference(terms.amplitudes(features, parameters)) * one) for i, terms in self.gates
        ]
        return (self._wires_norm * gates_norm(edges) * one) ** 2

    def run(self, features: Tensor, parameters: Tensor, run: Run | None = None) -> Tensor:
        """Run all tasks here, one after the other, and reconstruct.

        Shape: ``features`` ``(B, n_features)``, ``parameters`` ``(n_parameters,)``; the result is ``(B,)`` for one
        observable and ``(B, n_observables)`` for a sequence, differentiable if ``run`` is.

        Args:
            features: of each sample.
            parameters: shared by all samples.
            run: what runs a fragment's circuit; plans if not given.

        Raises:
            ValueError: the shapes do not fit, or a feature or parameter is not finite.
            TypeError: the tensors are not of one dtype, float32 or float64, on one device.
        """
        check_inputs(self.circuit, features, parameters)
        runs = [run] * len(self.tasks)
        return self.combine(execute_all(self.tasks, features, parameters, runs=runs), features, parameters)

    def combine(self, results: Sequence[Result], features: Tensor, parameters: Tensor) -> Tensor:
        """The whole circuit's expectation values from those of the tasks.

        Args:
            results: one for each of ``tasks``, in their order.
            features: what the tasks ran with, ``(B, n_features)``: gates that are cut depend on it, too.
            parameters: likewise, ``(n_parameters,)``.

        Returns:
            ``(B,)`` for one observable, ``(B, n_observables)`` for a sequence; differentiable.

        Raises:
            ValueError: there is not one result of the right shape for each task.
        """
        check_inputs(self.circuit, features, parameters)
        with torch.autocast(features.device.type, enabled=False):
            wires = torch.tensor(self.basis.matrix).to(features)
            weights = dict(self.pair_weights(features, parameters))
            total, open_cuts = features.new_ones(len(self.strings), len(features)), list[int]()
            for fragment, tensor in zip(self.fragments, self.fragment_tensors(results, features), strict=True):
                for place in range(len(fragment.prepared)):
                    tensor = prepare(tensor, 2 + place, wires)
                for place, cut in enumerate(fragment.cuts):
                    if cut in weights:
                        tensor = _weighted(tensor, 2 + place, weights.pop(cut))
                total, open_cuts = _contracted(total, open_cuts, tensor, fragment.cuts)
            return self.sum_strings(total.real if total.is_complex() else total)

    def recut(self, circuit: Circuit) -> CutCircuit:
        """The same cuts, observables and basis for a circuit that differs in its angles only.

        Raises:
            CircuitCutError: the cuts are not at places of that circuit, or do not separate it.
        """
        experiments = tuple(_experiments(fragments_of(circuit, self.cuts), self.observables, self.basis))
        tasks = tuple(task for each in experiments for task in each.tasks)
        return replace(self, circuit=circuit.copy().freeze(), experiments=experiments, tasks=tasks)

    def __deepcopy__(self, memo: dict[int, Any]) -> CutCircuit:
        return self  # immutable, and its tasks are planned

    # -- what sampling needs, too ------------------------------------------------------------------------------------

    @functools.cached_property
    def strings(self) -> tuple[Word, ...]:
        """All Pauli strings of the observables, each once."""
        return tuple(dict.fromkeys(word for observable in self.observables for word, _ in observable.terms))

    @functools.cached_property
    def gates(self) -> tuple[tuple[int, GateTerms], ...]:
        """Index and terms of each cut that is a gate."""
        found = []
        for index, each in enumerate(self.cuts):
            if isinstance(each, GateCut):
                terms = gate_terms(self.circuit.operations[each.operation])
                assert terms is not None  # fragments_of
                found.append((index, terms))
        return tuple(found)

    def sides(self, cut: int) -> tuple[int, int]:
        """The two fragments that a cut separates."""
        one, other = (number for number, fragment in enumerate(self.fragments) if cut in fragment.cuts)
        return one, other

    def pair_weights(self, features: Tensor, parameters: Tensor) -> Iterator[tuple[int, Tensor]]:
        """``conj(u_k) u_l`` of each cut gate, by its index: ``(B, n_terms^2)``, complex."""
        for index, terms in self.gates:
            amplitudes = terms.amplitudes(features, parameters).expand(len(features), -1)
            yield index, (amplitudes.conj()[:, :, None] * amplitudes[:, None, :]).flatten(1)

    def fragment_tensors(self, results: Sequence[Result], features: Tensor) -> list[Tensor]:
        """The tensor of each fragment, ``(n_strings, B, *axes)`` with axes as in :meth:`Experiments.tensor`.

        Raises:
            ValueError: there is not one result of the right shape for each task.
        """
        shapes = [tuple(result.values.shape) for result in results]
        expected = [(len(features), len(task.observables)) for task in self.tasks]
        if shapes != expected:
            raise ValueError(
                f"CutCircuit: there must be a result for each of {len(expected)} tasks, of shapes {expected}, got "
                f"{shapes}."
            )
        values = (result.values for result in results)
        like = features.new_ones(len(features), 1)
        return [each.tensor(values, like)[each.places(self.strings)] for each in self.experiments]

    def sum_strings(self, values: Tensor) -> Tensor:
        """Observables from the values ``(n_strings, B)`` of their strings."""
        places = {string: place for place, string in enumerate(self.strings)}
        coefficients = values.new_zeros(len(self.observables), len(places))
        for row, observable in enumerate(self.observables):
            for word, coefficient in observable.terms:
                coefficients[row, places[word]] = coefficient
        totals = (coefficients @ values).T
        return totals[:, 0] if self.scalar else totals

    @property
    def _wires_norm(self) -> float:
        return self.basis.norm ** sum(isinstance(each, WireCut) for each in self.cuts)


def cut(
    circuit: Circuit,
    observable: PauliSum | Sequence[PauliSum],
    cuts: Sequence[Cut],
    *,
    basis: Basis = "states",
    skip_zero_y: bool = False,
    max_width: int | None = None,
) -> CutCircuit:
    """Cut a circuit into fragments that run on their own.

    Args:
        circuit: unitary operations on qubits in 0 or in prepared states.
        observable: what is measured, or a sequence of such: all are read from the same tasks.
        cuts: wires and gates to cut, as :func:`find_cuts` gives them.
        basis: how a cut wire begins: in 4 states, or in all 6 eigenstates. The sum is the same.
        skip_zero_y: leave out the terms of Y, which are zero where all amplitudes are real.
        max_width: the qubits that a fragment may have, with its ancilla; any number if not given.

    Raises:
        CircuitCutError: a cut is at a place that does not exist or comes twice, it does not separate what it lies
            between, a fragment is too wide, or terms of Y are to be left out that may not be zero.
        ValueError: an observable is on a qubit that does not exist.
        UsageError: the circuit measures, resets, or has channels.
        UnknownName: no such basis.
    """
    chosen = wire_basis(basis, without_y=skip_zero_y)
    scalar = isinstance(observable, PauliSum)
    observables = (observable,) if isinstance(observable, PauliSum) else tuple(observable)
    for each in observables:
        if not isinstance(each, PauliSum):
            raise TypeError(f"cut: an observable must be a sum of Pauli strings, got {each!r}.")
        check_wires(each, circuit.n_qubits)
    fragments = fragments_of(circuit, cuts)
    _check_widths(fragments, max_width)
    if skip_zero_y:
        check_y_vanishes(circuit, observables, fragments)
    experiments = tuple(_experiments(fragments, observables, chosen))
    tasks = tuple(task for each in experiments for task in each.tasks)
    return CutCircuit(circuit.copy().freeze(), observables, tuple(cuts), experiments, tasks, scalar, chosen)


def _experiments(
    fragments: Sequence[Fragment], observables: Sequence[PauliSum], basis: WireBasis
) -> Iterator[Experiments]:
    strings = [word for each in observables for word, _ in each.terms]
    for fragment in fragments:
        words = dict.fromkeys(fragment.part_of(string) for string in strings)
        yield Experiments(fragment, tuple(words), basis)


def _check_widths(fragments: Sequence[Fragment], max_width: int | None) -> None:
    widths = [fragment.width for fragment in fragments]
    if max_width is not None and max(widths) > max_width:
        raise CircuitCutError(
            f"cut: no fragment may have more than max_width={max_width} qubits, got fragments of {widths}. Cut more, "
            f"or let find_cuts(circuit, max_qubits={max_width}) look for cuts."
        )


def prepare(tensor: Tensor, axis: int, matrix: Tensor) -> Tensor:
    """Replace an axis of states by one of their combinations, the rows of a matrix."""
    return torch.tensordot(tensor, matrix.to(tensor.dtype), dims=([axis], [1])).movedim(-1, axis)


def check_inputs(circuit: Circuit, features: Tensor, parameters: Tensor) -> None:
    """Refuse features and parameters that do not fit a circuit.

    Raises:
        ValueError: wrong shapes, or NaN or infinity among them.
        TypeError: not of one dtype, float32 or float64, on one device.
    """
    for name, tensor, expected in (
        ("features", features, (len(features) if features.ndim else 0, circuit.n_features)),
        ("parameters", parameters, (circuit.n_parameters,)),
    ):
        if tensor.shape != expected:
            shape = ("B", *expected[1:]) if name == "features" else expected
            raise ValueError(f"CutCircuit: {name} must have the shape {shape}, got {tuple(tensor.shape)}.")
    if features.dtype not in (torch.float32, torch.float64) or features.dtype != parameters.dtype:
        raise TypeError(
            f"CutCircuit: features and parameters must both be float32 or float64, got {features.dtype} and "
            f"{parameters.dtype}."
        )
    if features.device != parameters.device:
        raise TypeError(
            f"CutCircuit: features and parameters must be on one device, got {features.device} and {parameters.device}."
        )
    require_finite(features)
    require_finite(parameters)


def _weighted(tensor: Tensor, axis: int, weights: Tensor) -> Tensor:
    """A tensor ``(n_strings, B, *axes)`` times weights ``(B, n)`` of the entries on one of its axes."""
    shape = [len(weights), *[1] * (tensor.ndim - 2)]
    shape[axis - 1] = weights.shape[1]
    return tensor * weights.reshape(shape)


def _contracted(
    one: Tensor, one_cuts: Sequence[int], other: Tensor, other_cuts: Sequence[int]
) -> tuple[Tensor, list[int]]:
    """Sum over the cuts that two tensors ``(n_strings, B, *cuts)`` share; and which cuts are left, sorted."""
    axis = {cut: 2 + number for number, cut in enumerate(sorted({*one_cuts, *other_cuts}))}
    left = sorted(set(one_cuts) ^ set(other_cuts))  # a cut has two sides
    dtype = torch.promote_types(one.dtype, other.dtype)
    operands = [
        (tensor.to(dtype), [0, 1, *(axis[cut] for cut in cuts)])
        for tensor, cuts in ((one, one_cuts), (other, other_cuts))
    ]
    return torch.einsum(*operands[0], *operands[1], [0, 1, *(axis[cut] for cut in left)]), left
