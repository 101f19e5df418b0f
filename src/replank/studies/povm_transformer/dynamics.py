"""The dissipative XYZ model from all spins up: one density that is advanced step by step."""

from __future__ import annotations

import numpy as np

from replank.lab.trial import Measurements, Trial
from replank.measure.timing import Stopwatch
from replank.open_systems import TrapezoidEvolver
from replank.seeding import torch_stream
from replank.studies.povm_transformer.densities import build, descent, drawn, sampler
from replank.studies.povm_transformer.observed import enumerable, observe
from replank.studies.povm_transformer.problems import xyz
from replank.studies.povm_transformer.record import Row, measurements, point
from replank.studies.povm_transformer.settings import OpenSettings


def run_dynamics(trial: Trial) -> Measurements:
    """Advance a density and compare ⟨Z⟩ with the exact evolution after every step.

    The paper shows ⟨Z⟩: ⟨X⟩ and ⟨Y⟩ are 0 at all times. Where all strings can be summed over, samples are drawn at the
    end alone.
    """
    settings: OpenSettings = trial.settings
    system = xyz(settings, trial.device)
    density = build(settings, system, seed=trial.seed, device=trial.device)
    source, stream = sampler(settings, density), torch_stream(trial.seed, "samples", device=trial.device)
    evolver = TrapezoidEvolver(system.generator, settings.tau, descent(settings), settings.scheme)
    times = 2 * settings.tau * np.arange(settings.n_steps + 1)
    exact = system.exact(settings.max_exact_sites)
    states = None if exact is None else exact.evolve(system.all_up(), times)
    rows: list[Row] = []
    for number in range(1, settings.n_steps + 1):
        with Stopwatch(trial.device) as watch:
            result = evolver.step(density, source, stream)
        asks = number == settings.n_steps or not enumerable(system)
        observed = observe(density, system, drawn(settings, density, stream) if asks else None)
        rho = None if states is None else states[number]
        rows.append(point(number, {"time": float(times[number])}, result, watch, observed, system, rho))
        trial.progress(number, settings.n_steps, rows[-1])
    return measurements(rows, density, over="time", axes="z")
