"""Random circuits, observables and inputs, and their values by the slow reference."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import pi

import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from scipy.stats import unitary_group
from torch import Tensor

from replank.circuits import (
    Circuit,
    DensityMatrix,
    PauliSum,
    Probabilities,
    Projector,
    State,
    core,
    reference,
    theta,
    x,
)
from replank.circuits.angle import Angle, arctan, as_angle, cos, exp, sin, sqrt, tanh
from replank.circuits.gates import GATES, pauli_matrix
from replank.circuits.observables import Observable
from replank.circuits.operations import Channel, Diagonal, Gate, Operation, PauliRotation, PrepareAmplitudes, Unitary

F64 = torch.float64
needs_core = pytest.mark.skipif(not core.available(), reason="there is no compiled core")
BACKENDS = [pytest.param("core", marks=needs_core), "torch"]
N_FEATURES, N_PARAMETERS = 3, 4

AFFINE: tuple[Angle, ...] = (
    *theta[:N_PARAMETERS],
    *x[:N_FEATURES],
    pi * x[0],
    -0.5 * theta[1] + x[1] - 2,
    theta[0] + theta[2],
    2 * x[2] - 0.25 * x[0],
)
NOT_AFFINE: tuple[Angle, ...] = (
    theta[2] * x[0] + 0.1,
    sin(theta[1]) * arctan(x[0]),
    2 / (exp(theta[0]) + 3),
    tanh(theta[3] - x[1]) ** 2 - x[2],
    sqrt(x[2] * x[2] + 1) + cos(theta[1]),
)


def number(dice: random.Random) -> Angle:
    return as_angle(dice.uniform(-2 * pi, 2 * pi))


def any_angle(dice: random.Random) -> Angle:
    return dice.choice([number(dice), dice.choice(AFFINE), dice.choice(AFFINE), dice.choice(NOT_AFFINE)])


dice = st.integers(0, 2**32 - 1).map(random.Random)
"""What random circuits are thrown with. Their first gates depend on it alone, so that hypothesis may shorten them."""

angles = dice.map(any_angle)


def wires_of(n_qubits: int, n_wires: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Different wires in any order."""
    return st.permutations(range(n_qubits)).map(lambda order: tuple(order[:n_wires]))


def haar(n_qubits: int, seed: int) -> np.ndarray:
    return unitary_group.rvs(2**n_qubits, random_state=seed)


def random_operation(
    dice: random.Random, n_qubits: int, angle: Callable[[random.Random], Angle] = any_angle, when: str | None = None
) -> Operation:
    """A named gate, a rotation about a string, a matrix or a diagonal."""
    names = [name for name, kind in GATES.items() if kind.n_wires <= n_qubits]
    name = dice.choice([*names, "PauliRotation", "Unitary", "Diagonal"])
    n_wires = GATES[name].n_wires if name in GATES else dice.randint(1, min(n_qubits, 3))
    wires, seed = tuple(dice.sample(range(n_qubits), n_wires)), dice.randrange(2**32)
    match name:
        case "PauliRotation":
            letters = "".join(dice.choices("IXYZ", k=n_wires))
            return PauliRotation(letters=letters, angle=angle(dice), wires=wires, when=when)
        case "Unitary":
            return Unitary(matrix=haar(n_wires, seed), wires=wires, when=when)
        case "Diagonal":
            return Diagonal(phases=np.random.default_rng(seed).normal(size=2**n_wires), wires=wires, when=when)
    return Gate(name=name, wires=wires, angles=tuple(angle(dice) for _ in range(GATES[name].n_angles)), when=when)


@st.composite
def unitary_circuits(
    draw: st.DrawFn,
    *,
    n_qubits: int | None = None,
    most_qubits: int = 8,
    most_operations: int = 24,
    angle: Callable[[random.Random], Angle] = any_angle,
) -> Circuit:
    """Circuits over the whole gate set."""
    thrown, n = draw(dice), draw(st.integers(1, most_qubits)) if n_qubits is None else n_qubits
    return Circuit(n, [random_operation(thrown, n, angle) for _ in range(draw(st.integers(0, most_operations)))])


def damping(wire: int, strength: float) -> Channel:
    kraus = (np.diag([1, np.sqrt(1 - strength)]), np.array([[0, np.sqrt(strength)], [0, 0]]))
    return Channel(name="damping", wires=(wire,), kraus=kraus)


def correlated_noise(wires: tuple[int, int], strength: float) -> Channel:
    strings = [pauli_matrix(letters).numpy() for letters in ("II", "XY", "ZZ")]
    weights = np.sqrt([1 - strength, strength / 4, 3 * strength / 4])
    kraus = tuple(weight * string for weight, string in zip(weights, strings, strict=True))
    return Channel(name="correlated", wires=wires, kraus=kraus)


PREPARED = (
    [x[0], x[1], 1.0, x[2]],
    [theta[0], 0.5, x[0] * theta[1]],
    [x[0], x[1], x[2]],
    np.array([0.6, 0.0, -0.48j, 0.64]),
)


@st.composite
def general_circuits(
    draw: st.DrawFn, *, most_qubits: int = 3, most_operations: int = 10, channels: bool = True
) -> Circuit:
    """Circuits that measure, reset, post-select, depend on outcomes, and may be prepared and noisy."""
    thrown, n = draw(dice), draw(st.integers(1, most_qubits))
    circuit = Circuit(n)
    if n > 1 and thrown.random() < 0.5:
        circuit.prepare_amplitudes(thrown.choice(PREPARED), thrown.sample(range(n), 2))
    elif thrown.random() < 0.5:
        circuit.prepare_product(haar(1, thrown.randrange(99))[:1], [thrown.randrange(n)])
    # every qubit is turned, so that hardly any outcome is impossible
    circuit.extend(Gate(name="RY", wires=(wire,), angles=(as_angle(0.7 + wire),)) for wire in range(n))
    keys: list[str] = []
    n_fresh = {"measure": 0, "reset": 0}  # no more than two of either: density matrices grow with each
    for _ in range(draw(st.integers(1, most_operations))):
        kind, wire = thrown.choice(["gate", "gate", "gate", "measure", "reset", "select", "noise"]), thrown.randrange(n)
        if kind in n_fresh and n_fresh[kind] < 2:
            n_fresh[kind] += 1
            keys += [f"m{len(keys)}"] if kind == "measure" else []
            circuit.measure(wire) if kind == "measure" else circuit.reset(wire)
        elif kind == "select":
            circuit.ry(0.9, wire).rx(0.4, wire).post_select(wire, thrown.randrange(2))
        elif kind == "noise" and channels:
            pair = tuple(thrown.sample(range(n), min(n, 2)))
            circuit.channel(damping(wire, 0.3) if len(pair) < 2 else correlated_noise(pair, 0.2))
        else:
            circuit.append(random_operation(thrown, n, when=thrown.choice([None, *keys])))
    return circuit


@st.composite
def pauli_sums(draw: st.DrawFn, n_qubits: int, most_terms: int = 3, letters: str = "IXYZ") -> PauliSum:
    """Sums of Pauli strings, the identity among them."""
    total = PauliSum(())
    for _ in range(draw(st.integers(1, most_terms))):
        word = draw(st.text(letters, min_size=n_qubits, max_size=n_qubits))
        string = tuple((wire, letter) for wire, letter in enumerate(word) if letter != "I")
        total = total + PauliSum(((string, 1.0),)) * draw(st.sampled_from([1.0, -0.5, 2.25]))
    return total


@st.composite
def observables_of(draw: st.DrawFn, n_qubits: int) -> Observable:
    """Everything that is a number, a distribution or a matrix."""
    wires = draw(wires_of(n_qubits, draw(st.integers(1, n_qubits))))
    bits = tuple(draw(st.integers(0, 1)) for _ in wires)
    return draw(
        st.one_of(
            pauli_sums(n_qubits),
            pauli_sums(n_qubits, letters="IZ"),
            st.sampled_from([Probabilities(), Probabilities(wires), Projector(bits, wires), DensityMatrix(wires[:2])]),
        )
    )


def with_parameters(circuit: Circuit) -> tuple[Circuit, Tensor]:
    """Every angle a parameter of its own, and the angles as the parameters' values."""
    values: list[float] = []
    operations = []
    for operation in circuit:
        own = theta[len(values) : len(values) + len(operation.angles)]
        values += [angle.constant for angle in operation.angles]
        match operation:
            case Gate():
                operation = replace(operation, angles=own)
            case PauliRotation():
                operation = replace(operation, angle=own[0])
        operations.append(operation)
    return Circuit(circuit.n_qubits, operations), torch.tensor(values, dtype=F64)


def inputs(circuit: Circuit, batch: int = 5, *, seed: int = 0, dtype: torch.dtype = F64) -> tuple[Tensor, Tensor]:
    """Features and parameters that need gradients."""
    generator = torch.Generator().manual_seed(seed)
    shapes = ((batch, circuit.n_features), (circuit.n_parameters,))
    features, parameters = (torch.randn(shape, generator=generator, dtype=F64).to(dtype) for shape in shapes)
    return features.requires_grad_(), parameters.requires_grad_()


def is_pure(circuit: Circuit) -> bool:
    return all(
        isinstance(operation, Gate | PauliRotation | Unitary | Diagonal | PrepareAmplitudes) for operation in circuit
    )


def expected(circuit: Circuit, observables: Sequence[Observable], features: Tensor, parameters: Tensor) -> list[Tensor]:
    """The observables of each sample by the reference."""
    if is_pure(circuit):
        states = reference.state(circuit, features, parameters)
        return [of_states(observable, states) for observable in observables]
    matrices = [reference.density_matrix(circuit, row, parameters) for row in features]
    return [torch.stack([reference.expectation(each, rho) for rho in matrices]) for each in observables]


def of_states(observable: Observable, states: Tensor) -> Tensor:
    """An observable of a batch of states."""
    if isinstance(observable, State):
        return states
    if not isinstance(observable, PauliSum):
        return torch.stack([reference.expectation(observable, torch.outer(psi, psi.conj())) for psi in states])
    total = torch.zeros(len(states), dtype=states.real.dtype)
    for word, coefficient in observable.terms:
        turned = states
        for wire, letter in word:
            turned = reference.apply(turned, pauli_matrix(letter).to(states), (wire,))
        total = total + coefficient * (states.conj() * turned).sum(-1).real
    return total


def gradients(value: Tensor, *inputs: Tensor) -> list[Tensor]:
    """Of a fixed combination of all numbers in ``value``, real and imaginary parts apart; zero where there is none."""
    real = torch.view_as_real(value) if value.is_complex() else value
    weights = torch.linspace(-1, 2, real.numel(), dtype=real.dtype).reshape(real.shape)
    if not real.requires_grad:
        return [torch.zeros_like(each) for each in inputs]
    loss = (weights * real).sum()
    return list(torch.autograd.grad(loss, inputs, allow_unused=True, materialize_grads=True, retain_graph=True))


def assert_near(actual: Tensor, wanted: Tensor, atol: float) -> None:
    torch.testing.assert_close(actual, wanted, rtol=0, atol=atol)
