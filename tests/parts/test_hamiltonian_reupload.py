from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy.linalg import expm
from torch import nn

from replank.circuits import pauli_basis
from replank.parts.linear import HamiltonianReuploadLinear

F64 = torch.float64


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=F64, generator=torch.Generator().manual_seed(seed))


def layer(*args, **options) -> HamiltonianReuploadLinear:
    torch.manual_seed(0)
    return HamiltonianReuploadLinear(*args, dtype=F64, **options)


def by_scipy(part: HamiltonianReuploadLinear, sample: np.ndarray) -> np.ndarray:
    """The card's definition, one sample and one repetition after the other, dense, without torch."""
    d = 2**part.n_qubits
    matrix = np.pad(sample, (0, d * d - len(sample))).reshape(d, d)
    hamiltonian = (matrix + matrix.T) / 2
    times = np.full(part.n_reps, 1 / part.n_reps) if part.times is None else part.times.detach().numpy()
    basis = pauli_basis(part.n_qubits).numpy()
    state = np.full(d, d**-0.5, dtype=complex)
    for theta, t in zip(part.theta.detach().numpy(), times, strict=True):
        state = expm(1j * np.tensordot(theta, basis, axes=1)) @ expm(1j * hamiltonian * t) @ state
    return np.abs(state[: part.out_features]) ** 2 + part.bias.detach().numpy()


@pytest.mark.parametrize("parametrisation", ["real", "complex"])
@pytest.mark.parametrize("times", ["fixed", "trainable"])
@pytest.mark.parametrize(("n", "n_in", "n_out"), [(2, 13, 3), (3, 64, 8), (3, 40, 5)])
def test_outputs_equal_an_evaluation_by_scipy(n, n_in, n_out, times, parametrisation):
    part = layer(n_in, n_out, n_reps=3, times=times, parametrisation=parametrisation)
    assert part.n_qubits == n
    with torch.no_grad():
        if times == "trainable":
            part.times.add_(torch.tensor([0.2, -0.5, 0.0]))
        if parametrisation == "complex":
            part.theta.mul_(1 + 0.05j)
    x = randn(4, n_in)
    expected = np.stack([by_scipy(part, sample) for sample in x.numpy()])
    np.testing.assert_allclose(part(x).detach().numpy(), expected, rtol=1e-10, atol=1e-10)


def test_parameter_count_of_the_paper():
    part = HamiltonianReuploadLinear(12544, 10, n_qubits=7, n_reps=10, device="meta")
    assert sum(each.numel() for each in part.parameters()) == 10 * (4**7 - 1) + 10 == 163_840


@pytest.mark.parametrize(
    ("n_in", "n_out", "n"),
    [
        (1, 1, 1),
        (4, 2, 1),
        (5, 2, 2),
        (4, 3, 2),
        (16, 4, 2),
        (17, 4, 3),
        (12544, 10, 7),
        (16384, 128, 7),
        (16385, 1, 8),
    ],
)
def test_the_fewest_qubits_that_hold_both_sizes(n_in, n_out, n):
    assert HamiltonianReuploadLinear(n_in, n_out, n_reps=1, device="meta").n_qubits == n


def test_probabilities_of_all_outcomes_sum_to_one():
    part = layer(11, 3, times="trainable")
    probabilities = part.probabilities(3 * randn(2, 5, 11))
    assert probabilities.shape == (2, 5, 4)
    assert (probabilities >= 0).all()
    torch.testing.assert_close(probabilities.sum(-1), torch.ones(2, 5, dtype=F64), rtol=0, atol=1e-12)
    torch.testing.assert_close(part(3 * randn(2, 5, 11)) - part.bias, probabilities[..., :3])


def test_a_multiple_of_the_identity_is_a_global_phase():
    part, x = layer(16, 4), randn(3, 16)
    shifted = x + 0.7 * torch.eye(4, dtype=F64).flatten()
    torch.testing.assert_close(part(shifted), part(x), rtol=0, atol=1e-12)


def test_the_antisymmetric_part_is_not_seen():
    part, x = layer(16, 4), randn(3, 16)
    transposed = x.reshape(3, 4, 4).mT.flatten(1)
    torch.testing.assert_close(part(transposed), part(x), rtol=0, atol=1e-12)


def test_nothing_in_and_no_angles_leave_the_uniform_state():
    part = layer(64, 8, init_scale=0.0)
    torch.testing.assert_close(part.probabilities(torch.zeros(1, 64, dtype=F64)), torch.full((1, 8), 1 / 8, dtype=F64))


def test_fixed_times_are_where_trainable_ones_start():
    fixed, trainable = layer(5, 3), layer(5, 3, times="trainable")
    torch.testing.assert_close(trainable(randn(2, 5)), fixed(randn(2, 5)))


def test_it_is_not_affine():
    part, x, y = layer(16, 4), randn(2, 16), randn(2, 16, seed=1)
    assert (part(0.3 * x + 0.7 * y) - 0.3 * part(x) - 0.7 * part(y)).abs().max() > 1e-3


def test_complex_angles_start_where_real_ones_do():
    torch.testing.assert_close(layer(5, 3, parametrisation="complex")(randn(2, 5)), layer(5, 3)(randn(2, 5)))


def _trained(parametrisation: str) -> tuple[HamiltonianReuploadLinear, float]:
    """After fifty steps of Adam on random labels, and the loss reached."""
    torch.manual_seed(0)
    part = HamiltonianReuploadLinear(16, 4, n_reps=3, parametrisation=parametrisation)
    x, labels = torch.randn(8, 16), torch.arange(8) % 4
    optimiser = torch.optim.Adam(part.parameters(), lr=2e-2)
    for _ in range(50):
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(part(x), labels)
        loss.backward()
        optimiser.step()
    return part, loss.item()


def _distance_from_unitary(part: HamiltonianReuploadLinear) -> float:
    u = part.unitaries().detach()
    return (u.mH @ u - torch.eye(u.shape[-1])).flatten(1).norm(dim=1).max().item()


# For C balanced classes, probabilities that sum to at most one, and any bias, cross-entropy is at least this.
FLOOR = math.log(1 + 3 / math.e)


def test_real_angles_stay_unitary_in_training_and_above_the_loss_floor():
    part, loss = _trained("real")
    assert _distance_from_unitary(part) < 1e-5
    assert loss >= FLOOR


def test_complex_angles_do_not_stay_unitary_and_break_through_the_loss_floor():
    part, loss = _trained("complex")
    assert _distance_from_unitary(part) > 1e-3
    assert loss < FLOOR


@pytest.mark.parametrize("parametrisation", ["real", "complex"])
@pytest.mark.parametrize("convert", [nn.Module.double, lambda part: part.to(F64)], ids=["double", "to"])
def test_conversion_of_dtype_keeps_the_kind_of_angles(parametrisation, convert):
    part = HamiltonianReuploadLinear(4, 2, n_reps=2, parametrisation=parametrisation)
    with torch.no_grad():
        part.theta.mul_(1 + 0.5j if parametrisation == "complex" else 1)
    before = part.theta.detach().clone()
    assert convert(part).theta.dtype == (torch.complex128 if parametrisation == "complex" else F64)
    torch.testing.assert_close(part.theta.detach(), before, check_dtype=False, rtol=0, atol=0)


def test_half_precision_is_computed_in_single():
    part = layer(5, 3).to(torch.bfloat16)
    x = randn(2, 5).bfloat16()
    assert part(x).dtype == torch.bfloat16
    torch.testing.assert_close(part(x).float(), part.float()(x.float()), rtol=2e-2, atol=2e-2)


def test_seven_qubits_and_32_samples_train_within_two_gigabytes():
    script = """
import psutil, torch
from replank.measure.memory import PeakMemory
from replank.parts.linear import HamiltonianReuploadLinear
part = HamiltonianReuploadLinear(12544, 10, n_qubits=7, n_reps=10)
x = torch.randn(32, 12544, requires_grad=True)
before = psutil.Process().memory_info().rss
with PeakMemory() as memory:
    part(x).sum().backward()
assert part.theta.grad.any() and x.grad.any()
print(before + memory.bytes)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 2e9


BAD = {
    "too few qubits for the inputs": (
        {"in_features": 17, "n_qubits": 2},
        r"n_qubits=2 for in_features=17 .* at least 3",
    ),
    "too few qubits for the outputs": (
        {"in_features": 4, "out_features": 5, "n_qubits": 2},
        r"n_qubits=2 .*out_features=5.* at least 3",
    ),
    "too many qubits": ({"in_features": 4, "n_qubits": 13}, r"at most 12 qubits, got n_qubits=13.*0\.5 GiB"),
    "too many features": ({"in_features": 4**12 + 1}, r"got n_qubits=13"),
    "no repetition": ({"in_features": 4, "n_reps": 0}, "n_reps=0"),
    "no such times": ({"in_features": 4, "times": "free"}, "'free'"),
    "no such parametrisation": ({"in_features": 4, "parametrisation": "imaginary"}, "'imaginary'"),
    "no features": ({"in_features": 0}, "in_features=0"),
    "no outputs": ({"in_features": 4, "out_features": 0}, "out_features=0"),
}


@pytest.mark.parametrize(("arguments", "law"), BAD.values(), ids=BAD)
def test_bad_arguments_are_refused(arguments, law):
    with pytest.raises(ValueError, match=law):
        HamiltonianReuploadLinear(**({"out_features": 2} | arguments), device="meta")


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", [0, 6])
def test_features_that_are_not_finite_are_refused(bad, place):
    x = torch.zeros(3, 7, dtype=F64)
    x[1, place] = bad
    with pytest.raises(ValueError, match="must be finite, got NaN or infinity"):
        layer(7, 2)(x)
