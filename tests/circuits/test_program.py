"""Programs: the frame is a change of basis, and gathering turns into steps changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from replank.circuits import Circuit, reference, theta, torch_backend, x
from replank.circuits.gates import pauli_matrix
from replank.circuits.lowering import lower
from replank.circuits.primitives import Cnot, Exchange, Flip, Primitive
from replank.circuits.program import (
    Condition,
    Dense,
    Frame,
    Masked,
    Phases,
    Projection,
    Rotation,
    Rotations,
    assemble,
)
from replank.circuits.slots import Slots
from tests.circuits.dense import product
from tests.circuits.strategies import assert_near, damping, haar, inputs, unitary_circuits

N = 4


@st.composite
def permutations(draw: st.DrawFn) -> list[Primitive]:
    """Flips, CNOTs and exchanges."""
    found: list[Primitive] = []
    for _ in range(draw(st.integers(0, 12))):
        one, other = draw(st.permutations(range(N)))[:2]
        found.append(draw(st.sampled_from([Flip(one), Cnot(one, other), Exchange(one, other)])))
    return found


def absorbed(primitives: list[Primitive]) -> tuple[Frame, np.ndarray]:
    """The frame after some permutations, and their matrix, which takes positions to basis states."""
    frame = Frame.of(N)
    for primitive in primitives:
        frame.absorb(primitive)
    return frame, product(primitives, N)


def masked_matrix(string: Masked) -> np.ndarray:
    """``sign i^n_y X^x Z^z`` on positions, by its definition."""
    positions = np.arange(2**N)
    matrix = np.zeros((2**N, 2**N), dtype=complex)
    matrix[positions ^ string.x, positions] = (-1.0) ** np.bitwise_count(positions & string.z)
    return string.sign * 1j**string.n_y * matrix


def word_of(letters: str) -> tuple[tuple[int, str], ...]:
    return tuple((line, letter) for line, letter in enumerate(letters) if letter != "I")


def steps(circuit: Circuit) -> list[str]:
    """Kinds of the steps, with the number of turns in each."""
    sizes = []
    for step in assemble(lower(circuit)).steps:
        size = len(step.terms) if isinstance(step, Phases | Rotations) else 1
        sizes.append(f"{type(step).__name__} {size}")
    return sizes


def amplitudes(circuit: Circuit, features: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:
    program = assemble(lower(circuit))
    slots = Slots(program.angles, circuit.n_features, circuit.n_parameters)
    sources = slots.sources(features[None], parameters[None])
    (states,) = torch_backend.run(program, slots, *sources, None, "state")
    return states * torch.exp(-0.5j * program.phase.evaluate(features, parameters))[..., None]


# -- the frame ---------------------------------------------------------------------------------------------------------


@given(permutations())
def test_positions_are_where_the_frame_keeps_basis_states(primitives):
    frame, matrix = absorbed(primitives)
    np.testing.assert_array_equal(matrix[np.arange(2**N), torch_backend.positions(frame)], 1)


@given(permutations(), st.integers(0, N - 1), st.integers(0, 1))
def test_a_condition_reads_a_line_at_its_position(primitives, line, value):
    frame, matrix = absorbed(primitives)
    basis = matrix.real.argmax(0)  # of each position
    condition = frame.condition(line, value)
    holds = np.bitwise_count(np.arange(2**N) & condition.mask) % 2 == condition.value
    np.testing.assert_array_equal(holds, (basis >> (N - 1 - line) & 1) == value)


@given(permutations(), st.text("IXYZ", min_size=N, max_size=N))
def test_a_pauli_string_in_the_frame_is_the_string_in_another_basis(primitives, letters):
    frame, matrix = absorbed(primitives)
    in_frame = masked_matrix(frame.masked(word_of(letters)))
    np.testing.assert_allclose(matrix @ in_frame, pauli_matrix(letters).numpy() @ matrix, atol=1e-12)


@given(permutations(), st.text("IXYZ", min_size=N, max_size=N), st.text("IXYZ", min_size=N, max_size=N))
def test_whether_two_strings_commute(primitives, one, other):
    frame, _ = absorbed(primitives)
    a, b = frame.masked(word_of(one)), frame.masked(word_of(other))
    first, second = masked_matrix(a), masked_matrix(b)
    assert a.commutes(b) == np.allclose(first @ second, second @ first)


@st.composite
def rotations(draw: st.DrawFn) -> Rotation:
    """Rotations about any string, with conditions on qubits that it does not flip."""
    letters = draw(st.text("IXYZ", min_size=N, max_size=N))
    free = [line for line, letter in enumerate(letters) if letter == "I"]
    frame = Frame.of(N)
    conditions = tuple(frame.condition(line, draw(st.integers(0, 1))) for line in free if draw(st.booleans()))
    return Rotation(frame.masked(word_of(letters)), theta[0], conditions)


def rotation_matrix(rotation: Rotation, angle: float) -> np.ndarray:
    positions = np.arange(2**N)
    on = np.ones(2**N, bool)
    for condition in rotation.conditions:
        on &= np.bitwise_count(positions & condition.mask) % 2 == condition.value
    string = masked_matrix(rotation.string)
    turned = np.cos(angle / 2) * np.eye(2**N) - 1j * np.sin(angle / 2) * string
    return np.where(on[:, None], turned, np.eye(2**N))


@given(rotations(), rotations())
def test_rotations_that_surely_commute_do(one, other):
    if one.commutes(other):
        a, b = rotation_matrix(one, 0.7), rotation_matrix(other, 1.9)
        np.testing.assert_allclose(a @ b, b @ a, atol=1e-12)


# -- gathering ---------------------------------------------------------------------------------------------------------


@given(unitary_circuits(most_qubits=5))
def test_a_program_is_its_circuit(circuit):
    features, parameters = inputs(circuit, 3)
    wanted = reference.state(circuit, features, parameters)
    assert_near(amplitudes(circuit, features, parameters), wanted, 1e-10)


@given(unitary_circuits(most_qubits=4), st.integers(0, 2**31))
def test_programs_that_begin_elsewhere(circuit, seed):
    """With the lines in a given state no turn is taken for a part of the start."""
    n = circuit.n_qubits
    initial = torch.tensor(np.random.default_rng(seed).normal(size=(2, 2**n, 2))).double()
    initial = torch.view_as_complex(initial)
    features, parameters = inputs(circuit, 2)
    prepared = Circuit(n).prepare_amplitudes(np.eye(2**n)[0])
    program = assemble(lower(prepared.extend(circuit)))
    assert not any(program.start)
    slots = Slots(program.angles, circuit.n_features, circuit.n_parameters)
    states = torch_backend.run(program, slots, *slots.sources(features[None], parameters[None]), initial[None], "state")
    phase = torch.exp(-0.5j * program.phase.evaluate(features, parameters))[..., None]
    matrices = torch.stack([reference.unitary(circuit, row, parameters) for row in features])
    assert_near(states[0] * phase, (matrices @ initial[..., None])[..., 0], 1e-10)


@pytest.mark.parametrize(
    ("circuit", "wanted"),
    [
        (Circuit(3).rx(theta[0], 0).ry(x[0], 1).rz(theta[1], 1).h(2), []),
        (Circuit(3).x(0).cnot(0, 1).swap(1, 2).cnot(2, 0), []),
        (Circuit(3).h(0).h(1).cz(0, 1).rzz(theta[0], 1, 2).t(2).crz(theta[1], 2, 0), ["Phases 5"]),
        (Circuit(2).cnot(0, 1).rx(theta[0], 0).rx(theta[1], 1).ry(theta[2], 0), ["Rotations 3"]),
        (Circuit(2).cz(0, 1).rx(theta[0], 0).rz(theta[1], 1), ["Phases 2", "Rotations 1"]),
        (Circuit(2).cz(0, 1).rx(theta[0], 0).rz(theta[1], 0), ["Phases 1", "Rotations 1", "Phases 1"]),
        (Circuit(3).rxx(theta[0], 0, 1).rxx(theta[1], 0, 1).rxx(theta[2], 1, 2), ["Rotations 2"]),
        (Circuit(3).rzz(theta[0], 0, 1).x(0).rzz(theta[0], 0, 1), []),
        (Circuit(3).rxx(0.3, 0, 1).rxx(-0.3, 0, 1).rzz(0.5, 0, 1).rzz(-0.5, 0, 1), []),
        (Circuit(2).crx(theta[0], 0, 1).crx(theta[1], 0, 1), ["Rotations 1"]),
        (Circuit(2).unitary(haar(2, 0), [0, 1]).rz(theta[0], 0), ["Dense 1", "Phases 1"]),
        (Circuit(2).unitary(haar(1, 0), [0]).post_select(0, 1).rz(0.1, 0), ["Projection 1", "Phases 1"]),
    ],
    ids=lambda value: " ".join(each.label for each in value) if isinstance(value, Circuit) else "",
)
def test_steps(circuit, wanted):
    assert steps(circuit) == wanted


@pytest.mark.parametrize("n_layers", [1, 4])
def test_a_layer_of_rotations_and_a_ring_of_cnots_takes_three_steps(n_layers):
    n = 5
    circuit = Circuit(n)
    angle = iter(theta[: 3 * n * (n_layers + 1)])
    for _ in range(n_layers):
        for wire in range(n):
            circuit.rot(next(angle), next(angle), next(angle), wire)
        for wire in range(n):
            circuit.cnot(wire, (wire + 1) % n)
    for wire in range(n):
        circuit.rot(next(angle), next(angle), next(angle), wire)
    program = assemble(lower(circuit))
    assert program.n_absorbed == n * n_layers
    assert program.n_turns == 3 * n * (n_layers + 1)
    assert sum(len(turns) for turns in program.start) == 3 * n
    assert len(program.steps) <= 3 * n_layers


def test_permutations_alone_leave_the_state_where_it_is():
    program = assemble(lower(Circuit(3).x(1).cnot(1, 2).swap(0, 2)))
    assert (program.steps, program.n_absorbed) == ((), 3)


def test_angles_come_in_the_order_of_their_slots():
    circuit = Circuit(2).rx(theta[0], 0).ry(theta[1], 1).cz(0, 1).rzz(theta[2], 0, 1).rx(theta[3], 0).rz(theta[4], 0)
    angles = [str(angle) for angle in assemble(lower(circuit)).angles]
    assert angles == ["theta[0]", "1.5708", "theta[1]", "1.5708", "theta[2] - 1.5708", "theta[3]", "theta[4]"]


def test_what_can_not_be_undone_is_counted():
    circuit = Circuit(2).h(0).post_select(0, 1).unitary(haar(2, 0), [0, 1]).post_select(1, 0)
    program = assemble(lower(circuit))
    assert program.n_irreversible == 2
    assert [type(step) for step in program.steps] == [Projection, Dense, Projection]


def test_a_channel_must_have_been_made_a_matrix():
    with pytest.raises(TypeError, match="a channel must be made a matrix or a draw"):
        assemble(lower(Circuit(1).channel(damping(0, 0.1))))


def test_a_global_phase_is_kept_apart():
    program = assemble(lower(Circuit(1).p(theta[0], 0)))
    assert program.phase == -1 * theta[0]
    assert program.steps == ()


def test_a_turn_about_a_flipped_qubit_goes_the_other_way():
    program = assemble(lower(Circuit(1).x(0).rz(theta[0], 0)))
    assert program.start == ((("Z", -theta[0]),),)


def test_conditions_are_values():
    assert Frame.of(2).condition(0) == Condition(0b10, 1)
    assert Frame.of(2).condition(1, 0) == Condition(0b01, 0)
