"""Random circuits, and slow second opinions, for the tests of cutting."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from replank.circuits import Circuit, PauliSum, X, Y, Z, reference, theta, x
from replank.circuits.cutting import WireCut
from replank.seeding import numpy_stream

F64 = torch.float64
ONE_QUBIT = ("H", "S", "T", "SX", "RX", "RY", "RZ", "P", "U3")
TWO_QUBIT = ("CNOT", "CZ", "CY", "CH", "CRX", "CRY", "CRZ", "CP", "RXX", "RYY", "RZZ", "iSWAP", "SWAP", "haar")
N_ANGLES = {
    "RX": 1,
    "RY": 1,
    "RZ": 1,
    "P": 1,
    "U3": 3,
    "CRX": 1,
    "CRY": 1,
    "CRZ": 1,
    "CP": 1,
    "RXX": 1,
    "RYY": 1,
    "RZZ": 1,
}


def haar(rng: np.random.Generator, dim: int = 4) -> np.ndarray:
    q, r = np.linalg.qr(rng.normal(size=(dim, dim)) + 1j * rng.normal(size=(dim, dim)))
    return q * (np.diag(r) / abs(np.diag(r)))


def random_circuit(n: int, n_more: int, rng: np.random.Generator, two_qubit: Sequence[str] = TWO_QUBIT) -> Circuit:
    """A connected circuit with angles of parameters, features and numbers.

    Two-qubit gates on all neighbours in a random order and ``n_more`` on random pairs, with single-qubit gates before.
    """
    pairs = [[int(one), int(one) + 1] for one in rng.permutation(n - 1)]
    pairs += [[int(wire) for wire in rng.choice(n, 2, replace=False)] for _ in range(n_more)]
    circuit = Circuit(n)
    kinds = [lambda: theta[int(rng.integers(4))], lambda: x[int(rng.integers(2))] * 1.3, lambda: rng.uniform(-3, 3)]

    def angles(name: str) -> list[object]:
        return [kinds[rng.integers(3)]() for _ in range(N_ANGLES.get(name, 0))]

    for pair in pairs:
        for wire in pair:
            name = str(rng.choice(ONE_QUBIT))
            circuit.gate(name, angles(name), (wire,))
        name = str(rng.choice(two_qubit))
        pair = pair[:: rng.choice((-1, 1))]
        if name == "haar":
            circuit.unitary(haar(rng), pair)
        else:
            circuit.gate(name, angles(name), pair)
    return circuit


def random_observable(n: int, rng: np.random.Generator, n_terms: int = 3) -> PauliSum:
    total = PauliSum(())
    for _ in range(n_terms):
        wires = rng.choice(n, size=int(rng.integers(1, n + 1)), replace=False)
        product = PauliSum((((), 1.0),))
        for wire in wires:
            product = product @ (X, Y, Z)[rng.integers(3)](int(wire))
        total = total + product * float(rng.normal())
    return total


def inputs(circuit: Circuit, seed: int, n_samples: int = 2) -> tuple[Tensor, Tensor]:
    """Features and parameters for a circuit."""
    rng = numpy_stream(seed, "inputs")
    return torch.tensor(rng.normal(size=(n_samples, circuit.n_features))), torch.tensor(
        rng.normal(size=circuit.n_parameters)
    )


def uncut(circuit: Circuit, observable: PauliSum, features: Tensor, parameters: Tensor) -> Tensor:
    """By density matrices: another way than the fragments run."""
    rhos = [reference.density_matrix(circuit, sample, parameters) for sample in features]
    return torch.stack([reference.expectation(observable, rho) for rho in rhos])


class WidthCounter:
    """Runs circuits and notes the qubits of the state that was really held."""

    def __init__(self):
        self.widths: list[int] = []

    def __call__(self, circuit, observables, features, parameters):
        states = reference.state(circuit, features, parameters)
        self.widths.append(states.shape[1].bit_length() - 1)
        rhos = [torch.outer(state, state.conj()) for state in states]
        return torch.stack([torch.stack([reference.expectation(each, rho) for each in observables]) for rho in rhos])


def gamma_by_subsets(n_wires: int, edges: Sequence[tuple[int, int, float]]) -> float:
    """The definition: a sum over all sets of cut gates of ``2^rank`` times their interferences."""
    total = 0.0
    for chosen in itertools.chain.from_iterable(itertools.combinations(edges, k) for k in range(len(edges) + 1)):
        group = {end: end for a, b, _ in edges for end in (a, b)}
        rank = 0
        for a, b, _ in chosen:
            if group[a] != group[b]:
                rank += 1
                old, new = group[a], group[b]
                group = {end: new if name == old else name for end, name in group.items()}
        total += 2.0**rank * math.prod(weight for *_, weight in chosen)
    return 4.0**n_wires * total


def ry_chain(n: int) -> Circuit:
    """RY on two neighbours and a CNOT, along a chain; the parameters come round again after four."""
    circuit = Circuit(n)
    for wire in range(n - 1):
        circuit.ry(theta[wire % 4] + x[0], wire).ry(theta[(wire + 1) % 4] * 0.7, wire + 1).cnot(wire, wire + 1)
    return circuit


def last_before(circuit: Circuit, wire: int, n_pairs: int) -> WireCut:
    """The cut of a wire after its ``n_pairs``-th two-qubit gate."""
    pairs = [index for index, op in enumerate(circuit) if wire in op.wires and len(op.wires) == 2]
    return WireCut(wire, pairs[n_pairs - 1])
