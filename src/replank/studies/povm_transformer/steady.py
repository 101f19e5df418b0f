"""Steady states of the dissipative Ising chain, one density for each field."""

from __future__ import annotations

from replank.lab.trial import Measurements, Trial
from replank.measure.timing import Stopwatch
from replank.open_systems import SteadyStateSolver
from replank.seeding import torch_stream
from replank.studies.povm_transformer.densities import build, descent, drawn, sampler
from replank.studies.povm_transformer.observed import observe
from replank.studies.povm_transformer.problems import systems
from replank.studies.povm_transformer.record import Row, measurements, point
from replank.studies.povm_transformer.settings import OpenSettings


def run_steady(trial: Trial) -> Measurements:
    """Train a density at each field and compare its observables with the exact ones."""
    settings: OpenSettings = trial.settings
    rows: list[Row] = []
    for number, (field, system) in enumerate(systems(settings, trial.device), 1):
        density = build(settings, system, seed=trial.seed, device=trial.device)
        source, stream = sampler(settings, density), torch_stream(trial.seed, "samples", number, device=trial.device)
        with Stopwatch(trial.device) as watch:
            result = SteadyStateSolver(system.generator, descent(settings)).solve(density, source, stream)
        observed = observe(density, system, drawn(settings, density, stream))
        exact = system.exact(settings.max_exact_sites)
        rho = None if exact is None else exact.steady_state()
        rows.append(point(number, {"field": field}, result, watch, observed, system, rho))
        trial.progress(number, len(settings.fields), rows[-1])
    return measurements(rows, density, over="field", axes="xyz")
