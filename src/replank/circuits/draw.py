"""Pictures of circuits: as text, and with matplotlib.

Both put an operation into the first column where all wires from its topmost to its lowest one are free, so that no line
between wires crosses a foreign gate. Qubit 0 is the topmost wire.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from replank.circuits.angle import Angle, Atom, Call, Product, Variable
from replank.circuits.circuit import Circuit
from replank.circuits.gates import GATES
from replank.circuits.operations import Gate, Measure, Operation, PauliRotation, Reset

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# -- what is drawn -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Mark:
    """What an operation shows on one wire: a symbol, or a name with something smaller below or behind it."""

    kind: Literal["control", "target", "swap", "meter", "box"]
    name: str = ""
    detail: str = ""

    @property
    def text(self) -> str:
        symbol = {"control": "●", "target": "⊕", "swap": "×", "meter": "M"}.get(self.kind, self.name)
        return f"{symbol}({self.detail})" if self.detail else symbol


@dataclass(frozen=True)
class _Drawn:
    """An operation with its marks."""

    operation: Operation
    marks: dict[int, _Mark]

    @property
    def top(self) -> int:
        return min(self.marks)

    @property
    def bottom(self) -> int:
        return max(self.marks)

    @property
    def condition(self) -> str:
        return "" if self.operation.when is None else f"if {self.operation.when}"


def _columns(circuit: Circuit, decimals: int) -> list[list[_Drawn]]:
    """Operations as early as possible, but right of the measurement that they depend on."""
    free = [0] * circuit.n_qubits
    after: dict[str | None, int] = {None: 0}
    columns: list[list[_Drawn]] = []
    for operation in circuit:
        drawn = _Drawn(operation, _marks(operation, decimals))
        span = range(drawn.top, drawn.bottom + 1)
        column = max(after[operation.when], *(free[wire] for wire in span))
        for wire in span:
            free[wire] = column + 1
        if isinstance(operation, Measure):
            after[operation.key] = column + 1
        columns += [[] for _ in range(column + 1 - len(columns))]
        columns[column].append(drawn)
    return columns


def _marks(operation: Operation, decimals: int) -> dict[int, _Mark]:
    wires, detail = operation.wires, ", ".join(_angle_text(angle, decimals) for angle in operation.angles)
    match operation:
        case Gate(name="SWAP"):
            marks = [_Mark("swap")] * 2
        case Gate(name=name) if n := GATES[name].n_controls:
            target = "X" if name in ("CNOT", "Toffoli") else name[n:]
            marks = [_Mark("control")] * n + [_Mark("target" if target == "X" else "box", target, detail)]
        case Gate(name=name) if name.startswith("iSWAP"):
            marks = [_Mark("box", name)] * 2
        case PauliRotation() | Gate() if len(wires) > 1:
            letters = operation.label[1:]
            marks = [_Mark("box", operation.label, detail), *(_Mark("box", letter) for letter in letters[1:])]
        case Measure(key=key):
            marks = [_Mark("meter", "", key)]
        case Reset():
            marks = [_Mark("box", "|0⟩")]
        case _ if len(wires) > 1:
            marks = [_Mark("box", f"{operation.label}{_subscript(k)}") for k in range(len(wires))]
        case _:
            marks = [_Mark("box", operation.label, detail)]
    return dict(zip(wires, marks, strict=True))


def _subscript(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


# -- angles ------------------------------------------------------------------------------------------------------------


def _angle_text(angle: Angle, decimals: int) -> str:
    words = [_term_text(atom, coefficient, decimals) for atom, coefficient in angle.terms]
    if angle.constant or not words:
        words.append(_number_text(angle.constant, decimals))
    return "+".join(words).replace("+-", "-")


def _term_text(atom: Atom, coefficient: float, decimals: int) -> str:
    match atom:
        case Variable(kind, index):
            text = f"{'θ' if kind == 'theta' else 'x'}[{index}]"
        case Product(left, right):
            text = "·".join(_factor_text(each, decimals) for each in (left, right))
        case Call("reciprocal", argument):
            text = f"1/{_factor_text(argument, decimals)}"
        case Call(function, argument):
            text = f"{function}({_angle_text(argument, decimals)})"
    if abs(coefficient) == 1:
        return text if coefficient > 0 else f"-{text}"
    return f"{_number_text(coefficient, decimals)}·{text}"


def _factor_text(angle: Angle, decimals: int) -> str:
    """In brackets, unless it is a variable or a function of something."""
    text = _angle_text(angle, decimals)
    match angle:
        case Angle(((Variable(), 1.0),), 0.0):
            return text
        case Angle(((Call(function, _), 1.0),), 0.0) if function != "reciprocal":
            return text
    return f"({text})"


def _number_text(value: float, decimals: int) -> str:
    """A multiple of pi with a small denominator as such, other numbers with some decimals."""
    multiple = Fraction(value / math.pi).limit_denominator(16)
    if multiple and abs(value - multiple * math.pi) < 1e-9 and abs(multiple) < 100:
        top, bottom = multiple.as_integer_ratio()
        return {1: "", -1: "-"}.get(top, str(top)) + "π" + ("" if bottom == 1 else f"/{bottom}")
    if value and not 10.0**-decimals <= abs(value) < 1e4:
        return f"{value:.{max(decimals, 1)}g}"
    text = f"{value + 0.0:.{decimals}f}"  # no minus sign before 0
    return text.rstrip("0").rstrip(".") if "." in text else text


# -- text --------------------------------------------------------------------------------------------------------------


def draw_text(circuit: Circuit, *, decimals: int = 3, max_width: int = 120) -> str:
    """The circuit as lines of Unicode text, one wire below the other.

    Controls are ●, flipped qubits ⊕, swapped ones ×; a measurement is ``M(key)``, and ``if key`` stands behind what
    depends on it. A rotation about a Pauli string shows its name on its first wire and its letters on the others; a
    matrix shows on each wire which one it is to the matrix.

    Args:
        circuit: with one qubit or more.
        decimals: digits after the point of angles that are no simple multiple of pi.
        max_width: where lines are broken.

    Raises:
        ValueError: the number of decimals is negative.
    """
    if decimals < 0:
        raise ValueError(f"draw_text: `decimals` must be at least 0, got decimals={decimals}.")
    columns = [_text_column(column, circuit.n_qubits) for column in _columns(circuit, decimals)]
    names = [f"q{wire}: " for wire in range(circuit.n_qubits)]
    indent = max(map(len, names))
    margin = [text for name in names for text in (name.ljust(indent) + "─", " " * (indent + 1))][:-1]
    rows = _rows([len(column[0]) for column in columns], max_width - indent - 2)
    blocks = []
    for row in rows:
        lines = zip(margin, *(columns[k] for k in row), strict=True)
        blocks.append("\n".join("".join(parts).rstrip() for parts in lines))
    return "\n\n".join(blocks)


def _text_column(column: list[_Drawn], n_wires: int) -> list[str]:
    """Lines of one width: wires, and what is between two wires."""
    lines = [fill for _ in range(n_wires) for fill in ("─", " ")][:-1]
    for drawn in column:
        for line in range(2 * drawn.top + 1, 2 * drawn.bottom):
            lines[line] = "│" if line % 2 else "┼"
        for wire, mark in drawn.marks.items():
            lines[2 * wire] = mark.text
        if drawn.condition:
            last = 2 * drawn.operation.wires[-1]
            lines[last] = f"{lines[last]} {drawn.condition}"
    width = max(map(len, lines)) + 2
    return [text.center(width, " " if k % 2 else "─") for k, text in enumerate(lines)]


def _rows(widths: Sequence[float], limit: float) -> list[list[int]]:
    """Numbers of columns, broken into rows that are no wider than the limit, if a single column is not."""
    rows: list[list[int]] = [[]]
    used = 0.0
    for column, width in enumerate(widths):
        if rows[-1] and used + width > limit:
            rows.append([])
            used = 0.0
        rows[-1].append(column)
        used += width
    return rows


# -- matplotlib --------------------------------------------------------------------------------------------------------

_INCHES = 0.55  # of one unit, the distance of two wires
_ROW_WIDTH = 22.0  # units
_BOX, _LETTER, _SMALL = 0.66, 0.19, 0.12  # units: height of a box, widths of a letter of a name and of a detail
_INK, _WIRE, _PAPER = "#1a1a1a", "#8c8c8c", "#ffffff"
_FILLS = {"fixed": "#f2f2f2", "features": "#cfe5f5", "parameters": "#fce0c4", "both": "#e3d6ee"}
_MEANINGS = {"features": "features", "parameters": "parameters", "both": "features and parameters"}


def draw(circuit: Circuit, ax: Axes | None = None) -> Figure:
    """The circuit as a matplotlib figure; boxes are coloured by what they depend on: parameters, features, or both.

    Symbols are those of :func:`draw_text`. Long circuits are broken into rows.

    Args:
        circuit: with one qubit or more.
        ax: where to draw; in a figure of its own, sized to fit, if not given.

    Returns:
        The figure, the given axes' one if there are any: ``draw(circuit).savefig("circuit.svg")``.
    """
    from matplotlib.figure import Figure

    columns = _columns(circuit, decimals=2)
    widths = [_column_width(column) for column in columns]
    rows = _rows(widths, _ROW_WIDTH)
    legend = _legend(columns)
    row_height, row_width = circuit.n_qubits + 0.5, max(sum(widths[k] for k in row) for row in rows)
    left, right = -1.1, max([row_width, *(x + _legend_width(kind) for kind, x in legend.items())]) + 0.5
    bottom, top = 0.75 - row_height * len(rows) - (0.55 if legend else 0), 0.75
    if ax is None:
        ax = Figure(figsize=((right - left) * _INCHES, (top - bottom) * _INCHES)).add_axes((0, 0, 1, 1))
    for number, row in enumerate(rows):
        _draw_row(ax, [columns[k] for k in row], [widths[k] for k in row], circuit.n_qubits, -number * row_height)
    _draw_legend(ax, legend, bottom + 0.3)
    ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    ax.set_axis_off()
    return ax.figure.figure  # of a figure within a figure, the outermost


def _legend(columns: list[list[_Drawn]]) -> dict[str, float]:
    """The kinds of boxes that need an explanation, and where each begins."""
    present = {_dependence(drawn.operation) for column in columns for drawn in column}
    kinds = [kind for kind in _MEANINGS if kind in present]
    starts = itertools.accumulate(map(_legend_width, kinds), initial=0.0)
    return dict(zip(kinds, starts, strict=False))


def _legend_width(kind: str) -> float:
    return 0.8 + _SMALL * len(_MEANINGS[kind])


def _column_width(column: list[_Drawn]) -> float:
    marks = [_box_width(mark) for drawn in column for mark in drawn.marks.values()]
    return 0.3 + max(marks + [_SMALL * len(drawn.condition) for drawn in column])


def _box_width(mark: _Mark) -> float:
    return max(_BOX, 0.25 + len(mark.name) * _LETTER, 0.25 + len(mark.detail) * _SMALL)


def _draw_row(ax: Axes, columns: list[list[_Drawn]], widths: list[float], n_wires: int, y: float) -> None:
    for wire in range(n_wires):
        ax.plot([-0.2, sum(widths) + 0.2], [y - wire] * 2, color=_WIRE, lw=1, zorder=1)
        _write(ax, -0.35, y - wire, f"q{wire}", size=10, align="right")
    x = 0.0
    for column, width in zip(columns, widths, strict=True):
        for drawn in column:
            _draw_operation(ax, drawn, x + width / 2, y)
        x += width


def _draw_operation(ax: Axes, drawn: _Drawn, x: float, y: float) -> None:
    if drawn.top < drawn.bottom:
        ax.plot([x, x], [y - drawn.top, y - drawn.bottom], color=_INK, lw=1.4, zorder=2)
    for wire, mark in drawn.marks.items():
        _draw_mark(ax, mark, x, y - wire, _FILLS[_dependence(drawn.operation)])
    if drawn.condition:
        _write(ax, x, y - drawn.top + 0.44, drawn.condition, size=6.5, style="italic")


def _dependence(operation: Operation) -> str:
    kinds = {variable.kind for angle in operation.angles for variable in angle.variables()}
    if len(kinds) == 2:
        return "both"
    return {"theta": "parameters", "x": "features"}[kinds.pop()] if kinds else "fixed"


def _draw_mark(ax: Axes, mark: _Mark, x: float, y: float, fill: str) -> None:
    from matplotlib.patches import Arc, Circle, FancyBboxPatch

    match mark.kind:
        case "control":
            ax.add_patch(Circle((x, y), 0.11, color=_INK, lw=0, zorder=3))
        case "target":
            ax.add_patch(Circle((x, y), 0.24, facecolor=_PAPER, edgecolor=_INK, lw=1.4, zorder=3))
            ax.plot([x - 0.24, x + 0.24], [y, y], color=_INK, lw=1.4, zorder=4)
            ax.plot([x, x], [y - 0.24, y + 0.24], color=_INK, lw=1.4, zorder=4)
        case "swap":
            for sign in (1, -1):
                ax.plot([x - 0.15, x + 0.15], [y - 0.15 * sign, y + 0.15 * sign], color=_INK, lw=1.6, zorder=4)
        case _:
            width = _box_width(mark)
            corner = (x - width / 2 + 0.05, y - _BOX / 2 + 0.05)
            box = FancyBboxPatch(corner, width - 0.1, _BOX - 0.1, boxstyle="round,pad=0.05", facecolor=fill)
            box.set(edgecolor=_INK, linewidth=1, zorder=3)
            ax.add_patch(box)
            if mark.kind == "meter":
                ax.add_patch(Arc((x, y - 0.02), 0.4, 0.34, theta1=0, theta2=180, color=_INK, lw=1.2, zorder=4))
                ax.plot([x, x + 0.17], [y - 0.02, y + 0.24], color=_INK, lw=1.2, zorder=4)
            _write(ax, x, y + (0.1 if mark.detail else -0.01), mark.name, size=9.5)
            _write(ax, x, y - 0.19, mark.detail, size=6.5)


def _draw_legend(ax: Axes, legend: dict[str, float], y: float) -> None:
    from matplotlib.patches import Rectangle

    for kind, x in legend.items():
        ax.add_patch(Rectangle((x, y - 0.12), 0.24, 0.24, facecolor=_FILLS[kind], edgecolor=_INK, lw=0.6))
        _write(ax, x + 0.36, y, _MEANINGS[kind], size=7, align="left")


def _write(
    ax: Axes,
    x: float,
    y: float,
    text: str,
    *,
    size: float,
    align: Literal["left", "center", "right"] = "center",
    style: Literal["normal", "italic"] = "normal",
) -> None:
    # keys may hold dollar signs: no mathematics
    ax.text(x, y, text, ha=align, va="center", color=_INK, fontsize=size, style=style, zorder=5, parse_math=False)
