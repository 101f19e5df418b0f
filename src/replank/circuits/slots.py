"""The angles of a program as one table: what each slot adds up, with which weights.

A slot is ``constant + sum_k coefficient_k * source_k``. Sources are the parameters, the features, and what is not
affine in them (``theta[0] * x[1]``, ``arccos(x[0])``): such atoms are computed in torch and appended as further
parameters, or as further features if they depend on one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from replank.circuits.angle import Angle, Atom, Variable, evaluate_atom


class Slots:
    """The affine table of some angles.

    Args:
        angles: one for each slot.
        n_features: number of features of a sample.
        n_parameters: number of parameters.
    """

    def __init__(self, angles: Sequence[Angle], n_features: int, n_parameters: int):
        self.angles = tuple(angles)
        self.per_sample = np.array([angle.per_sample for angle in angles], dtype=bool)
        self.constants = np.array([angle.constant for angle in angles], dtype=np.float64)
        derived = {atom: None for angle in angles for atom, _ in angle.terms if not isinstance(atom, Variable)}
        self._shared = [atom for atom in derived if not _depends_on_features(atom)]
        self._sampled = [atom for atom in derived if _depends_on_features(atom)]
        self.n_features = n_features + len(self._sampled)
        self.n_parameters = n_parameters + len(self._shared)
        self._position = {atom: n_parameters + index for index, atom in enumerate(self._shared)}
        self._position |= {atom: n_features + index for index, atom in enumerate(self._sampled)}

    def __len__(self) -> int:
        return len(self.angles)

    def sources(self, features: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Features and parameters with the derived ones behind them.

        Shape: ``features`` ``(G or 1, B, n)``, ``parameters`` ``(G or 1, n)``; likewise with larger n.
        """
        shared, sampled = self._shared, self._sampled
        if sampled:
            inputs = (features, parameters[:, None])
            batch = torch.broadcast_shapes(features.shape[:-1], (len(parameters), 1))  # type: ignore[no-untyped-call]
            columns = [evaluate_atom(atom, *inputs).expand(batch) for atom in sampled]
            features = torch.cat((features.expand(*batch, -1), torch.stack(columns, -1)), -1)
        if shared:
            columns = [evaluate_atom(atom, parameters, parameters) for atom in shared]
            parameters = torch.cat((parameters, torch.stack(columns, -1)), -1)
        return features, parameters

    def _column(self, atom: Atom) -> tuple[bool, int]:
        """Whether a source is a feature, and its place among the features or parameters."""
        if isinstance(atom, Variable):
            return atom.kind == "x", atom.index
        return _depends_on_features(atom), self._position[atom]

    @cached_property
    def rows(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Compressed rows: where each slot's terms begin, their sources, and their coefficients.

        A source is the parameter ``k`` if ``k >= 0``, and the feature ``-k - 1`` otherwise.
        """
        begins, sources, coefficients = [0], [], []
        for angle in self.angles:
            for atom, coefficient in angle.terms:
                is_feature, position = self._column(atom)
                sources.append(-position - 1 if is_feature else position)
                coefficients.append(coefficient)
            begins.append(len(sources))
        return np.array(begins, np.int64), np.array(sources, np.int64), np.array(coefficients, np.float64)

    def matrices(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The same table as dense matrices ``(n_features, n_slots)`` and ``(n_parameters, n_slots)``."""
        by_feature = np.zeros((self.n_features, len(self)))
        by_parameter = np.zeros((self.n_parameters, len(self)))
        for slot, angle in enumerate(self.angles):
            for atom, coefficient in angle.terms:
                is_feature, position = self._column(atom)
                (by_feature if is_feature else by_parameter)[position, slot] = coefficient
        return by_feature, by_parameter


def _depends_on_features(atom: Atom) -> bool:
    return Angle(((atom, 1.0),)).per_sample
