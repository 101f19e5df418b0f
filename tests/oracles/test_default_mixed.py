"""PennyLane's ``default.mixed`` as witness of channels, density matrices, trajectories, and reading errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pennylane as qml
import pytest
import torch
from pennylane import numpy as pnp

from replank.circuits import Circuit, PauliSum, X, Y, Z, noise, theta, x
from replank.circuits.estimators import Estimator
from replank.circuits.trajectories import Trajectories

Vector = np.ndarray
WEIGHTS = np.array([1.0, -2.0, 0.5])
UNITS = [(np.eye(2)[read], np.eye(2)[there]) for there in (0, 1) for read in (0, 1)]
OBSERVABLES: dict[PauliSum, Any] = {
    Z(0): qml.Z(0),
    X(0) @ Y(1): qml.X(0) @ qml.Y(1),
    0.5 * Z(1) - Y(0): 0.5 * qml.Z(1) - qml.Y(0),
}
CHANNELS: dict[str, tuple[Callable[..., Any], Callable[..., Any], int]] = {
    "depolarising": (noise.depolarising, qml.DepolarizingChannel, 1),
    "bit flip": (noise.bit_flip, qml.BitFlip, 1),
    "phase flip": (noise.phase_flip, qml.PhaseFlip, 1),
    "bit and phase flip": (noise.bit_phase_flip, lambda p, wires: qml.PauliError("Y", p, wires), 1),
    "amplitude damping": (noise.amplitude_damping, qml.AmplitudeDamping, 1),
    "phase damping": (noise.phase_damping, qml.PhaseDamping, 1),
    "relaxation": (
        lambda p, wire: noise.thermal_relaxation(5.0, 4.0, 5 * p, wire, excited=0.2),
        lambda p, wires: qml.ThermalRelaxationError(0.2, 5.0, 4.0, 5 * p, wires),
        1,
    ),
    "relaxation, t2 > t1": (
        lambda p, wire: noise.thermal_relaxation(5.0, 8.0, 5 * p, wire, excited=0.2),
        lambda p, wires: qml.ThermalRelaxationError(0.2, 5.0, 8.0, 5 * p, wires),
        1,
    ),
    "random": (lambda _, wire: noise.kraus(kraus(1), (wire,)), lambda _, wires: qml.QubitChannel(kraus(1), wires), 1),
    "depolarising, two wires": (
        noise.depolarising,
        lambda p, wires: qml.QubitChannel(list(noise.depolarising(p, 0, 1).kraus), wires),
        2,
    ),
    "random, two wires": (
        lambda _, *wires: noise.kraus(kraus(2), wires),
        lambda _, wires: qml.QubitChannel(kraus(2), wires),
        2,
    ),
}


def kraus(n_wires: int) -> list[np.ndarray]:
    """Three blocks of a random isometry."""
    d, rng = 2**n_wires, np.random.default_rng(n_wires)
    isometry, _ = np.linalg.qr(rng.normal(size=(3 * d, d)) + 1j * rng.normal(size=(3 * d, d)))
    return list(isometry.reshape(3, d, d))


@dataclass
class Pair:
    """The same circuit for both: ours, and PennyLane's operations as functions of features and parameters."""

    n: int
    circuit: Circuit
    theirs: list[Callable[[Vector, Vector], Any]] = field(default_factory=list)

    def layer(self, first: int, rng: np.random.Generator) -> None:
        for wire in range(self.n):
            k = first + wire
            self.circuit.ry(theta[k] + x[wire % 2], wire).rz(theta[k] * 0.5, wire)
            self.theirs.append(lambda f, t, k=k, wire=wire: qml.RY(t[k] + f[wire % 2], wire))
            self.theirs.append(lambda f, t, k=k, wire=wire: qml.RZ(0.5 * t[k], wire))
        for wire in range(self.n - 1):
            one, other = rng.permutation([wire, wire + 1]).tolist()
            self.circuit.crx(x[0] * theta[first], one, other)
            self.theirs.append(lambda f, t, k=first, pair=(one, other): qml.CRX(f[0] * t[k], pair))

    def noise(self, name: str, p: float, rng: np.random.Generator) -> None:
        ours, theirs, n_wires = CHANNELS[name]
        wires = rng.permutation(self.n)[:n_wires].tolist()
        self.circuit.append(ours(p, *wires))
        self.theirs.append(lambda f, t: theirs(p, wires=wires))

    def values(self, features: Vector, parameters: Vector, *, last: Sequence[Any] = ()) -> Vector:
        """PennyLane's expectation values of one sample; ``last`` are further operations at the end."""

        # not in torch: there, PennyLane's values are off by 5e-8
        @qml.qnode(qml.device("default.mixed", wires=self.n), interface="autograd", diff_method="backprop")
        def node(features: Vector, parameters: Vector) -> list[Any]:
            for operation in self.theirs:
                operation(features, parameters)
            for operation in last:
                qml.apply(operation)
            return [qml.expval(each) for each in OBSERVABLES.values()]

        return pnp.stack(node(features, parameters))

    def gradients(self, features: Vector, parameters: Vector) -> tuple[Vector, Vector]:
        """PennyLane's derivatives of the weighted sum of all values."""

        def loss(features: Vector, parameters: Vector) -> Vector:
            return pnp.dot(WEIGHTS, self.values(features, parameters))

        return qml.grad(loss, argnums=[0, 1])(features, parameters)


def pair_of(names: list[str], n: int, seed: int = 0) -> Pair:
    rng = np.random.default_rng(seed)
    pair = Pair(n, Circuit(n))
    for layer, name in enumerate(names):
        pair.layer(layer * n, rng)
        pair.noise(name, 0.05 + 0.3 * rng.random(), rng)
    pair.layer(len(names) * n, rng)
    return pair


def inputs(pair: Pair) -> tuple[Vector, Vector]:
    rng = np.random.default_rng(0)
    return rng.normal(size=pair.circuit.n_features), rng.normal(size=pair.circuit.n_parameters)


def tensors(sources: tuple[Vector, Vector]) -> list[torch.Tensor]:
    return [torch.tensor(each, requires_grad=True) for each in sources]


def gradients(values: torch.Tensor, sources: list[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    return torch.autograd.grad(torch.tensor(WEIGHTS) @ values, sources)


def assert_near(ours: torch.Tensor, theirs: Vector, atol: float = 1e-10) -> None:
    np.testing.assert_allclose(ours.detach().numpy(), theirs, rtol=0, atol=atol)


PAIRS = {name: pair_of([name, name], 2) for name in CHANNELS} | {
    "all on three qubits": pair_of(list(CHANNELS), 3),
    "all on four qubits": pair_of(list(CHANNELS)[::-1], 4, seed=1),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_density_matrices(pair: Pair) -> None:
    sources = tensors(inputs(pair))
    values = pair.circuit.plan(list(OBSERVABLES))(*sources)
    assert_near(values, pair.values(*inputs(pair)))
    for ours, theirs in zip(gradients(values, sources), pair.gradients(*inputs(pair)), strict=True):
        assert_near(ours, theirs)


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_trajectories(pair: Pair) -> None:
    run = Trajectories(pair.circuit, list(OBSERVABLES))
    mean, error = run(*tensors(inputs(pair)), n=20_000, generator=torch.Generator().manual_seed(0))
    assert ((mean - torch.tensor(pair.values(*inputs(pair)))).abs() <= 5 * error).all()
    assert error.max() < 0.1


def test_gradients_from_shifted_circuits() -> None:
    pair = PAIRS["all on three qubits"]
    sources = tensors(inputs(pair))
    estimator = Estimator(pair.circuit.plan(list(OBSERVABLES)), gradient="parameter_shift")
    for ours, theirs in zip(gradients(estimator(*sources), sources), pair.gradients(*inputs(pair)), strict=True):
        assert_near(ours, theirs, 1e-8)


def test_reading_errors() -> None:
    pair, up, down = PAIRS["all on three qubits"], 0.07, 0.2
    confusion = [np.sqrt(p) * np.outer(*units) for p, units in zip((1 - up, up, down, 1 - down), UNITS, strict=True)]
    error, plan = noise.ReadoutError(up, down), pair.circuit.plan(list(OBSERVABLES))
    turns = [qml.H(0), qml.adjoint(qml.S(1)), qml.H(1)]  # so that X(0) @ Y(1) is read
    channels = [qml.QubitChannel(confusion, wire) for wire in (0, 1)]
    for turned, column in (([], 0), (turns, 1)):
        wanted = pair.values(*inputs(pair), last=[*turned, *channels, *[qml.adjoint(each) for each in turned[::-1]]])
        assert_near(Estimator(plan, readout=error)(*tensors(inputs(pair)))[column], wanted[column])
