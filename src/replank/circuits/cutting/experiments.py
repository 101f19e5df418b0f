"""The circuits of one fragment, what is measured on each, and the tensor that their results make up."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from replank.circuits.cutting.bases import WireBasis
from replank.circuits.cutting.fragments import Fragment, Variant
from replank.circuits.cutting.tasks import Task
from replank.circuits.observables import PauliSum
from replank.circuits.primitives import Word


@dataclass(frozen=True, eq=False)
class Experiments:
    """Everything that is run of a fragment.

    Args:
        fragment: the fragment.
        words: the Pauli strings, on the fragment's qubits, whose expectation values are asked for.
        basis: what cut wires are measured and prepared in.
    """

    fragment: Fragment
    words: tuple[Word, ...]
    basis: WireBasis

    @property
    def tasks(self) -> Iterator[Task]:
        """The circuits with something to measure, in the order in which :meth:`tensor` takes their results."""
        for variant in self._run:
            strings = self._to_measure(variant)
            if strings:
                observables = tuple(PauliSum(((string, 1.0),)) for string in strings)
                yield Task(self.fragment.circuit(variant), observables)

    def places(self, strings: Sequence[Word]) -> list[int]:
        """Where in ``words`` the fragment's part of each of some Pauli strings on the circuit's wires is."""
        return [self.words.index(self.fragment.part_of(string)) for string in strings]

    def tensor(self, values: Iterator[Tensor], like: Tensor) -> Tensor:
        """What the fragment does, with an axis for each cut.

        Args:
            values: expectation values of each task, ``(B, K)``, as many as there are tasks.
            like: a tensor of B rows, with the values' type and device.

        Returns:
            ``(n_words, B, *axes)``, with an axis for each of ``fragment.cuts``: the basis's states where a wire begins,
            its letters where one ends, ``n_terms^2`` pairs (bra, ket) of terms for a gate. Complex if there are gates.
        """
        read = {}
        for variant in self._run:
            expectations = next(values) if self._to_measure(variant) else like[:, :0]
            if variant.interferes:
                read[variant] = torch.complex(*expectations.tensor_split(2, dim=1))
            else:
                read[variant] = self._with_identity(expectations, like)
        entries = torch.stack([_looked_up(read, variant) for variant in self._variants])
        n_prepared, n_measured = len(self.fragment.prepared), len(self.fragment.measured)
        pairs = [len(insertion.letters) ** 2 for insertion in self.fragment.insertions]
        n_states, n_letters = len(self.basis.states), len(self.basis.letters)
        shape = [*[n_states] * n_prepared, *pairs, len(like), len(self.words), *[n_letters] * n_measured]
        axes = list(range(len(shape)))
        states, gates = axes[:n_prepared], axes[n_prepared : n_prepared + len(pairs)]
        batch, word, *letters = axes[n_prepared + len(pairs) :]
        return entries.reshape(shape).permute(word, batch, *states, *letters, *gates)

    @functools.cached_property
    def _strings(self) -> list[Word]:
        """Each word with each choice of letters where cut wires end."""
        choices = list(itertools.product(self.basis.letters, repeat=len(self.fragment.measured)))
        return [_joined(word, letters, self.fragment) for word in self.words for letters in choices]

    def _to_measure(self, variant: Variant) -> list[Word]:
        """The strings to measure; the identity, which is 1, is not among them."""
        if variant.interferes:
            return [(*string, (self.fragment.n_qubits, letter)) for letter in "XY" for string in self._strings]
        return [string for string in self._strings if string]

    def _with_identity(self, expectations: Tensor, like: Tensor) -> Tensor:
        if () not in self._strings:
            return expectations
        place = self._strings.index(())
        one = torch.ones_like(like[:, :1])
        return torch.cat((expectations[:, :place], one, expectations[:, place:]), dim=1)

    @functools.cached_property
    def _variants(self) -> list[Variant]:
        states = itertools.product(self.basis.states, repeat=len(self.fragment.prepared))
        terms = [range(len(insertion.letters)) for insertion in self.fragment.insertions]
        pairs = itertools.product(*(list(itertools.product(each, each)) for each in terms))
        return [
            Variant(state, tuple(bra for bra, _ in pair), tuple(ket for _, ket in pair))
            for state, pair in itertools.product(states, pairs)
        ]

    @functools.cached_property
    def _run(self) -> list[Variant]:
        """The variants that are run: of two whose values are each other's complex conjugates one."""
        return [variant for variant in self._variants if variant.bra <= variant.ket]


def _joined(word: Word, letters: tuple[str, ...], fragment: Fragment) -> Word:
    ends = ((qubit, letter) for (_, qubit), letter in zip(fragment.measured, letters, strict=True) if letter != "I")
    return tuple(sorted((*word, *ends)))


def _looked_up(read: dict[Variant, Tensor], variant: Variant) -> Tensor:
    if variant in read:
        return read[variant] if not variant.bra else read[variant] + 0j
    return read[Variant(variant.states, variant.ket, variant.bra)].conj()
