"""Expectation values as a device gives them: from finitely many shots, read with errors.

Pauli strings that differ nowhere in their letters are measured together, in one *setting*: each measured qubit is
turned so that its letter becomes Z, and all are read at once. Every setting gets the same number of shots. A string
with the expectation value e then has the variance ``(1 - e^2) / shots``; strings of one setting are correlated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from replank.circuits.circuit import Circuit
from replank.circuits.columns import Columns
from replank.circuits.noise import ReadoutError
from replank.circuits.observables import Probabilities
from replank.circuits.plan import Plan
from replank.circuits.primitives import Word


@dataclass(frozen=True, eq=False)
class Setting:
    """What is measured together.

    Args:
        plan: gives the probabilities of all outcomes ``(G, B, 2^k)``, after the turn to Z.
        weights: of the outcomes in the columns of all observables, ``(2^k, T)``.
    """

    plan: Plan
    weights: NDArray[np.float64]


class Shots:
    """Observables of a circuit by the outcomes of measurements.

    Args:
        circuit: it may have channels.
        columns: what is wanted.
        readout: how outcomes are read; as they are if not given.
    """

    def __init__(self, circuit: Circuit, columns: Columns, readout: ReadoutError | None = None):
        self.columns, self.readout = columns, readout
        groups = group(columns.words)
        self.settings = [_setting(circuit, letters, members, columns) for letters, members in groups]

    def run(
        self, features: Tensor, parameters: Tensor, *, shots: int | None, generator: torch.Generator | None = None
    ) -> Tensor:
        """The columns ``(G, B, T)``: means over shots, or exact ones if ``shots`` is none.

        Gradients are those of the exact means.

        Shape: ``features`` ``(G or 1, B, n_features)``, ``parameters`` ``(G or 1, n_parameters)``.
        """
        total = torch.as_tensor(self.columns.constants).to(features)
        for setting in self.settings:
            frequencies = setting.plan.run(features, parameters)
            if self.readout is not None:
                frequencies = self.readout.of_probabilities(frequencies)
            if shots is not None:
                frequencies = sampled(frequencies, shots, generator)
            total = total + frequencies @ torch.as_tensor(setting.weights).to(frequencies)
        return total


def group(words: Sequence[Word]) -> list[tuple[dict[int, str], list[int]]]:
    """Words that can be measured together: the letter of each measured wire, and the words' places.

    Longer words first, each into the first group that it fits.
    """
    groups: list[tuple[dict[int, str], list[int]]] = []
    for place in sorted(range(len(words)), key=lambda place: -len(words[place])):
        word = words[place]
        home = next((g for g in groups if all(g[0].get(wire, letter) == letter for wire, letter in word)), None)
        if home is None:
            home = ({}, [])
            groups.append(home)
        home[0].update(word)
        home[1].append(place)
    return groups


def _setting(circuit: Circuit, letters: dict[int, str], members: Sequence[int], columns: Columns) -> Setting:
    wires = tuple(sorted(letters))
    turned = circuit.copy()
    for wire in wires:
        # exp(i pi/4 Y) X exp(-i pi/4 Y) = Z, and likewise from Y by X
        if letters[wire] == "X":
            turned.ry(-pi / 2, wire)
        elif letters[wire] == "Y":
            turned.rx(pi / 2, wire)
    signs = np.stack([_signs([wires.index(wire) for wire, _ in columns.words[place]], len(wires)) for place in members])
    return Setting(turned.plan(Probabilities(wires)), signs.T @ columns.weights[list(members)])


def _signs(qubits: Sequence[int], k: int) -> NDArray[np.float64]:
    """The product of some qubits' signs in each outcome of k."""
    mask = sum(1 << (k - 1 - qubit) for qubit in qubits)
    return 1.0 - 2.0 * (np.bitwise_count(np.arange(2**k) & mask) % 2)


def sampled(probabilities: Tensor, shots: int, generator: torch.Generator | None) -> Tensor:
    """Relative frequencies in ``shots`` draws from probabilities ``(*, m)``; gradients pass as through the identity."""
    p = probabilities.detach().to("cpu", torch.float64).clamp(min=0)
    p = p / p.sum(-1, keepdim=True)
    seed = torch.randint(2**63 - 1, (), generator=generator, device=None if generator is None else generator.device)
    counts = np.random.default_rng(int(seed)).multinomial(shots, p.numpy())
    frequencies = torch.as_tensor(counts / shots).to(probabilities)
    return probabilities + (frequencies - probabilities).detach() if probabilities.requires_grad else frequencies
