"""A fixed circuit as a feature map: features turn qubits, the probabilities of all outcomes are the new features.

Qubit 0 is the most significant bit of an outcome, as in PennyLane; Qiskit counts from the other end.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from replank.circuits import Circuit, Probabilities, x
from replank.circuits.shots import sampled
from replank.circuits.templates import angle_embedding
from replank.circuits.templates.topology import coupled_pairs
from replank.errors import UnknownName

Hadamard = Literal["none", "first", "all"]
"""Which qubits get a Hadamard gate after the rotations: none, qubit 0, or each."""


def cnot_cascade(n_qubits: int) -> Circuit:
    """CNOTs from each qubit to the next, in order.

    It permutes basis states: bits ``b`` become their running parities, ``c_0 = b_0``, ``c_k = c_(k-1) xor b_k``.
    """
    circuit = Circuit(n_qubits)
    for control, target in coupled_pairs(n_qubits, "linear"):
        circuit.cnot(control, target)
    return circuit


def feature_circuit(
    n_qubits: int, hadamard: Hadamard = "first", entangle: bool = True, *, n_features: int | None = None
) -> Circuit:
    """RY by a feature on each qubit, Hadamards, a cascade of CNOTs; again for the next features, until none is left.

    In the last block, qubits for which there is no feature are not turned.

    Args:
        n_qubits: number of qubits.
        hadamard: which qubits get a Hadamard.
        entangle: whether there are CNOTs.
        n_features: number of features, ``n_qubits`` if not given.

    Raises:
        UnknownName: no such ``hadamard``.
        ValueError: there are fewer features than qubits.
    """
    n_features = n_qubits if n_features is None else n_features
    if n_features < n_qubits:
        raise ValueError(
            f"feature_circuit: each qubit needs a feature, got n_features={n_features} for n_qubits={n_qubits}. "
            "Take fewer qubits."
        )
    n_hadamards = _n_hadamards(n_qubits, hadamard)
    circuit = Circuit(n_qubits)
    for first in range(0, n_features, n_qubits):
        block = x[first : min(first + n_qubits, n_features)]
        circuit.extend(angle_embedding(n_qubits, features=block, rotation="RY"))
        for wire in range(n_hadamards):
            circuit.h(wire)
        if entangle:
            circuit.extend(cnot_cascade(n_qubits))
    return circuit


class QuantumFeatureMap(nn.Module):
    """The probabilities of all outcomes of :func:`feature_circuit`, exact or as frequencies in so many shots.

    Nothing in it is trained; gradients reach the angles, through shots as if they were exact. Of one block, i.e.
    without more features than qubits, :func:`product_xor_features` is the closed form.

    Shape: ``(*, n_features) -> (*, 2^n_qubits)``.

    Args:
        n_qubits: number of qubits.
        hadamard: which qubits get a Hadamard.
        entangle: whether there are CNOTs.
        n_features: number of angles, ``n_qubits`` if not given.
        shots: how often each sample's circuit is measured; the probabilities are exact if not given.
        generator: shots are drawn from it; from torch's default one if not given.

    Raises:
        UnknownName: no such ``hadamard``.
        ValueError: there are fewer features than qubits, or no shot; in ``forward``, another number of features.
    """

    def __init__(
        self,
        n_qubits: int,
        hadamard: Hadamard = "first",
        entangle: bool = True,
        *,
        n_features: int | None = None,
        shots: int | None = None,
        generator: torch.Generator | None = None,
    ):
        super().__init__()
        if shots is not None and shots < 1:
            raise ValueError(f"QuantumFeatureMap: there must be at least one shot, got shots={shots}.")
        self.plan = feature_circuit(n_qubits, hadamard, entangle, n_features=n_features).plan(Probabilities())
        self.n_qubits, self.hadamard, self.entangle = n_qubits, hadamard, entangle
        self.shots, self.generator = shots, generator

    def forward(self, angles: Tensor) -> Tensor:
        """Probabilities or frequencies, qubit 0 as the most significant bit."""
        n_features = self.plan.n_features
        if angles.ndim == 0 or angles.shape[-1] != n_features:
            raise ValueError(
                f"QuantumFeatureMap: the last dimension must be n_features={n_features}, an angle for each rotation on "
                f"{self.n_qubits} qubits, got input of shape {tuple(angles.shape)}."
            )
        probabilities: Tensor = self.plan(angles, angles.new_zeros(0))
        return probabilities if self.shots is None else sampled(probabilities, self.shots, self.generator)

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return (
            f"n_qubits={self.n_qubits}, hadamard={self.hadamard!r}, entangle={self.entangle}, "
            f"n_features={self.plan.n_features}, shots={self.shots}"
        )


def product_xor_features(angles: Tensor, hadamard: Hadamard = "first", entangle: bool = True) -> Tensor:
    """What :class:`QuantumFeatureMap` gives, without a circuit: a product distribution, its outcomes permuted.

    Rotations leave a product state with real amplitudes, and a Hadamard keeps it one: qubit k is 1 with probability
    ``sin^2(a_k / 2)``, or ``(1 - sin a_k) / 2`` behind a Hadamard, which makes ``a`` and ``pi - a`` alike. CNOTs only
    permute outcomes: ``p(c) = prod_k q_k(c_k xor c_(k-1))``.

    Shape: ``(*, n) -> (*, 2^n)``.

    Args:
        angles: one for each qubit.
        hadamard: which qubits have a Hadamard.
        entangle: whether there are CNOTs.

    Raises:
        UnknownName: no such ``hadamard``.
    """
    n = angles.shape[-1]
    folded = torch.arange(n, device=angles.device) < _n_hadamards(n, hadamard)
    ones = torch.where(folded, (1 - angles.sin()) / 2, (angles / 2).sin().square())
    product = angles.new_ones(*angles.shape[:-1], 1)
    for one in ones.unbind(-1):
        bit = torch.stack((1 - one, one), dim=-1)
        product = (product.unsqueeze(-1) * bit.unsqueeze(-2)).flatten(-2)
    if not entangle:
        return product
    outcomes = torch.arange(2**n, device=angles.device)
    return product[..., outcomes ^ (outcomes >> 1)]


def _n_hadamards(n_qubits: int, hadamard: Hadamard) -> int:
    if hadamard not in get_args(Hadamard):
        raise UnknownName("hadamard", str(hadamard), get_args(Hadamard))
    return {"none": 0, "first": 1, "all": n_qubits}[hadamard]
