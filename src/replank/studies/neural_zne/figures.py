"""Pictures of this study; the forest plot of its contrast every report has anyway."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure as MatplotlibFigure

from replank.lab.records import Records
from replank.lab.report.figures import FAINT, INK, WIDTH, Look, dress, learning_curves, looks, metric_heatmap
from replank.lab.study import Figure

SHOWN = ("linear", "richardson-3", "exponential", "ffnn", "ffnn-full", "conditioned")


def error_table(records: Records) -> MatplotlibFigure:
    """Median errors of all arms, over all circuits and by Hamiltonian, depth and strength."""
    names = [name for name in map(str, records.table) if name.startswith("median_error")]
    return metric_heatmap(records.table, names)


def extrapolations(records: Records) -> MatplotlibFigure:
    """What was fitted, and what came of it, for a circuit of each Hamiltonian."""
    table = records.table[records.table["status"].eq("done")]
    arms = [arm for arm in SHOWN if table["arm"].eq(arm).any()]
    if not arms:
        raise ValueError(f"extrapolations: one of {', '.join(SHOWN)} must have been run, got none.")
    looks_of = looks(records.table["arm"])
    seed = int(table.loc[table["arm"].eq(arms[0]), "seed"].min())
    exact = records.artefact("exact", arms[0], seed=seed)
    figure = MatplotlibFigure(figsize=(WIDTH, 3.4), layout="constrained")
    for number, axes in enumerate(figure.subplots(1, len(exact), squeeze=False)[0]):
        axes.axhline(exact[number], color=FAINT, linewidth=0.8)
        for arm in arms:
            _curve(axes, records, arm, seed, number, looks_of[arm])
        dress(axes, "scale of the noise", "energy / largest |eigenvalue|" if number == 0 else "")
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=6, frameon=False,
                  fontsize=8)  # fmt: skip
    return figure


def _curve(axes: Axes, records: Records, arm: str, seed: int, number: int, look: Look) -> None:
    scale, *values = records.artefact("points", arm, seed=seed)
    grid, *curves = records.artefact("curve", arm, seed=seed)
    axes.plot(scale, values[number], ".", color=INK, markersize=4)
    axes.plot(grid, curves[number], color=look.colour, linestyle=look.dashes, linewidth=1.2)
    axes.plot(grid[0], curves[number][0], look.marker, color=look.colour, markersize=6, clip_on=False, label=arm)


def errors_along_the_way(records: Records) -> MatplotlibFigure:
    """How far mitigated energies are from the exact ones of the same angles, as an eigensolver trains."""
    return learning_curves(records, "median_error")


FIGURES = (
    Figure(
        "errors",
        "Median errors",
        "Each row is an arm, each column a group of circuits; means over seeds, colours on a logarithmic scale.",
        error_table,
    ),
    Figure(
        "extrapolations",
        "What is fitted, and where it leads",
        "One circuit of each Hamiltonian under the strongest noise. Dots: measured values; the grey line is the exact "
        "value without noise, markers at scale 0 what each arm predicts. A network of tanh units levels off beyond its "
        "data.",
        extrapolations,
    ),
    Figure(
        "median_error",
        "Errors of mitigated energies while an eigensolver trains",
        "Mean and range over seeds of the median over Hamiltonians and starts; no mitigation is dashed.",
        errors_along_the_way,
        protocol="vqe*",
    ),
)
