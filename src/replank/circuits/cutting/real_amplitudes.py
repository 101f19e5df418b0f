"""Circuits whose amplitudes are all real: no expectation value of theirs with a single Y differs from zero.

For a real state, ``<Y> = i (a b - b a) = 0``, and so is ``<O (x) Y>`` for every real O. The term of Y in the sum over a
cut wire then contributes nothing, so that it need not be run: two measurement settings and three preparations are left,
and the sum's norm falls from 4 to 3.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from replank.circuits.circuit import Circuit
from replank.circuits.cutting.fragments import Fragment
from replank.circuits.gates import GATES
from replank.circuits.observables import PauliSum
from replank.circuits.operations import Gate, Operation, PauliRotation, PrepareAmplitudes, PrepareProduct, Unitary
from replank.errors import CircuitCutError

_ROUNDING = 1e-12  # imaginary parts up to which a number is real


def check_y_vanishes(circuit: Circuit, observables: Sequence[PauliSum], fragments: Sequence[Fragment]) -> None:
    """Refuse what may have a term of Y that is not zero.

    Raises:
        CircuitCutError: an operation is not real, an observable has a Y, a gate is cut, or two cut wires end in one
            fragment: the product of two Ys is real.
    """
    problem = _problem(circuit, observables, fragments)
    if problem:
        widths = [fragment.width for fragment in fragments]
        raise CircuitCutError(
            f"cut: skip_zero_y needs fragments with real amplitudes, one cut wire that ends in each, and observables "
            f"without Y, got {problem} (fragments: {widths}). Leave skip_zero_y out."
        )


def _problem(circuit: Circuit, observables: Sequence[PauliSum], fragments: Sequence[Fragment]) -> str | None:
    for index, operation in enumerate(circuit):
        if not is_real(operation):
            return f"{operation.label} as operation {index}"
    if any(letter == "Y" for each in observables for word, _ in each.terms for _, letter in word):
        return "an observable with Y"
    if any(fragment.insertions for fragment in fragments):
        return "a gate that is cut"
    if any(len(fragment.measured) > 1 for fragment in fragments):
        return "two cut wires that end in one fragment"
    return None


def is_real(operation: Operation) -> bool:
    """Whether an operation takes real amplitudes to real ones, whatever its angles are."""
    match operation:
        case Gate(name="RY" | "CRY") | PrepareAmplitudes(amplitudes=tuple()):
            return True
        case Gate(name=name, angles=()):
            return _has_no_imaginary_part(GATES[name].matrix(torch.zeros(0, dtype=torch.complex128)).numpy())
        case PauliRotation(letters=letters):
            return letters.count("Y") % 2 == 1
        case Unitary(matrix=numbers) | PrepareProduct(states=numbers) | PrepareAmplitudes(amplitudes=numbers):
            return _has_no_imaginary_part(np.asarray(numbers))
    return False


def _has_no_imaginary_part(numbers: np.ndarray) -> bool:
    return bool(np.abs(numbers.imag).max() < _ROUNDING)
