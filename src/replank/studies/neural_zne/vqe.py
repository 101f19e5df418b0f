"""A variational eigensolver: angles that minimise an energy, exact or under noise, many starts side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from replank.circuits.circuit import Circuit
from replank.circuits.noise import NoiseModel
from replank.circuits.noise_families import NoiseFamily
from replank.circuits.noisy_circuit import NoisyCircuit
from replank.circuits.observables import PauliSum
from replank.lab.training import OptimiserBuilder

ADAM = partial(torch.optim.Adam, lr=0.1)


@dataclass(frozen=True)
class Path:
    """What a training went through.

    Args:
        steps: at which angles were kept, the first and the last among them.
        angles: ``(len(steps), starts, n_parameters)``.
        energies: that were minimised, ``(len(steps), starts)``.
    """

    steps: tuple[int, ...]
    angles: Tensor
    energies: Tensor


class VQE:
    """Angles of an ansatz that minimise the expectation value of a Hamiltonian, by the engine's exact gradients.

    Args:
        ansatz: without features.
        hamiltonian: on the qubits of the ansatz.
        noise: a family, and of what strength; no noise if not given.
        optimiser: from parameters to a torch optimiser that moves each number by itself, so that starts do not see each
            other.

    Raises:
        ValueError: the Hamiltonian is not on as many qubits as the ansatz.
    """

    def __init__(
        self,
        ansatz: Circuit,
        hamiltonian: PauliSum,
        *,
        noise: tuple[NoiseFamily, float] | None = None,
        optimiser: OptimiserBuilder = ADAM,
    ):
        n_qubits = max(hamiltonian.wires, default=-1) + 1
        if n_qubits != ansatz.n_qubits:
            raise ValueError(
                f"VQE: the Hamiltonian must be on the {ansatz.n_qubits} qubits of the ansatz, got one on {n_qubits}: "
                f"{hamiltonian}."
            )
        self.optimiser = optimiser
        self.energy = _energy(ansatz, hamiltonian, noise)

    def run(self, initial: Tensor, steps: int, every: int = 10) -> Path:
        """Train from initial angles ``(starts, n_parameters)``, and keep those after every few steps."""
        angles = nn.Parameter(initial.clone())
        optimiser = self.optimiser([angles])
        kept, found, energies = [], [], []
        for step in range(steps + 1):
            optimiser.zero_grad(set_to_none=True)
            energy = self.energy(angles)
            if step % every == 0 or step == steps:
                kept.append(step)
                found.append(angles.detach().clone())
                energies.append(energy.detach())
            if step < steps:
                torch.autograd.backward(energy.sum())
                optimiser.step()
        return Path(tuple(kept), torch.stack(found), torch.stack(energies))


def no_noise(p: float) -> NoiseModel:
    """Whatever the strength."""
    return NoiseModel()


def _energy(
    ansatz: Circuit, hamiltonian: PauliSum, noise: tuple[NoiseFamily, float] | None
) -> Callable[[Tensor], Tensor]:
    """From angles ``(B, n_parameters)`` to energies ``(B,)``."""
    if noise is None:
        return partial(NoisyCircuit(ansatz, no_noise).noiseless, hamiltonian)
    family, strength = noise
    circuit, p = NoisyCircuit(ansatz, family), torch.tensor([strength], dtype=torch.float64)

    def energy(angles: Tensor) -> Tensor:
        return circuit.expectation(hamiltonian, p, angles)[:, 0]

    return energy
