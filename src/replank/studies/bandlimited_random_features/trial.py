"""One trial: one arm on one problem."""

from __future__ import annotations

from replank.lab.trial import Measurements, Trial
from replank.studies.bandlimited_random_features.interval import on_interval
from replank.studies.bandlimited_random_features.line import on_line
from replank.studies.bandlimited_random_features.settings import RandomFeatureSettings
from replank.studies.bandlimited_random_features.several import with_several_inputs


def run(trial: Trial) -> Measurements:
    """Fit one arm and measure how far it is off."""
    settings: RandomFeatureSettings = trial.settings
    match settings.problem:
        case "curves":
            return on_interval(trial)
        case "line":
            return on_line(trial)
        case _:
            return with_several_inputs(trial)
