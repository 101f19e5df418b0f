"""Draws circuits-tiles.svg: from a circuit to its steps, to a tile in the cache, to the two sweeps over it.

The circuit is the example of docs/circuits.md. Run it as ``python docs/images/circuits_tiles.py [FILE]``; the same
versions of matplotlib and its fonts give the same file.
"""

from __future__ import annotations

import sys
from math import pi
from pathlib import Path

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Rectangle

from replank.circuits import Circuit, Z, theta, x

INK, GREY, PALE = "#1a1a1a", "#8c8c8c", "#f4f4f4"
START, DIAGONAL, ROTATION, READOUT, BACK = "#cfe5f5", "#fce0c4", "#e3d6ee", "#d5ecd4", "#b03030"
LANES, CELL, BOTTOM = 8, 0.42, 3.3  # of the grids


def example() -> Circuit:
    """The circuit of the page."""
    circuit = Circuit(4)
    for qubit in range(4):
        circuit.ry(pi * x[qubit], qubit)
    circuit.cnot(0, 1).cnot(1, 2)
    for qubit in range(3):
        circuit.rz(theta[qubit], qubit)
    for qubit in range(4):
        circuit.rx(theta[3 + qubit], qubit)
    return circuit.rz(theta[7], 2)


def masks() -> tuple[list[str], list[str]]:
    """For each qubit of the first part, the position bits that X flips and that Z reads."""
    frame = example().plan([Z(0) @ Z(2), Z(1), Z(3)]).components[0].program.frame
    return [f"{mask:03b}" for mask in frame.flips], [f"{mask:03b}" for mask in frame.reads]


# -- pieces ------------------------------------------------------------------------------------------------------------


def write(ax: Axes, at: tuple[float, float], text: str, size: float = 8.5, align: str = "center", **style: str) -> None:
    """Text, centred vertically."""
    ax.text(*at, text, ha=align, va="center", fontsize=size, **{"color": INK, **style})


def box(ax: Axes, at: tuple[float, float], size: tuple[float, float], fill: str, text: str = "", **line: str) -> None:
    """A rounded box around a point."""
    (px, py), (width, height) = at, size
    corner = (px - width / 2 + 0.06, py - height / 2 + 0.06)
    style = {"edgecolor": INK, "linestyle": "-", **line}
    patch = FancyBboxPatch(corner, width - 0.12, height - 0.12, "round,pad=0.06", facecolor=fill, lw=0.9, **style)
    ax.add_patch(patch)
    write(ax, at, text, color=style["edgecolor"])


def arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], colour: str = INK, bend: float = 0) -> None:
    """An arrow, straight or bent."""
    style = {"arrowstyle": "-|>", "mutation_scale": 9, "shrinkA": 0, "shrinkB": 0}
    ax.add_patch(FancyArrowPatch(start, end, color=colour, lw=1.3, connectionstyle=f"arc3,rad={bend}", **style))


def panel(ax: Axes, title: str, width: float, height: float) -> None:
    """An empty panel with its title."""
    ax.set(xlim=(0, width), ylim=(0, height))
    ax.set_axis_off()
    write(ax, (0, height - 0.25), title, size=11, align="left", weight="bold")


# -- panels ------------------------------------------------------------------------------------------------------------


def draw_circuit(ax: Axes) -> None:
    """The gates, coloured by what they become."""
    panel(ax, "1  A circuit, and what is measured", 10, 6)
    rows = [4.7, 3.6, 2.5, 1.4]
    for qubit, row in enumerate(rows):
        ax.plot([0.6, 9.1], [row, row], color=GREY, lw=1, zorder=0)
        write(ax, (0.45, row), f"q{qubit}", align="right")
        box(ax, (1.55, row), (1.4, 0.7), START, f"RY(πx{qubit})")
    for control, place in ((0, 2.75), (1, 3.35)):
        top, below = rows[control], rows[control + 1]
        ax.plot([place, place], [top, below - 0.16], color=GREY, lw=1.3)
        ax.plot([place - 0.16, place + 0.16], [below, below], color=GREY, lw=1.3)
        ax.add_patch(Circle((place, top), 0.08, color=GREY))
        ax.add_patch(Circle((place, below), 0.16, facecolor="none", edgecolor=GREY, lw=1.3))
    for qubit in range(3):
        box(ax, (4.45, rows[qubit]), (1.25, 0.7), DIAGONAL, f"RZ(θ{qubit})")
        box(ax, (5.95, rows[qubit]), (1.25, 0.7), ROTATION, f"RX(θ{3 + qubit})")
    box(ax, (5.95, rows[3]), (1.25, 0.7), START, "RX(θ6)")
    box(ax, (7.45, rows[2]), (1.25, 0.7), "#ffffff", "RZ(θ7)", edgecolor=GREY, linestyle="--")
    box(ax, (9.0, (rows[0] + rows[2]) / 2), (1.2, 2.9), READOUT, "Z(0) Z(2)\n\nZ(1)")
    box(ax, (9.0, rows[3]), (1.2, 0.7), READOUT, "Z(3)")
    write(ax, (3.05, 0.55), "absorbed:\nno step", color=GREY)
    write(ax, (7.45, 0.55), "not seen:\ndropped", color=GREY)
    ax.plot([3.05, 3.05], [0.95, 2.2], color=GREY, lw=0.7, ls=":")
    ax.plot([7.45, 7.45], [0.95, 2.1], color=GREY, lw=0.7, ls=":")


def draw_steps(ax: Axes) -> None:
    """What is run."""
    panel(ax, "2  Few steps on positions p", 10, 6)
    flips, reads = masks()
    lines = [
        (START, "product state", "of qubits 0, 1, 2, each turned alone"),
        (DIAGONAL, "one diagonal", f"3 phases, signs by the parity of p & {', '.join(reads)}"),
        (ROTATION, "one pass", "3 rotations, p with p ^ " + ", p ^ ".join(flips)),
        (READOUT, "read-out", "sums of |ψ|² with signs; 2 strings"),
    ]
    for number, (fill, name, what) in enumerate(lines):
        row = 4.8 - 0.95 * number
        box(ax, (1.35, row), (2.3, 0.62), fill, name)
        write(ax, (2.75, row), what, align="left")
        if number:
            arrow(ax, (1.35, row + 0.62), (1.35, row + 0.33))
    box(ax, (1.35, 0.75), (2.3, 0.62), START, "product state")
    write(ax, (2.75, 0.75), "of qubit 3, which meets no other: a part of its own", align="left")


def draw_tiles(ax: Axes) -> None:
    """Samples in the lanes, and amplitudes in the lanes."""
    panel(ax, "3  A tile in the cache", 10, 8.6)
    left, flip = 1.75, int(masks()[0][0], 2)
    for behind in (2, 1):
        corner = (left + 0.13 * behind, BOTTOM + 0.13 * behind)
        ax.add_patch(Rectangle(corner, LANES * CELL, 8 * CELL, facecolor="#ffffff", edgecolor=GREY, lw=0.7))
    rows = {(p, lane) for p in (0, flip) for lane in range(LANES)}
    grid(ax, left, "samples in the lanes", "samples →", [f"{p:03b}" for p in range(8)], rows)
    write(ax, (left - 0.12, 7.0), "p", size=8, align="right", style="italic")
    one, other = middle(0), middle(flip)
    for start, end, bend in ((one, other, 0.25), (other, one, -0.25)):
        arrow(ax, (left - 0.65, start), (left - 0.65, end), bend=bend)
    write(ax, (0.42, (one + other) / 2), f"p and p ^ {flip:03b}", size=7.5, rotation="vertical")
    words = (
        "A row is one register: the real part of one",
        "amplitude of several samples; the imaginary",
        "one lies beside it. A pass takes up to",
        "8 rows, and turns them several times.",
        "Every qubit costs the same.",
    )
    write(ax, (0.2, 2.05), "\n".join(words), align="left", size=8)

    left = 6.3
    grid(ax, left, "amplitudes in the lanes", "low bits of p →", [f"{p:03b}···" for p in range(8)], {(0, 0), (0, 3)})
    for start, end in ((0.5, 3.5), (3.5, 0.5)):
        arrow(ax, (left + start * CELL, one), (left + end * CELL, one), bend=-0.5)
    words = (
        "A row is several amplitudes of one sample,",
        "for small batches and large states. A flip",
        "of low bits exchanges lanes.",
        "From 14 qubits on, all threads may work",
        "on one tile, as a team.",
    )
    write(ax, (left - 0.85, 2.05), "\n".join(words), align="left", size=8)
    rule = "a tile goes through all steps before the next one begins; each thread has tiles of its own"
    box(ax, (5.0, 0.6), (9.6, 0.75), PALE, rule)


def middle(row: int) -> float:
    """The height of a row of a grid."""
    return BOTTOM + CELL * (7.5 - row)


def grid(ax: Axes, left: float, title: str, across: str, labels: list[str], filled: set[tuple[int, int]]) -> None:
    """A tile of eight rows."""
    for row, label in enumerate(labels):
        for lane in range(LANES):
            fill = ROTATION if (row, lane) in filled else "#ffffff"
            corner = (left + lane * CELL, middle(row) - CELL / 2)
            ax.add_patch(Rectangle(corner, CELL, CELL, facecolor=fill, edgecolor=GREY, lw=0.6))
        write(ax, (left - 0.12, middle(row)), label, size=7.5, align="right", family="monospace")
    write(ax, (left + LANES * CELL / 2, 7.0), across, size=8)
    write(ax, (left + LANES * CELL / 2, 7.55), title, weight="bold")


def draw_sweeps(ax: Axes) -> None:
    """The state forwards; the state and its dual backwards."""
    panel(ax, "4  Forwards, and back", 10, 8.6)
    places = [
        (1.3, START, "start"),
        (3.6, DIAGONAL, "diagonal"),
        (5.9, ROTATION, "rotations"),
        (8.2, READOUT, "read-out"),
    ]
    for place, fill, name in places:
        box(ax, (place, 6.6), (1.6, 0.75), fill, name)
        box(ax, (place, 3.5), (1.6, 0.75), fill, name)
    for place in (2.1, 4.4, 6.7):
        arrow(ax, (place + 0.03, 6.6), (place + 0.67, 6.6))
        write(ax, (place + 0.33, 6.85), "ψ", size=9.5)
        arrow(ax, (place + 0.67, 3.62), (place + 0.03, 3.62))
        arrow(ax, (place + 0.67, 3.38), (place + 0.03, 3.38), colour=BACK)
        write(ax, (place + 0.33, 3.92), "ψ", size=9.5)
        write(ax, (place + 0.33, 3.05), "λ", size=9.5, color=BACK)
    arrow(ax, (8.2, 7.0), (8.2, 7.5))
    write(ax, (8.2, 7.68), "values", size=9)
    box(ax, (7.05, 5.1), (3.9, 0.72), PALE, "kept: ψ at the end, and no more")
    arrow(ax, (7.05, 6.5), (7.05, 5.45), colour=GREY)
    arrow(ax, (7.05, 4.72), (7.05, 4.15), colour=GREY)
    write(ax, (9.75, 2.75), "gradient g\nof the loss", size=8, align="right")
    arrow(ax, (8.6, 2.75), (8.2, 3.08), colour=BACK)
    for place, name in ((1.3, "∂x0 ∂x1 ∂x2"), (3.6, "∂θ0 ∂θ1 ∂θ2"), (5.9, "∂θ3 ∂θ4 ∂θ5")):
        arrow(ax, (place, 3.1), (place, 2.5))
        write(ax, (place, 2.25), name)
    words = (
        "λ = Σ g P ψ, half the gradient of the loss by ψ. Each step is undone on ψ and on λ",
        "by its inverse, and hands over its gradients: Re ⟨λ| −iP |ψ⟩ for a rotation about P.",
        "Two states of a tile at work, whatever the depth.",
    )
    write(ax, (0.3, 1.1), "\n".join(words), align="left", size=8)


def main(file: Path) -> None:
    """Draw all panels."""
    plt.rcParams.update({"svg.hashsalt": "replank", "font.family": "DejaVu Sans"})
    figure = plt.figure(figsize=(12, 8.4), facecolor="#ffffff")
    for draw, place in (
        (draw_circuit, (0.02, 0.6, 0.47, 0.38)),
        (draw_steps, (0.52, 0.6, 0.47, 0.38)),
        (draw_tiles, (0.02, 0.02, 0.47, 0.54)),
        (draw_sweeps, (0.52, 0.02, 0.47, 0.54)),
    ):
        draw(figure.add_axes(place))
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("circuits-tiles.svg"))
