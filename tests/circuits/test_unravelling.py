from __future__ import annotations

import numpy as np
import pytest

from replank.circuits.gates import pauli_matrix
from replank.circuits.operations import Channel
from replank.circuits.primitives import Matrix
from replank.circuits.unravelling import PauliBit, Unravelling, unravel
from tests.circuits.noise_cases import CHANNELS, OTHER, PAULI, RELAXATION


def on_three_wires(matrix: np.ndarray, wires: tuple[int, ...]) -> np.ndarray:
    """A matrix on some of three wires as one on all."""
    k = len(wires)
    rest = [wire for wire in range(3) if wire not in wires]
    full = np.kron(matrix, np.eye(2 ** (3 - k))).reshape([2] * 6)
    order = [[*wires, *rest].index(wire) for wire in range(3)]
    return full.transpose([*order, *[3 + axis for axis in order]]).reshape(8, 8)


def operators(unravelling: Unravelling) -> list[np.ndarray]:
    """What each outcome does to three wires, control and spectators included."""
    found = []
    for bits in unravelling.bits:
        total = np.eye(8)
        for step in unravelling.steps:
            if isinstance(step, Matrix):
                total = on_three_wires(step.matrix, step.wires) @ total
            elif bits[step.column]:
                total = on_three_wires(pauli_matrix(step.letter).numpy(), (step.wire,)) @ total
        found.append(total)
    return found


def with_control_in_0(operator: np.ndarray, n_wires: int) -> np.ndarray:
    """The block on the channel's own wires; the control must come back to 0."""
    bits = operator.reshape([2] * 6)
    control, spectators = n_wires, range(n_wires + 1, 3)
    came_back = np.take(np.take(bits, 0, axis=3 + control), 0, axis=control)
    left = np.take(np.take(bits, 0, axis=3 + control), 1, axis=control)
    assert np.abs(left).max() == 0
    for _ in spectators:
        came_back = came_back[..., 0].take(0, axis=n_wires)
    return came_back.reshape(2**n_wires, 2**n_wires)


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS)
def test_the_mean_over_outcomes_is_the_channel(channel: Channel) -> None:
    unravelling, n_wires = unravel(channel.kraus), len(channel.wires)
    drawn = [with_control_in_0(operator, n_wires) for operator in operators(unravelling)]
    mean = sum(q * np.kron(a, a.conj()) for q, a in zip(unravelling.probabilities, drawn, strict=True))
    wanted = sum(np.kron(k, k.conj()) for k in channel.kraus)
    np.testing.assert_allclose(mean, wanted, rtol=0, atol=1e-12)
    assert unravelling.probabilities.sum() == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize("channel", PAULI.values(), ids=PAULI)
def test_pauli_errors_are_unitary(channel: Channel) -> None:
    assert all(isinstance(step, PauliBit) for step in unravel(channel.kraus).steps)


@pytest.mark.parametrize("channel", [*PAULI.values(), *RELAXATION.values()], ids=[*PAULI, *RELAXATION])
def test_named_channels_need_no_control(channel: Channel) -> None:
    lines = range(len(channel.wires) + 1)
    primitives = unravel(channel.kraus).primitives(lines, 0)
    assert all(lines[-1] not in primitive.wires for primitive in primitives)


@pytest.mark.parametrize("channel", RELAXATION.values(), ids=RELAXATION)
def test_weights_of_relaxation_are_between_those_of_plus_and_minus(channel: Channel) -> None:
    gamma = abs(sum(abs(k[0, 1]) ** 2 + abs(k[1, 0]) ** 2 for k in channel.kraus))
    for operator in operators(unravel(channel.kraus)):
        weights = np.linalg.eigvalsh(operator.conj().T @ operator)
        np.testing.assert_allclose(weights[[0, -1]], [1 - np.sqrt(gamma), 1 + np.sqrt(gamma)], rtol=0, atol=1e-12)


@pytest.mark.parametrize("channel", OTHER.values(), ids=OTHER)
def test_other_operators_are_as_few_as_can_be_and_as_likely_as_on_average(channel: Channel) -> None:
    unravelling, d = unravel(channel.kraus), len(channel.kraus[0])
    choi = sum(np.outer(k.ravel(), k.ravel().conj()) for k in channel.kraus)
    assert len(unravelling.probabilities) == np.linalg.matrix_rank(choi)
    for operator in operators(unravelling):
        block = with_control_in_0(operator, len(channel.wires))
        assert np.trace(block.conj().T @ block) == pytest.approx(d, abs=1e-12)


def test_only_letters_that_act_are_drawn() -> None:
    flips = {
        name: unravel(PAULI[name].kraus) for name in ("bit flip", "phase damping", "bit and phase flip", "nothing")
    }
    letters = {name: [step.letter for step in each.steps] for name, each in flips.items()}
    assert letters == {"bit flip": ["X"], "phase damping": ["Z"], "bit and phase flip": ["X", "Z"], "nothing": []}
    assert flips["bit and phase flip"].bits.tolist() in ([[False, False], [True, True]],)
