"""The paper's constructions, without training: what they predict for every string."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from replank.circuits import Circuit
from replank.circuits.templates import majority_circuit, parity_circuit, reed_muller_circuit
from replank.lab.trial import Measurements
from replank.seeding import numpy_stream
from replank.studies.farhi_neven_qnn.classifier import ReadoutClassifier
from replank.studies.farhi_neven_qnn.problems import (
    DTYPE,
    all_strings,
    majority_labels,
    parity_labels,
    random_mask,
)

Construction = Callable[[int, np.random.Generator], tuple[Circuit, Tensor]]


def measure_representation(arm: str, most_bits: int, seed: int) -> Measurements:
    """How far a construction's predictions are from the labels, over all strings of 1 to ``most_bits`` bits."""
    deviations, accuracies = [], []
    for n, stream in _sizes(most_bits, seed):
        circuit, labels = CONSTRUCTIONS[arm](n, stream)
        with torch.no_grad():
            scores = ReadoutClassifier(n, circuit, dtype=DTYPE)(all_strings(n))
        deviations.append(float((scores - labels).abs().max()))
        accuracies.append(float((scores.sign() == labels).double().mean()))
    return Measurements(
        {
            "largest_deviation": max(deviations),
            "test_accuracy": min(accuracies),
            "test_ceiling_accuracy": 1.0,
            "parameters": 0.0,
        }
    )


def _sizes(most_bits: int, seed: int) -> Iterator[tuple[int, np.random.Generator]]:
    for n in range(1, most_bits + 1):
        yield n, numpy_stream(seed, "representation", n)


def _parity(n: int, stream: np.random.Generator) -> tuple[Circuit, Tensor]:
    mask = random_mask(n, int(stream.integers(1, n + 1)), stream)
    return parity_circuit(mask.int().tolist()), parity_labels(all_strings(n), mask)


def _majority(n: int, stream: np.random.Generator) -> tuple[Circuit, Tensor]:
    mask = random_mask(n, int(stream.choice(np.arange(1, n + 1, 2))), stream)
    return majority_circuit(mask.int().tolist()), majority_labels(all_strings(n), mask)


def _function(n: int, stream: np.random.Generator) -> tuple[Circuit, Tensor]:
    table = stream.integers(2, size=2**n)
    return reed_muller_circuit(table), torch.from_numpy(1.0 - 2.0 * table)


CONSTRUCTIONS: dict[str, Construction] = {
    "exact-parity": _parity,
    "exact-majority": _majority,
    "exact-function": _function,
}
