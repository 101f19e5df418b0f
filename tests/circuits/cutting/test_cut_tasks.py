from __future__ import annotations

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import pytest
import torch
from cutting_cases import inputs, ry_chain

from replank.circuits import X, Z
from replank.circuits.cutting import GateCut, Result, WireCut, cut, execute

CHAIN = ry_chain(4)


def test_tasks_run_on_a_pool_of_processes():
    circuit = ry_chain(6)
    observables = [Z(0) @ Z(5), X(2)]
    pieces = cut(circuit, observables, [WireCut(2, 5), GateCut(11)])
    features, parameters = inputs(circuit, 0)
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        results = list(pool.map(partial(execute, features=features, parameters=parameters), pieces.tasks))
    assert max(result.n_qubits for result in results) == pieces.widest == 3
    whole = circuit.plan(observables)(features, parameters)
    torch.testing.assert_close(pieces.combine(results, features, parameters), whole, rtol=0, atol=1e-10)


def test_tasks_and_results_survive_pickling():
    pieces = cut(CHAIN, Z(3), [GateCut(5)])
    features, parameters = inputs(CHAIN, 1)
    results = [execute(pickle.loads(pickle.dumps(task)), features, parameters) for task in pieces.tasks]
    again = pickle.loads(pickle.dumps(results))
    torch.testing.assert_close(pieces.combine(again, features, parameters), pieces.run(features, parameters))


def test_results_must_be_those_of_the_tasks():
    pieces = cut(CHAIN, Z(3), [GateCut(5)])
    features, parameters = inputs(CHAIN, 2)
    results = [execute(task, features, parameters) for task in pieces.tasks]
    wrong = Result(results[0].values[:, :0], results[0].n_qubits)
    for bad in (results[1:], [wrong, *results[1:]]):
        with pytest.raises(ValueError, match="a result for each of"):
            pieces.combine(bad, features, parameters)
