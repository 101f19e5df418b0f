"""Which circuits are mitigated: their energies under noise of all scales, and without."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import pi
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from replank.circuits.circuit import Circuit
from replank.circuits.folding import fold_global, fold_local, gate_ratio
from replank.circuits.noise_families import NOISE_FAMILIES
from replank.circuits.noisy_circuit import NoisyCircuit
from replank.circuits.observables import PauliSum
from replank.circuits.spin_chains import energies, heisenberg_xxz, transverse_ising, z_string
from replank.circuits.templates import hardware_efficient_layers
from replank.seeding import torch_stream
from replank.studies.neural_zne.settings import World
from replank.studies.neural_zne.vqe import VQE, Path

HAMILTONIANS: dict[str, Callable[[int], PauliSum]] = {
    "z-string": z_string,
    "tfim": transverse_ising,
    "xxz": heisenberg_xxz,
}
DTYPE = torch.float64
FOLDS = {"fold-global": fold_global, "fold-local": fold_local}


@dataclass(frozen=True, eq=False)
class Population:
    """Circuits in rows, as extrapolators see them, and what they are judged by.

    Energies are divided by the largest absolute eigenvalue of their Hamiltonian, so that errors can be compared.

    Args:
        scale: of the noise, in units of the device's, ``(m,)``.
        values: energies under noise, ``(S, m)``.
        targets: without, ``(S,)``.
        descriptors: counts, strength, Hamiltonian and angles, ``(S, d)``.
        rows: a row for each: columns ``hamiltonian``, ``depth``, ``p``, ``circuit``, ``lowest`` and ``highest``
            eigenvalue, and ``unit``, what energies were divided by.
    """

    scale: Tensor
    values: Tensor
    targets: Tensor
    descriptors: Tensor
    rows: pd.DataFrame


def ansatz(n_qubits: int, depth: int) -> Circuit:
    """RY and RZ on every qubit, then CNOTs along the chain; and rotations once more at the end."""
    return hardware_efficient_layers(n_qubits, depth)


def random_angles(n: int, n_parameters: int, seed: int, *purpose: str | int) -> Tensor:
    """Uniform in [0, 2 pi), ``(n, n_parameters)``, from a stream of their own."""
    return 2 * pi * torch.rand(n, n_parameters, generator=torch_stream(seed, *purpose), dtype=DTYPE)


# arms of one seed come one after the other, and share what they are given
@lru_cache(maxsize=4)
def random_circuits(world: World, seed: int, purpose: str = "test") -> Population:
    """Circuits with random angles, the same for all strengths and Hamiltonians of a depth."""
    parts = []
    for depth in world.depths:
        circuit = ansatz(world.n_qubits, depth)
        angles = random_angles(world.n_circuits, circuit.n_parameters, seed, "circuits", purpose, depth)
        repeated = angles.repeat_interleave(world.repeats, 0)
        rows = pd.DataFrame({"circuit": torch.arange(len(angles)).repeat_interleave(world.repeats)})
        stream = torch_stream(seed, "shots", purpose, depth)
        for p in world.strengths:
            parts += _measured(world, circuit, depth, p, repeated, rows, world.hamiltonians, stream)
    return _joined(parts)


def training_circuits(world: World, seed: int) -> Population:
    """Other random circuits of the same kind, for extrapolators that learn."""
    return random_circuits(replace(world, n_circuits=world.n_training, repeats=1, vqe_steps=0), seed, "training")


@dataclass(frozen=True, eq=False)
class Optima:
    """Circuits that eigensolvers went through; see :class:`Population` for what is measured of them.

    Args:
        population: with further columns ``step``, ``start`` and ``trained``: ``"noisy"`` or ``"noise-free"``.
        energies: that the trained angles were trained for, by Hamiltonian, in its own unit: at the end, ``(starts,)``.
    """

    population: Population
    energies: dict[tuple[str, str], Tensor]


@lru_cache(maxsize=8)
def _paths(world: World, seed: int, name: str) -> dict[str, Path]:
    """What a Hamiltonian's eigensolvers went through under noise, and where those without came to."""
    (depth,), (p,) = world.depths, world.strengths
    circuit, hamiltonian = ansatz(world.n_qubits, depth), HAMILTONIANS[name](world.n_qubits)
    initial = random_angles(world.vqe_starts, circuit.n_parameters, seed, "circuits", "vqe", name)
    noisy = VQE(circuit, hamiltonian, noise=(NOISE_FAMILIES[world.noise], p))
    pure = VQE(circuit, hamiltonian).run(initial, world.vqe_steps, world.vqe_steps)
    return {
        "noisy": noisy.run(initial, world.vqe_steps, world.vqe_every),
        "noise-free": Path(pure.steps[-1:], pure.angles[-1:], pure.energies[-1:]),
    }


@lru_cache(maxsize=2)
def trained_circuits(world: World, seed: int) -> Optima:
    """Each Hamiltonian's eigensolvers under the device's noise, at all steps; and without noise, at the end."""
    (depth,), (p,) = world.depths, world.strengths
    circuit, stream = ansatz(world.n_qubits, depth), torch_stream(seed, "shots", "vqe")
    parts: list[Population] = []
    found: dict[tuple[str, str], Tensor] = {}
    for name in world.hamiltonians:
        for trained, path in _paths(replace(world, scales=(1.0,)), seed, name).items():
            found[name, trained] = path.energies[-1]
            starts = torch.arange(world.vqe_starts).repeat(len(path.steps))
            steps = torch.tensor(path.steps).repeat_interleave(world.vqe_starts)
            rows = pd.DataFrame({"circuit": starts, "start": starts, "step": steps, "trained": trained})
            parts += _measured(world, circuit, depth, p, path.angles.flatten(0, 1), rows, (name,), stream)
    return Optima(_joined(parts), found)


def _measured(
    world: World,
    circuit: Circuit,
    depth: int,
    p: float,
    angles: Tensor,
    rows: pd.DataFrame,
    names: Sequence[str],
    stream: torch.Generator,
) -> list[Population]:
    """One population for each Hamiltonian, all measured on the same circuits."""
    hamiltonians = [HAMILTONIANS[name](world.n_qubits) for name in names]
    scale, values = _under_noise(world, circuit, p, angles, hamiltonians, stream)
    targets = NoisyCircuit(circuit, NOISE_FAMILIES[world.noise]).noiseless(hamiltonians, angles)
    counts = circuit.counts()
    found = []
    for k, name in enumerate(names):
        spectrum = energies(hamiltonians[k], world.n_qubits)
        unit = float(spectrum.abs().max())
        facts: dict[str, Any] = {
            "hamiltonian": name, "depth": depth, "p": p, "unit": unit,
            "lowest": float(spectrum[0]) / unit, "highest": float(spectrum[-1]) / unit,
        }  # fmt: skip
        known = [counts.n_gates - counts.n_two_qubit, counts.n_two_qubit, p, *(name == n for n in world.hamiltonians)]
        found.append(
            Population(
                scale,
                values[..., k] / unit,
                targets[:, k] / unit,
                _described(known, angles, 2 * world.n_qubits * (max(world.depths) + 1)),
                rows.assign(**facts),
            )
        )
    return found


def _under_noise(
    world: World,
    circuit: Circuit,
    p: float,
    angles: Tensor,
    hamiltonians: Sequence[PauliSum],
    stream: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Scales ``(m,)`` that were reached, and energies ``(B, m, K)``."""
    family, shots = NOISE_FAMILIES[world.noise], world.shots or None
    if world.scaling == "direct":
        scale = torch.tensor(world.scales, dtype=DTYPE)
        noisy = NoisyCircuit(circuit, family)
        return scale, noisy.expectation(hamiltonians, p * scale, angles, shots=shots, generator=stream)
    fold = FOLDS[world.scaling]
    folded = [fold(circuit, scale, partial=True) for scale in world.scales]
    strength = torch.tensor([p], dtype=DTYPE)
    values = [
        NoisyCircuit(each, family).expectation(hamiltonians, strength, angles, shots=shots, generator=stream)
        for each in folded
    ]
    return torch.tensor([gate_ratio(each, circuit) for each in folded], dtype=DTYPE), torch.cat(values, 1)


def _described(known: Sequence[float], angles: Tensor, width: int) -> Tensor:
    """What is known of each circuit, and cosines and sines of its angles, with zeros up to the deepest circuit's."""
    waves = torch.cat(
        [torch.nn.functional.pad(f(angles), (0, width - angles.shape[1])) for f in (torch.cos, torch.sin)], 1
    )
    return torch.cat((torch.tensor(known, dtype=DTYPE).expand(len(angles), -1), waves), 1)


def _joined(parts: Sequence[Population]) -> Population:
    """Populations as one.

    Raises:
        ValueError: their scales differ, as folding makes them for circuits of several depths.
    """
    scale = parts[0].scale
    for part in parts:
        if not torch.equal(part.scale, scale):
            raise ValueError(
                f"population: all circuits must be measured at the same scales, got {scale.tolist()} and "
                f"{part.scale.tolist()}. Fold by odd integers, or take one depth."
            )
    return Population(
        scale,
        torch.cat([part.values for part in parts]),
        torch.cat([part.targets for part in parts]),
        torch.cat([part.descriptors for part in parts]),
        pd.concat([part.rows for part in parts], ignore_index=True),
    )
