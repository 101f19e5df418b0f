"""Observables that are linear in the density matrix, as columns of one table.

What is sampled or shifted works on such a table, ``(*, T)``: a column for each sum of Pauli strings and each projector,
and one for each outcome of probabilities.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from replank.circuits.observables import Observable, PauliSum, Probabilities, Projector
from replank.circuits.primitives import Word


class Columns:
    """The columns of some observables, and how they come from expectation values of Pauli strings.

    Args:
        observables: what is wanted.
        is_single: whether the only one is wanted outside a sequence.
        n_qubits: of the circuit.

    Raises:
        ValueError: an observable is not linear in the density matrix, or has no fixed number of columns.
    """

    def __init__(self, observables: Sequence[Observable], *, is_single: bool, n_qubits: int):
        self.observables, self.is_single, self.n_qubits = tuple(observables), is_single, n_qubits
        for observable in self.observables:
            if not isinstance(observable, PauliSum | Projector | Probabilities):
                raise ValueError(
                    "Columns: observables must be sums of Pauli strings, projectors or probabilities, got "
                    f"{observable}."
                )

    @cached_property
    def widths(self) -> list[int]:
        """The number of columns of each observable."""
        return [2 ** len(self._wires(each)) if isinstance(each, Probabilities) else 1 for each in self.observables]

    def _wires(self, observable: Probabilities) -> tuple[int, ...]:
        return tuple(range(self.n_qubits)) if observable.wires is None else observable.wires

    def join(self, results: Any) -> Tensor:
        """The table from what a plan gives, ``(G, B, ...)`` each."""
        if isinstance(results, tuple):
            flat = [each if width > 1 else each[..., None] for each, width in zip(results, self.widths, strict=True)]
            return torch.cat(flat, -1)
        return results[..., None] if self.is_single and self.widths == [1] else results

    def split(self, table: Tensor) -> Any:
        """What a plan would give, from the table."""
        scalar = [not isinstance(each, Probabilities) for each in self.observables]
        if self.is_single:
            return table[..., 0] if scalar[0] else table
        if all(scalar):
            return table
        ends = list(itertools.accumulate(self.widths))
        pieces = [table[..., end - width : end] for end, width in zip(ends, self.widths, strict=True)]
        return tuple(piece[..., 0] if one else piece for piece, one in zip(pieces, scalar, strict=True))

    @cached_property
    def _expansion(self) -> tuple[tuple[Word, ...], NDArray[np.float64]]:
        """Pauli strings, the identity first, and their weights in the columns, ``(W, T)``."""
        blocks = [self._block(observable) for observable in self.observables]
        words: dict[Word, None] = dict.fromkeys([(), *(word for words, _ in blocks for word in words)])
        if len(words) == 1:
            words[(0, "Z"),] = None  # something is measured always; its weight stays 0
        place = {word: row for row, word in enumerate(words)}
        weights = np.zeros((len(place), sum(self.widths)))
        start = 0
        for (mine, block), width in zip(blocks, self.widths, strict=True):
            rows = [place[word] for word in mine]
            np.add.at(weights[:, start : start + width], rows, block)
            start += width
        return tuple(place), weights

    def _block(self, observable: Observable) -> tuple[list[Word], NDArray[np.float64]]:
        match observable:
            case PauliSum(terms):
                return [word for word, _ in terms], np.array([[c] for _, c in terms]).reshape(len(terms), 1)
            case Projector(bits, wires):
                outcome = int("".join(map(str, bits)) or "0", 2)
                return subsets(wires), parities(len(wires))[:, [outcome]] / 2 ** len(wires)
            case _:
                assert isinstance(observable, Probabilities)
                wires = self._wires(observable)
                return subsets(wires), parities(len(wires)) / 2 ** len(wires)

    @property
    def words(self) -> tuple[Word, ...]:
        """The Pauli strings but the identity that columns are made of; at least one."""
        return self._expansion[0][1:]

    @property
    def weights(self) -> NDArray[np.float64]:
        """Their weights in the columns, ``(W, T)``."""
        return self._expansion[1][1:]

    @property
    def constants(self) -> NDArray[np.float64]:
        """What the identity adds to each column, ``(T,)``."""
        return self._expansion[1][0]

    def of_strings(self, values: Tensor) -> Tensor:
        """The table from the strings' values, ``(*, W)``."""
        return values @ torch.as_tensor(self.weights).to(values) + torch.as_tensor(self.constants).to(values)


def subsets(wires: Sequence[int]) -> list[Word]:
    """The strings of Z on some of the wires, by the mask of those, the first of which is the most significant bit."""
    k = len(wires)
    masks = range(2**k)
    return [tuple(sorted((w, "Z") for i, w in enumerate(wires) if mask >> (k - 1 - i) & 1)) for mask in masks]


def parities(k: int) -> NDArray[np.float64]:
    """The signs ``(-1)^parity(mask & outcome)``, ``(2^k, 2^k)``."""
    index = np.arange(2**k)
    return 1.0 - 2.0 * (np.bitwise_count(index[:, None] & index) % 2)
