"""Pictures of this study; error against size, and losses, every report has anyway."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure as MatplotlibFigure

from replank.lab.records import Records
from replank.lab.report.figures import INK, WIDTH, dress, looks
from replank.lab.study import Figure
from replank.studies.povm_transformer.record import COLUMNS

SHOWN = ("product", "transformer", "transformer-strings", "gru", "made", "rbm")


def steady_observables(records: Records) -> MatplotlibFigure:
    """Means of ⟨X⟩, ⟨Y⟩, ⟨Z⟩ against the field."""
    return _observables(records, ("x", "y", "z"), "g")


def dynamics(records: Records) -> MatplotlibFigure:
    """The mean of ⟨Z⟩ against time."""
    return _observables(records, ("z",), "t")


def _observables(records: Records, axes: tuple[str, ...], over: str) -> MatplotlibFigure:
    """A panel for each axis: the exact curve, and each arm's mean over seeds with the range that they span.

    Raises:
        ValueError: no arm has observables.
    """
    tables = {arm: _tables(records, arm) for arm in SHOWN}
    tables = {arm: found for arm, found in tables.items() if len(found)}
    if not tables:
        raise ValueError(f"observables: one of {', '.join(SHOWN)} must have been run, got none.")
    figure = MatplotlibFigure(figsize=(WIDTH, 3.4), layout="constrained")
    panels = figure.subplots(1, len(axes), squeeze=False)[0]
    known = looks(["exact", *SHOWN])
    for panel, axis in zip(panels, axes, strict=True):
        own, exact = 1 + COLUMNS.index(axis), 1 + COLUMNS.index(f"exact_{axis}")
        some = next(iter(tables.values()))[0]
        marks = len(some) <= 10
        panel.plot(some[:, 0], some[:, exact], color=INK, linewidth=2.4, alpha=0.35, label="exact")
        for arm, found in tables.items():
            look, x, mean = known[arm], found[0, :, 0], found[:, :, own].mean(0)
            panel.fill_between(x, found[:, :, own].min(0), found[:, :, own].max(0), color=look.colour, alpha=0.12, lw=0)
            panel.plot(
                x, mean, color=look.colour, linestyle=look.dashes, linewidth=1.2, label=arm,
                marker=look.marker if marks else None, markersize=4,
            )  # fmt: skip
        dress(panel, over, f"mean of ⟨{axis.upper()}⟩")
    panels[-1].legend(frameon=False, fontsize=7.5)
    return figure


def _tables(records: Records, arm: str) -> np.ndarray:
    """Observables of each seed that has been run, ``(n_seeds, n_points, 1 + len(COLUMNS))``."""
    rows = records.table
    seeds = rows.loc[(rows["arm"] == arm) & (rows["status"] == "done"), "seed"]
    return np.array([records.artefact("observables", arm, seed=int(seed)) for seed in seeds])


FIGURES = (
    Figure(
        "steady_observables",
        "Observables of the steady state against the field",
        "Wide grey: exact. Means over seeds, and what they span. All densities but the product have about the "
        "transformer's number of parameters.",
        steady_observables,
        protocol="tfim*",
    ),
    Figure(
        "dynamics",
        "The mean of ⟨Z⟩ after all spins were up",
        "Wide grey: exact. Each density is advanced by the trapezoid from its own state of the step before, so that "
        "errors add up.",
        dynamics,
        protocol="xyz*",
    ),
)
