"""Many small hypernetworks: does the direction depend on activation, depth, or the size of the hyper-input?"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import torch

from replank.lab.trial import Measurements, Progress
from replank.studies.magnitude_invariant_hypernetworks.data import Feeds
from replank.studies.magnitude_invariant_hypernetworks.fitting import fit
from replank.studies.magnitude_invariant_hypernetworks.settings import HyperSettings

WIDTHS = {1: (128,), 2: (16, 128), 3: (16, 64, 128)}
CELL = "area_of_cell_"


def cells(settings: HyperSettings) -> Iterator[tuple[str, HyperSettings]]:
    """Every combination under its name."""
    for activation, depth, d in itertools.product(*settings.grid):
        yield f"{activation}_{depth}_{d}", replace(settings, activation=activation, hidden=WIDTHS[depth], d=d)


def run_grid(settings: HyperSettings, sets: Feeds, seed: int, device: torch.device, progress: Progress) -> Measurements:
    """The area under the logarithm of the validation loss in each cell."""
    chosen = list(cells(replace(settings, problem="gaussian")))
    found: dict[str, float] = {}
    for number, (name, cell) in enumerate(chosen, start=1):
        measured = fit(cell, sets, seed=seed, device=device, progress=lambda *_: None).measured
        found[f"{CELL}{name}"] = measured.metrics["mean_log_validation_loss"]
        progress(number, len(chosen), found)
    return Measurements(found | {"mean_log_validation_loss": sum(found.values()) / len(found)})
