"""Cut circuits with finite numbers of shots.

Both estimators are unbiased. They may lie outside the range of the observable; clipping would bias them. Outcomes are
drawn from the tasks' exact expectation values: that of a Pauli string with expectation value e is +1 with probability
(1 + e) / 2.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from replank.circuits.cutting.bases import WireBasis
from replank.circuits.cutting.fragments import Fragment
from replank.circuits.cutting.reconstruct import CutCircuit, check_inputs, prepare
from replank.circuits.cutting.tasks import Result
from replank.errors import UsageError

_LARGEST = 2**22  # terms times strings times samples: 32 MiB for each of a few arrays


def measured_results(results: Sequence[Result], *, shots: int, rng: np.random.Generator) -> list[Result]:
    """Results in which every expectation value is the mean of ``shots`` outcomes of its own; not differentiable.

    What :meth:`CutCircuit.combine` makes of them is unbiased, since it multiplies values of different fragments only.

    Raises:
        ValueError: there is not at least one shot.
    """
    _check_shots(shots)
    return [Result(_mean_outcome(result.values, shots, rng), result.n_qubits) for result in results]


def quasi_probability_estimate(
    cut: CutCircuit,
    results: Sequence[Result],
    features: Tensor,
    parameters: Tensor,
    *,
    shots: int,
    rng: np.random.Generator,
) -> Tensor:
    """Expectation values from ``shots`` runs of all fragments for each sample and each Pauli string.

    Each shot draws one term of the quasi-probability sum, in proportion to its weight, and runs each fragment once. The
    variance of a single string with the exact value v is ``(overhead - v^2) / shots`` with
    :meth:`CutCircuit.overhead_at`; uncut, it is ``(1 - v^2) / shots``. Strings are drawn independently of each other.
    Not differentiable.

    Args:
        cut: the circuit.
        results: one for each of its tasks, exact.
        features: what the tasks ran with, ``(B, n_features)``.
        parameters: likewise, ``(n_parameters,)``.
        shots: number of shots.
        rng: what outcomes are drawn from, as :func:`replank.seeding.numpy_stream` makes it.

    Returns:
        The shape of :meth:`CutCircuit.run`.

    Raises:
        ValueError: there is not at least one shot.
        UsageError: there are too many terms to list them.
    """
    _check_shots(shots)
    check_inputs(cut.circuit, features, parameters)
    with torch.no_grad():
        weights, means = _listed(cut, results, features, parameters)
    gamma = weights.abs().sum(-1, keepdim=True)
    probabilities = (weights.abs() / gamma).expand_as(means).double().numpy(force=True)
    counts = rng.multinomial(shots, probabilities / probabilities.sum(-1, keepdims=True))
    heads = rng.binomial(counts, _probability(means))
    sums = torch.from_numpy(2 * heads - counts).to(weights)
    return cut.sum_strings((gamma[..., 0] * (weights.sign() * sums).sum(-1)) / shots)


@dataclass(frozen=True)
class _GateTerm:
    """One product of real and imaginary parts in the sum over the terms of all cut gates.

    Args:
        weight: ``(B,)``, real.
        pairs: bra and ket of each cut gate, as one index, by the index of the cut.
        imaginary: numbers of the fragments of which the imaginary part is read; of the others, the real part.
    """

    weight: Tensor
    pairs: Mapping[int, int]
    imaginary: frozenset[int]


def _listed(cut: CutCircuit, results: Sequence[Result], features: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
    """All terms: weights ``(B, n)`` and, of the product of outcomes, expectation values ``(n_strings, B, n)``."""
    wires = sorted(set(range(len(cut.cuts))) - {index for index, _ in cut.gates})
    n_terms = len(cut.basis.terms) ** len(wires) * math.prod(len(terms.letters) ** 2 for _, terms in cut.gates)
    if n_terms * len(cut.strings) * len(features) > _LARGEST:
        raise UsageError(
            f"quasi_probability_estimate: terms x strings x samples must be at most {_LARGEST}, got {n_terms} x "
            f"{len(cut.strings)} x {len(features)}. Cut less, or use measured_results."
        )
    gate_terms = list(_gate_terms(cut, features, parameters))
    tensors = [
        _with_wire_terms(fragment, tensor, cut.basis)
        for fragment, tensor in zip(cut.fragments, cut.fragment_tensors(results, features), strict=True)
    ]
    means = torch.stack([_products(cut, term, tensors, wires) for term in gate_terms], dim=-1)
    weights = torch.stack([term.weight for term in gate_terms], dim=-1)
    for _ in wires:
        weights = weights[:, None] * torch.tensor([term.weight for term in cut.basis.terms]).to(weights)[:, None]
        weights = weights.flatten(1, 2)
    return weights, means.flatten(2)


def _with_wire_terms(fragment: Fragment, tensor: Tensor, basis: WireBasis) -> Tensor:
    """A fragment's tensor ``(n_strings, B, *axes)`` with all terms, 8 or 6, on each axis of a cut wire."""
    states = torch.tensor([term.state for term in basis.terms], device=tensor.device)
    letters = torch.tensor([basis.letters.index(term.letter) for term in basis.terms], device=tensor.device)
    n_prepared, n_measured = len(fragment.prepared), len(fragment.measured)
    for axis in range(2, 2 + n_prepared):
        tensor = prepare(tensor, axis, states)
    for axis in range(2 + n_prepared, 2 + n_prepared + n_measured):
        tensor = tensor.index_select(axis, letters)
    return tensor


def _products(cut: CutCircuit, term: _GateTerm, tensors: Sequence[Tensor], wires: list[int]) -> Tensor:
    """The product of the fragments' values in one gate term, ``(n_strings, B, 8, 8, ...)``: an axis for each wire."""
    total, axes = torch.ones_like(term.weight).expand(len(cut.strings), -1), [0, 1]
    for number, (fragment, value) in enumerate(zip(cut.fragments, tensors, strict=True)):
        for insertion in reversed(fragment.insertions):
            value = value.select(-1, term.pairs[insertion.cut])
        if value.is_complex():
            value = value.imag if number in term.imaginary else value.real
        mine = [0, 1, *(2 + wires.index(index) for index in fragment.cuts if index in wires)]
        both = sorted({*axes, *mine})
        total, axes = torch.einsum(total, axes, value, mine, both), both
    return total


def _gate_terms(cut: CutCircuit, features: Tensor, parameters: Tensor) -> Iterator[_GateTerm]:
    """The sum over all pairs (bra, ket) of all cut gates, as products of real and imaginary parts.

    Where bra and ket differ in several cuts, the fragments that these connect are taken together with their complex
    conjugate: twice the real part of a product, that is a sum over an even or an odd number of imaginary parts.
    """
    weights = dict(cut.pair_weights(features, parameters))
    sizes = {index: len(terms.letters) for index, terms in cut.gates}
    sides = {index: cut.sides(index) for index in sizes}
    one = features.new_ones(len(features))
    for pairs in itertools.product(*(itertools.product(range(n), repeat=2) for n in sizes.values())):
        chosen = dict(zip(sizes, pairs, strict=True))
        index = {each: bra * sizes[each] + ket for each, (bra, ket) in chosen.items()}
        groups = _connected([(each, *sides[each]) for each, (bra, ket) in chosen.items() if bra != ket])
        if any(chosen[members[0]] > chosen[members[0]][::-1] for members, _ in groups):
            continue  # the complex conjugate, which counts through the factor 2
        diagonal = one
        for each, (bra, ket) in chosen.items():
            if bra == ket:
                diagonal = diagonal * weights[each][:, index[each]].real
        subsets = [list(_subsets(fragments)) for _, fragments in groups]
        for imaginary in itertools.product(*subsets):
            weight = diagonal
            for (members, _), part in zip(groups, imaginary, strict=True):
                phase = torch.stack([weights[each][:, index[each]] for each in members]).prod(0) * 1j ** len(part)
                weight = weight * 2 * phase.real
            if weight.any() or not len(weight):
                yield _GateTerm(weight, index, frozenset().union(*imaginary))


def _connected(edges: Sequence[tuple[int, int, int]]) -> list[tuple[list[int], set[int]]]:
    """Cuts (index, fragment, fragment) in connected groups: their indices and the fragments that they touch."""
    groups: list[tuple[list[int], set[int]]] = []
    for index, *ends in edges:
        touched = [group for group in groups if group[1] & set(ends)]
        members = sorted([index, *(member for group in touched for member in group[0])])
        fragments = set(ends).union(*(group[1] for group in touched))
        groups = [group for group in groups if group not in touched] + [(members, fragments)]
    return groups


def _subsets(items: set[int]) -> Iterator[tuple[int, ...]]:
    for size in range(len(items) + 1):
        yield from itertools.combinations(sorted(items), size)


def _mean_outcome(values: Tensor, shots: int, rng: np.random.Generator) -> Tensor:
    heads = rng.binomial(shots, _probability(values.detach()))
    return torch.from_numpy(2 * heads / shots - 1).to(values)


def _probability(values: Tensor) -> NDArray[np.float64]:
    """Of the outcome +1; rounding may have put an expectation value just outside [-1, 1]."""
    return ((1 + values.double()) / 2).clamp(0, 1).numpy(force=True)


def _check_shots(shots: int) -> None:
    if isinstance(shots, bool) or not isinstance(shots, int) or shots < 1:
        raise ValueError(f"shots: there must be at least one shot, got shots={shots!r}.")
