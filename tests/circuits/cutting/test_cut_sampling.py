from __future__ import annotations

import numpy as np
import pytest
import torch
from cutting_cases import inputs, last_before, ry_chain
from torch import Tensor

from replank.circuits import Circuit, X, Z, theta, x
from replank.circuits.cutting import (
    CutCircuit,
    GateCut,
    Result,
    WireCut,
    cut,
    execute,
    measured_results,
    quasi_probability_estimate,
)
from replank.circuits.cutting.sampling import _listed
from replank.errors import UsageError
from replank.seeding import numpy_stream

CHAIN = ry_chain(4)  # CNOTs are operations 2, 5 and 8
TRIANGLE = (
    Circuit(3).ry(theta[0], 0).ry(theta[1], 1).ry(x[0], 2).cnot(0, 1).rzz(x[1], 1, 2).crx(theta[2], 2, 0).swap(0, 1)
)
CASES = {
    "one wire": (CHAIN, [last_before(CHAIN, 1, 1)]),
    "two wires": (CHAIN, [last_before(CHAIN, 1, 1), last_before(CHAIN, 2, 1)]),
    "one gate": (CHAIN, [GateCut(5)]),
    "wire and gate": (CHAIN, [last_before(CHAIN, 1, 1), GateCut(8)]),
    "gates in a ring, one of four terms": (TRIANGLE, [GateCut(3), GateCut(4), GateCut(5), GateCut(6)]),
}


def of_case(name: str, observable=None, n_copies: int = 1) -> tuple[CutCircuit, list[Result], Tensor, Tensor]:
    """A cut circuit with exact results and inputs; two samples, each ``n_copies`` times."""
    circuit, cuts = CASES[name]
    pieces = cut(circuit, observable or X(0) @ Z(circuit.n_qubits - 1), cuts)
    features, parameters = inputs(circuit, 11)
    results = [execute(task, features, parameters) for task in pieces.tasks]
    many = [Result(result.values.repeat(n_copies, 1), result.n_qubits) for result in results]
    return pieces, many, features.repeat(n_copies, 1), parameters


@pytest.mark.parametrize("name", CASES)
def test_the_listed_terms_sum_up_to_the_value_and_their_weights_to_gamma(name):
    pieces, results, *values = of_case(name)
    weights, means = _listed(pieces, results, *values)
    torch.testing.assert_close((weights * means).sum(-1)[0], pieces.run(*values), rtol=0, atol=1e-10)
    torch.testing.assert_close(weights.abs().sum(-1) ** 2, pieces.overhead_at(*values))
    assert means.abs().max() <= 1 + 1e-12  # they are expectation values of products of outcomes


@pytest.mark.parametrize("name", CASES)
def test_the_estimate_is_unbiased_and_its_variance_is_gamma_squared_less_the_value_squared(name):
    shots, repeats = 50, 2000
    pieces, results, *values = of_case(name, n_copies=repeats)
    exact, overhead = pieces.run(*values)[:2], pieces.overhead_at(*values)[:2]
    drawn = quasi_probability_estimate(pieces, results, *values, shots=shots, rng=numpy_stream(0, name))
    drawn = drawn.reshape(repeats, 2)
    variance = (overhead - exact**2) / shots
    assert ((drawn.mean(0) - exact).abs() < 4.5 * (variance / repeats).sqrt()).all()
    # a sample variance of nearly normal draws has the relative standard error sqrt(2 / repeats) = 0.032
    assert ((drawn.var(0) / variance - 1).abs() < 4.5 * (2 / repeats) ** 0.5).all()


def test_each_cut_wire_takes_sixteen_times_more_shots():
    variances = []
    for name, shots in (("one wire", 1600), ("two wires", 25_600)):
        pieces, results, *values = of_case(name, n_copies=1000)
        drawn = quasi_probability_estimate(pieces, results, *values, shots=shots, rng=numpy_stream(1, name))
        variances.append(drawn.reshape(1000, 2).var(0))
    # equal up to the value squared, which is 1/16 of gamma squared at most; the standard error of a ratio is 0.063
    assert ((variances[0] / variances[1] - 1).abs() < 0.35).all()


@pytest.mark.parametrize("name", CASES)
def test_measuring_every_task_is_unbiased_with_an_error_that_falls_as_one_over_the_root_of_shots(name):
    repeats, rng = 500, numpy_stream(2, name)
    pieces, results, *values = of_case(name, n_copies=repeats)
    exact = pieces.run(*values)[:2]
    errors, numbers = [], [2**8, 2**11, 2**14]
    for shots in numbers:
        noisy = measured_results(results, shots=shots, rng=rng)
        drawn = pieces.combine(noisy, *values).reshape(repeats, 2)
        assert ((drawn.mean(0) - exact).abs() < 4.5 * drawn.std(0) / repeats**0.5).all()
        errors.append(drawn.std(0).mean().log2())
    slope = (errors[-1] - errors[0]) / np.log2(numbers[-1] / numbers[0])
    assert abs(slope + 0.5) < 0.05


def test_sums_of_strings_and_several_observables():
    pieces, results, *values = of_case("one gate", [Z(0) + 0.5 * X(3) - 2.0, X(1) @ Z(2)])
    exact = pieces.run(*values)
    estimate = quasi_probability_estimate(pieces, results, *values, shots=200_000, rng=numpy_stream(3))
    assert estimate.shape == exact.shape == (2, 2)
    assert ((estimate - exact).abs() < 5 * (1 + 0.5 + 2) * 3 / 200_000**0.5).all()


def test_the_same_stream_gives_the_same_draws():
    pieces, results, *values = of_case("one gate")
    one, two, other = (
        quasi_probability_estimate(pieces, results, *values, shots=7, rng=numpy_stream(seed)) for seed in (4, 4, 5)
    )
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_no_sample_gives_no_estimate():
    pieces, results, *values = of_case("wire and gate", n_copies=0)
    assert quasi_probability_estimate(pieces, results, *values, shots=7, rng=numpy_stream(0)).shape == (0,)


@pytest.mark.parametrize("shots", [0, -1, 2.5, True], ids=repr)
def test_shots_must_be_a_positive_number(shots):
    pieces, results, *values = of_case("one gate")
    with pytest.raises(ValueError, match="at least one shot"):
        measured_results(results, shots=shots, rng=numpy_stream(0))
    with pytest.raises(ValueError, match="at least one shot"):
        quasi_probability_estimate(pieces, results, *values, shots=shots, rng=numpy_stream(0))


def test_too_many_terms_to_list():
    circuit = ry_chain(10)
    pieces = cut(circuit, Z(0), [WireCut(wire, 3 * wire - 1) for wire in range(1, 9)])
    values = inputs(circuit, 0)
    results = [execute(task, *values) for task in pieces.tasks]
    with pytest.raises(UsageError, match="16777216 x 1 x 2"):
        quasi_probability_estimate(pieces, results, *values, shots=1, rng=numpy_stream(0))
