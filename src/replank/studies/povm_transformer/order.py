"""How fast the error of a step falls with its length: steps of all probabilities at once."""

from __future__ import annotations

import numpy as np

from replank.lab.trial import Measurements, Trial
from replank.open_systems import vector_evolution, vector_steps
from replank.studies.povm_transformer.problems import ising
from replank.studies.povm_transformer.settings import OpenSettings


def run_order(trial: Trial) -> Measurements:
    """Half of the sum of absolute errors at the end, with ``tau`` and with half of it; nothing is drawn."""
    settings: OpenSettings = trial.settings
    system = ising(settings, settings.fields[0])
    matrix, p = system.generator.matrix(), system.povm.povm_probabilities(system.all_up()).numpy()
    exact = vector_evolution(matrix, p, np.array([2 * settings.tau * settings.n_steps]))[0]
    errors = [
        np.abs(vector_steps(matrix, p, settings.tau / n, n * settings.n_steps, settings.scheme)[-1] - exact).sum() / 2
        for n in (1, 2)
    ]
    trial.progress(1, 1, {})
    return Measurements({"probability_distance": float(errors[0]), "order_ratio": float(errors[0] / errors[1])})
