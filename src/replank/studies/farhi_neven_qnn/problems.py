"""What is learned: bit strings from images, parities, majorities, superpositions of strings, energies of states."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from replank.circuits.given_states import diagonal
from replank.datasets import Dataset
from replank.features.threshold import ThresholdEncoder, remove_contradictions
from replank.seeding import numpy_stream, torch_stream
from replank.studies.farhi_neven_qnn.settings import ReadoutSettings

DIGITS = (3, 6)
DTYPE = torch.float64
N_SUPERPOSED_BITS = 3


class Labelled(NamedTuple):
    """Samples and their labels, +1 and -1."""

    x: Tensor
    y: Tensor


@dataclass(frozen=True)
class Problem:
    """Training and test samples.

    Args:
        n_data: data qubits.
        train: what is trained on.
        test: what is judged, by the names of metrics: ``"test_"`` and perhaps others.
        pairs: qubits that belong together, if the problem says so.
        is_state: whether samples are state vectors, and not bits.
        facts: numbers that belong to the record.
    """

    n_data: int
    train: Labelled
    test: dict[str, Labelled]
    pairs: tuple[tuple[int, int], ...] = ()
    is_state: bool = False
    facts: dict[str, float] = field(default_factory=dict)


def make_problem(settings: ReadoutSettings, dataset: Dataset, seed: int) -> Problem:
    """The problem of a trial."""
    match settings.problem:
        case "images":
            return images(settings, dataset)
        case "parity" | "majority":
            return subset_of_bits(settings, seed)
        case "superposition-parity" | "superposition-majority":
            return superpositions(settings, seed)
        case "energy":
            return energies(settings, seed)
    raise ValueError(f"make_problem: {settings.problem!r} is no problem that is trained on.")


# -- images ------------------------------------------------------------------------------------------------------------


def images(settings: ReadoutSettings, dataset: Dataset) -> Problem:
    """3 against 6 as strings; tested on everything and, as in the paper, on strings that occur with one label."""
    data = dataset.of_classes(DIGITS)
    encoder = ThresholdEncoder(settings.mode, settings.side, settings.threshold)
    train, test = (
        Labelled(*_signed(x, y, data.card.pixel_max))
        for x, y in ((data.train_x, data.train_y), (data.test_x, data.test_y))
    )
    encoder.fit(train.x)
    train, test = (Labelled(encoder(part.x), part.y) for part in (train, test))
    x, y, found = remove_contradictions(*train)
    clean_x, clean_y, found_in_test = remove_contradictions(*test)
    return Problem(
        n_data=settings.side**2,
        train=Labelled(x, y) if settings.contradictions == "remove" else train,
        test={"test_": test, "test_clean_": Labelled(clean_x, clean_y)},
        facts={
            f"strings_{part}_{name}": float(value)
            for part, report in (("train", found), ("test", found_in_test))
            for name, value in vars(report).items()
        },
    )


def _signed(x: np.ndarray, y: np.ndarray, pixel_max: int) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(x).to(DTYPE) / pixel_max, 1 - 2 * torch.from_numpy(y).to(DTYPE)


# -- strings -----------------------------------------------------------------------------------------------------------


def all_strings(n: int) -> Tensor:
    """All strings of n bits, ``(2^n, n)``, 0...0 first."""
    return (torch.arange(2**n)[:, None] >> torch.arange(n - 1, -1, -1) & 1).to(DTYPE)


def parity_labels(bits: Tensor, mask: Tensor) -> Tensor:
    """+1 where an even number of the mask's bits is 1."""
    return 1 - 2 * ((bits @ mask) % 2)


def majority_labels(bits: Tensor, mask: Tensor) -> Tensor:
    """+1 where most of the mask's bits are 0; ties, which an even mask has, are +1 and warned of."""
    if int(mask.sum()) % 2 == 0:
        warnings.warn(f"majority_labels: an even number of bits can tie, got {int(mask.sum())}.", stacklevel=2)
    return torch.where((1 - 2 * bits) @ mask >= 0, 1.0, -1.0).to(DTYPE)


def random_mask(n: int, size: int, stream: np.random.Generator) -> Tensor:
    """A mask of ``size`` random bits of n."""
    mask = torch.zeros(n, dtype=DTYPE)
    mask[torch.from_numpy(stream.permutation(n)[:size])] = 1
    return mask


def subset_of_bits(settings: ReadoutSettings, seed: int) -> Problem:
    """The parity of half of the bits, or the majority of an odd number of them; all strings are tested."""
    n, stream = settings.n_bits, numpy_stream(seed, "subset", settings.problem)
    strings = all_strings(n)
    if settings.problem == "parity":
        mask = random_mask(n, (n + 1) // 2, stream)
        labels, chosen = parity_labels(strings, mask), stream.integers(2**n, size=settings.n_train)
    else:
        mask = random_mask(n, int(stream.choice(np.arange(3, n + 1, 2))), stream)
        labels, chosen = majority_labels(strings, mask), np.arange(settings.n_train) % 2**n
    flipped = torch.from_numpy(stream.random(settings.n_train) < settings.noise)
    index = torch.from_numpy(chosen)
    return Problem(
        n_data=n,
        train=Labelled(strings[index], torch.where(flipped, -labels[index], labels[index])),
        test={"test_": Labelled(strings, labels)},
        facts={"subset_size": float(mask.sum()), "flipped_labels": float(flipped.double().mean())},
    )


# -- states ------------------------------------------------------------------------------------------------------------


def superpositions(settings: ReadoutSettings, seed: int) -> Problem:
    """Two states: equal superpositions of all strings of either label; each string is tested, as a basis state."""
    n = settings.n_bits
    mask = random_mask(n, N_SUPERPOSED_BITS, numpy_stream(seed, "subset", settings.problem))
    rule = parity_labels if settings.problem == "superposition-parity" else majority_labels
    labels = rule(all_strings(n), mask)
    states = torch.stack([(labels == label).to(DTYPE) for label in (1, -1)])
    return Problem(
        n_data=n,
        train=Labelled(
            states / torch.linalg.vector_norm(states, dim=1, keepdim=True), torch.tensor([1.0, -1.0]).to(DTYPE)
        ),
        test={"test_": Labelled(torch.eye(2**n, dtype=DTYPE), labels)},
        is_state=True,
    )


def energies(settings: ReadoutSettings, seed: int) -> Problem:
    """The sign of ``<sum Z_i Z_j>`` over a random 3-regular graph's edges, in random product states."""
    n = settings.n_bits
    edges = random_regular_graph(n, 3, numpy_stream(seed, "graph"))
    stream = torch_stream(seed, "states")
    parts = (random_product_states(n, size, stream) for size in (settings.n_train, settings.n_test))
    train, test = (Labelled(states, energy_labels(states, edges)) for states in parts)
    return Problem(n_data=n, train=train, test={"test_": test}, pairs=edges, is_state=True)


def energy_labels(states: Tensor, edges: Sequence[tuple[int, int]]) -> Tensor:
    """The sign of the energy of states ``(B, 2^n)``; 0 counts as +1."""
    n = int(states.shape[1]).bit_length() - 1
    energy = states.abs().square() @ diagonal(n, edges).sum(1)
    return torch.where(energy >= 0, 1.0, -1.0).to(DTYPE)


def random_product_states(n: int, count: int, stream: torch.Generator) -> Tensor:
    """States of n qubits, each qubit's uniform on the Bloch sphere: ``(count, 2^n)``, complex."""
    qubits = torch.view_as_complex(torch.randn(count, n, 2, 2, generator=stream, dtype=DTYPE))
    qubits = qubits / torch.linalg.vector_norm(qubits, dim=2, keepdim=True)
    states = qubits[:, 0]
    for wire in range(1, n):
        states = (states[:, :, None] * qubits[:, wire, None, :]).flatten(1)
    return states


def random_regular_graph(n: int, degree: int, stream: np.random.Generator) -> tuple[tuple[int, int], ...]:
    """The edges of a random graph in which each of n vertices has ``degree`` neighbours, sorted.

    Half-edges are paired at random until no edge is a loop or comes twice.

    Raises:
        ValueError: there is no such graph.
    """
    if n * degree % 2 or not 0 < degree < n:
        raise ValueError(f"random_regular_graph: no graph has n={n} vertices of degree={degree}.")
    while True:
        pairs = np.sort(stream.permutation(np.repeat(np.arange(n), degree)).reshape(-1, 2), axis=1)
        edges = {(int(a), int(b)) for a, b in pairs}
        if len(edges) == len(pairs) and all(a != b for a, b in edges):
            return tuple(sorted(edges))
