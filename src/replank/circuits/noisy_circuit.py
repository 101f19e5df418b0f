"""Expectation values of one circuit for many angles and many strengths of noise: exact density matrices."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

from replank.circuits.angle import Variable, x
from replank.circuits.circuit import Circuit
from replank.circuits.estimators import Estimator
from replank.circuits.noise_families import NoiseFamily
from replank.circuits.observables import PauliSum
from replank.errors import UsageError

_MOST_QUBITS = 8
_BYTES = 16  # of a complex number

Observables = PauliSum | tuple[PauliSum, ...]


class NoisyCircuit:
    """A circuit without noise, and a family of noises to put into it.

    A density matrix of n qubits is run by the engine as a state of 2n, planned once for each strength; all sets of
    angles are lanes of one batch. Values are differentiable with respect to the angles.

    Args:
        circuit: without features; its parameters are what differs from one set of angles to the next.
        noise: from a strength to a model, e.g. of :data:`replank.circuits.noise_families.NOISE_FAMILIES`.

    Raises:
        ValueError: the circuit takes features.
        UsageError: more than 8 qubits.

    Example:
        >>> from replank.circuits import Z, theta
        >>> from replank.circuits.noise_families import depolarising_noise
        >>> noisy = NoisyCircuit(Circuit(1).ry(theta[0], 0), depolarising_noise)
        >>> noisy.expectation(Z(0), torch.tensor([0.0, 0.1]), torch.zeros(1, 1))
        tensor([[1.0000, 0.9000]])
    """

    def __init__(self, circuit: Circuit, noise: NoiseFamily):
        if circuit.n_features:
            raise ValueError(f"NoisyCircuit: the circuit must take no features, got n_features={circuit.n_features}.")
        if circuit.n_qubits > _MOST_QUBITS:
            raise UsageError(
                f"NoisyCircuit: density matrices go up to {_MOST_QUBITS} qubits, got n_qubits={circuit.n_qubits}: one "
                f"takes {_BYTES * 4**circuit.n_qubits:,} bytes for each set of angles. Average over "
                "replank.circuits.Trajectories instead."
            )
        self.circuit, self.noise = circuit, noise
        angles = {Variable("theta", k): x[k] for k in range(circuit.n_parameters)}
        self._lanes = circuit.substitute(angles)
        self._planned = cache(self._plan)
        self._planned_pure = cache(lambda observables: self._lanes.copy().plan(_given(observables)))

    def expectation(
        self,
        observable: PauliSum | Sequence[PauliSum],
        p: Tensor,
        parameters: Tensor,
        *,
        shots: int | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Expectation values under noise of each strength, read as the noise says.

        Shape: ``p`` ``(m,)``, ``parameters`` ``(B, n_parameters)``; the result is ``(B, m)``, or ``(B, m, K)`` for a
        sequence of K observables.

        Args:
            observable: one or several.
            p: strengths.
            parameters: sets of angles.
            shots: how often each setting is measured; values are exact if not given.
            generator: for shots; torch's default one if not given.

        Raises:
            ValueError: no strength, one that the noise refuses, angles of another shape, or an observable on qubits
                that the circuit does not have.
        """
        if p.ndim != 1 or not len(p):
            raise ValueError(f"NoisyCircuit: strengths must have shape (m,) with m > 0, got {tuple(p.shape)}.")
        self._check(parameters)
        empty = parameters.new_zeros(0)
        columns = [
            self._planned(_key(observable), float(each), shots)(parameters, empty, generator=generator) for each in p
        ]
        return torch.stack(columns, 1)

    def noiseless(self, observable: PauliSum | Sequence[PauliSum], parameters: Tensor) -> Tensor:
        """The same without noise, from pure states: ``(B,)``, or ``(B, K)`` for a sequence."""
        self._check(parameters)
        values: Tensor = self._planned_pure(_key(observable))(parameters, parameters.new_zeros(0))
        return values

    def _check(self, parameters: Tensor) -> None:
        if parameters.ndim != 2 or parameters.shape[1] != self.circuit.n_parameters:
            raise ValueError(
                f"NoisyCircuit: angles must have shape (B, {self.circuit.n_parameters}), got {tuple(parameters.shape)}."
            )

    def _plan(self, observables: Observables, p: float, shots: int | None) -> Estimator:
        model = self.noise(p)
        return Estimator(model.apply(self._lanes).plan(_given(observables)), shots=shots, readout=model.readout)


def _key(observable: PauliSum | Sequence[PauliSum]) -> Observables:
    return observable if isinstance(observable, PauliSum) else tuple(observable)


def _given(observables: Observables) -> PauliSum | list[PauliSum]:
    return observables if isinstance(observables, PauliSum) else list(observables)
