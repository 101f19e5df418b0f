"""A trial on the price of cutting: how the variance of estimates from finitely many shots grows."""

from __future__ import annotations

from math import pi

import numpy as np
import torch
from torch import Tensor

from replank.circuits import Z
from replank.circuits.cutting import CutCircuit, CutEstimator, cut, execute, quasi_probability_estimate
from replank.circuits.estimators import Estimator
from replank.lab.trial import Measurements, Trial
from replank.parts.linear.cut_qcnn import CutQCNNLayer
from replank.parts.linear.qcnn import QCNNLayer
from replank.seeding import isolated, numpy_stream, torch_stream
from replank.studies.distributed_qcnn.model import quantum_layer
from replank.studies.distributed_qcnn.settings import DistributedSettings

N_INPUTS = 8
DRAWN_SHOTS = 4096
SHOTS = tuple(2**power for power in range(8, 15))


def run_overhead(trial: Trial) -> Measurements:
    """Estimate ``<Z>`` of the last qubit, which sees all others, many times."""
    settings: DistributedSettings = trial.settings
    with isolated(trial.seed, "part", "middle"):
        layer = quantum_layer(trial.arm.name).double()
    pieces = last_qubit(layer) if isinstance(layer, CutQCNNLayer) else None
    x = torch.empty(N_INPUTS, layer.in_features, dtype=torch.float64)
    x.uniform_(-pi, pi, generator=torch_stream(trial.seed, "inputs"))
    with torch.no_grad():
        exact = layer(x)[:, -1]
        metrics, errors = _with_shots(layer, pieces, x, exact, settings.repeats, trial.seed)
        if pieces is not None:
            metrics |= drawn_terms(pieces, layer.layer.theta, x, exact, settings.repeats, trial.seed)
    metrics |= {"mean_square_value": float(exact.square().mean())}
    trial.progress(1, 1, {})
    return Measurements(metrics, artefacts={"errors": np.stack([SHOTS, errors])})


def last_qubit(layer: CutQCNNLayer) -> CutCircuit:
    """The layer's circuit, cut in the same places, with Z of the last qubit alone."""
    assert layer.pieces is not None  # this one is cut
    return cut(
        layer.circuit(),
        Z(layer.in_features - 1),
        layer.pieces.cuts,
        basis=layer.basis,
        skip_zero_y=layer.skip_zero_y,
        max_width=layer.max_width,
    )


def drawn_terms(
    pieces: CutCircuit, theta: Tensor, x: Tensor, exact: Tensor, repeats: int, seed: int
) -> dict[str, float]:
    """The estimator of the theory: each shot draws one term of the sum and runs each fragment once.

    Its variance is ``(gamma^2 - v^2) / shots`` for a value v, against ``(1 - v^2) / shots`` uncut.

    Args:
        pieces: the circuit.
        theta: its angles.
        x: inputs, ``(n, 8)``.
        exact: the values, ``(n,)``.
        repeats: number of estimates of each.
        seed: of the shots.
    """
    many = x.repeat(repeats, 1)
    results = [execute(task, many, theta) for task in pieces.tasks]
    stream = numpy_stream(seed, "terms", len(pieces.cuts))
    estimates = quasi_probability_estimate(pieces, results, many, theta, shots=DRAWN_SHOTS, rng=stream)
    estimates = estimates.reshape(repeats, len(x))
    theory = pieces.overhead - exact.square()
    variance, uncut = float(DRAWN_SHOTS * estimates.var(0).mean()), float((1 - exact.square()).mean())
    distance = (estimates.mean(0) - exact).abs() / (theory / DRAWN_SHOTS / repeats).sqrt()
    return {
        "overhead_of_theory": pieces.overhead,
        "variance_of_a_shot": variance,
        "variance_ratio": variance / uncut,
        "variance_over_theory": variance / float(theory.mean()),
        "standard_errors_from_value": float(distance.max()),
    }


def _with_shots(
    layer: QCNNLayer, pieces: CutCircuit | None, x: Tensor, exact: Tensor, repeats: int, seed: int
) -> tuple[dict[str, float], list[float]]:
    """The estimator in use: every execution with as many shots; and its errors for each number of them."""
    many, errors, means = x.repeat(repeats, 1), [], []
    for shots in SHOTS:
        stream = torch_stream(seed, "shots", shots)
        if pieces is None:
            whole = Estimator(layer.circuit().plan(Z(layer.in_features - 1)), shots=shots)
            estimates = whole(many, layer.layer.theta, generator=stream)
        else:
            estimates = CutEstimator(pieces, shots=shots)(many, layer.layer.theta, generator=stream)
        estimates = estimates.reshape(repeats, len(x))
        errors.append(float(estimates.var(0).mean().sqrt()))
        means.append(float(((estimates.mean(0) - exact).abs() / (estimates.std(0) / repeats**0.5)).max()))
    n_executions = 1 if pieces is None else pieces.n_executions
    in_all = errors[-1] ** 2 * SHOTS[-1] * n_executions
    return {
        "executions": float(n_executions),
        "shots_slope": float(np.polyfit(np.log2(SHOTS), np.log2(errors), 1)[0]),
        "shots_for_the_same_error": in_all / float((1 - exact.square()).mean()),
        "standard_errors_from_value_as_run": max(means),
    }, errors
