from __future__ import annotations

import os
import pickle

import numpy as np
import pytest
import torch
from cutting_cases import F64, inputs, last_before, ry_chain

from replank.circuits import NoiseModel, X, Z
from replank.circuits.cost import counting_operations
from replank.circuits.cutting import CutEstimator, counting_executions, cut, local_pool
from replank.circuits.noise import amplitude_damping, depolarising
from replank.errors import UsageError
from replank.seeding import torch_stream

CHAIN = ry_chain(8)
EVERYTHING = [Z(wire) for wire in range(8)]
EXACT = {"rtol": 0, "atol": 1e-10}


@pytest.fixture(scope="module")
def pieces():
    return cut(CHAIN, EVERYTHING, [last_before(CHAIN, 3, 1)], max_width=5)


@pytest.fixture(scope="module")
def pool():
    with local_pool(2) as pool:
        yield pool


def test_each_execution_is_a_task_with_one_setting(pieces):
    executions = CutEstimator(pieces).executions
    assert [task.circuit.n_qubits for task in executions] == [4] * 3 + [5] * 4
    assert all(len(task.settings) == 1 for task in executions)
    assert sum(len(task.observables) for task in executions) == sum(len(task.observables) for task in pieces.tasks)


def test_executions_put_together_are_the_whole(pieces):
    values = inputs(CHAIN, 0)
    torch.testing.assert_close(CutEstimator(pieces)(*values), CHAIN.plan(EVERYTHING)(*values), **EXACT)


def test_seven_tasks_on_a_pool_of_processes_none_wider_than_five_qubits(pieces, pool):
    features, parameters = inputs(CHAIN, 1)
    estimator = CutEstimator(pieces, executor=pool)
    with counting_executions() as count:
        first = estimator(features, parameters)
        estimator(features, parameters)
    torch.testing.assert_close(first, CHAIN.plan(EVERYTHING)(features, parameters), **EXACT)
    assert (count.executions, count.widest, count.simulated) == (2 * 7, 5, 5)
    assert os.getpid() not in count.processes
    assert 1 <= len(count.processes) <= 2


def test_gradients_come_from_the_pool_by_parameter_shift(pieces, pool):
    features, parameters = (each.requires_grad_() for each in inputs(CHAIN, 2))
    weights = torch.linspace(1, 2, 8, dtype=F64)
    found = []
    for run in (CutEstimator(pieces, executor=pool, gradient="parameter_shift"), CHAIN.plan(EVERYTHING), pieces.run):
        found.append(torch.autograd.grad((run(features, parameters) * weights).sum(), (features, parameters)))
    torch.testing.assert_close(found[0], found[1], rtol=0, atol=1e-8)
    torch.testing.assert_close(found[2], found[1], rtol=0, atol=1e-8)


def test_shots_are_the_same_wherever_they_are_drawn(pieces, pool):
    values = inputs(CHAIN, 3)
    here, there = (
        CutEstimator(pieces, shots=100, executor=executor)(*values, generator=torch_stream(0, "shots"))
        for executor in (None, pool)
    )
    assert torch.equal(here, there)
    other = CutEstimator(pieces, shots=100)(*values, generator=torch_stream(1, "shots"))
    assert not torch.equal(here, other)


def test_shots_are_unbiased_not_clipped_and_their_error_falls_as_one_over_the_root(pieces):
    features, parameters = inputs(CHAIN, 4, n_samples=1)
    exact = pieces.run(features, parameters)[0]
    repeats, numbers, errors = 400, [2**power for power in range(8, 15)], []
    for shots in numbers:
        drawn = CutEstimator(pieces, shots=shots)(
            features.repeat(repeats, 1), parameters, generator=torch_stream(2, shots)
        )
        assert ((drawn.mean(0) - exact).abs() <= 4 * drawn.std(0) / repeats**0.5 + 1e-12).all()
        errors.append(float(drawn.std(0).mean()))
    slope = np.polyfit(np.log2(numbers), np.log2(errors), 1)[0]
    assert abs(slope + 0.5) < 0.1
    few = CutEstimator(pieces, shots=4)(features.repeat(repeats, 1), parameters, generator=torch_stream(3))
    assert few.abs().max() > 1


def test_gradients_by_shift_with_shots_are_unbiased(pieces):
    features, parameters = inputs(CHAIN, 5, n_samples=1)
    last = cut(CHAIN, Z(7), pieces.cuts)
    exact = torch.autograd.grad(last.run(features, parameters.requires_grad_()).sum(), parameters)[0]
    many = features.repeat(400, 1)
    estimator = CutEstimator(last, shots=200, gradient="parameter_shift")
    found = torch.autograd.grad(
        estimator(many, parameters, generator=torch_stream(6)).mean(), parameters
    )[0]  # fmt: skip
    assert (found - exact).abs().max() < 0.1 * exact.abs().max() + 0.02


def test_fragments_with_noisy_cnots_are_the_circuit_with_noisy_cnots(pieces):
    values = inputs(CHAIN, 6)
    noise = NoiseModel(two_qubit=[depolarising(0.1, 0, 1), amplitude_damping(0.2, 1)])
    noisy = noise.apply(CHAIN).plan(EVERYTHING)(*values)
    torch.testing.assert_close(CutEstimator(pieces, noise=noise)(*values), noisy, **EXACT)
    assert (noisy - pieces.run(*values)).abs().max() > 0.01


def test_a_single_observable_gives_no_dimension_of_its_own(pieces, pool):
    values = inputs(CHAIN, 7)
    last = cut(CHAIN, X(2) @ Z(7), pieces.cuts)
    whole = CHAIN.plan(X(2) @ Z(7))(*values)
    for options in ({}, {"executor": pool}, {"gradient": "parameter_shift"}):
        torch.testing.assert_close(CutEstimator(last, **options)(*values), whole, **EXACT)


def test_counters_inside_each_other_both_count(pieces):
    values = inputs(CHAIN, 8)
    with counting_operations() as outer:
        with counting_operations() as inner:
            pieces.run(*values)
        CHAIN.plan(Z(7))(*values)
    assert inner.widest == 5
    assert outer.widest == 8
    assert outer.flops > inner.flops > 0


def test_tasks_forget_their_plans_when_they_travel(pieces):
    task = pieces.tasks[0]
    assert task.plan is task.plan
    assert "plan" not in vars(pickle.loads(pickle.dumps(task)))


# -- bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{"shots": 10}, {"executor": object()}], ids=["shots", "executor"])
def test_autograd_does_not_see_shots_or_other_processes(pieces, options):
    features, parameters = inputs(CHAIN, 0)
    with pytest.raises(UsageError, match=r'Say gradient="parameter_shift", or torch.no_grad\(\)'):
        CutEstimator(pieces, **options)(features, parameters.requires_grad_())


@pytest.mark.parametrize("shots", [0, -1, 2.5, True], ids=repr)
def test_shots_must_be_a_positive_number(pieces, shots):
    with pytest.raises(ValueError, match="at least one shot, got shots="):
        CutEstimator(pieces, shots=shots)


def test_other_options_that_do_not_exist(pieces):
    with pytest.raises(ValueError, match='must be "adjoint" or "parameter_shift"'):
        CutEstimator(pieces, gradient="backprop")
    with pytest.raises(TypeError, match="must be a NoiseModel, got float"):
        CutEstimator(pieces, noise=0.1)
    with pytest.raises(ValueError, match="at least one of each, got workers=0"), local_pool(0):
        pass
    with pytest.raises(ValueError, match="features must have the shape"):
        CutEstimator(pieces)(torch.zeros(2, 5), torch.zeros(4))
