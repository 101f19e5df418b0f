"""One trial: which of the experiments it is."""

from __future__ import annotations

from replank.lab.trial import Measurements, Trial
from replank.studies.povm_transformer.dynamics import run_dynamics
from replank.studies.povm_transformer.order import run_order
from replank.studies.povm_transformer.settings import OpenSettings
from replank.studies.povm_transformer.steady import run_steady


def run(trial: Trial) -> Measurements:
    """Run the protocol's experiment with the arm's density."""
    settings: OpenSettings = trial.settings
    match settings.problem:
        case "steady":
            return run_steady(trial)
        case "dynamics":
            return run_dynamics(trial)
        case "order":
            return run_order(trial)
