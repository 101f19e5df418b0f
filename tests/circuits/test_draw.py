from __future__ import annotations

import io
import re
from math import pi

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from replank.circuits import Circuit, theta, x
from replank.circuits.angle import arccos, sqrt
from replank.circuits.draw import draw, draw_text
from replank.circuits.operations import Channel, Gate
from tests.circuits.exchange.random_circuits import SYMBOLS, circuits, measured_circuits

# -- text --------------------------------------------------------------------------------------------------------------


def rows(circuit: Circuit, **options: int) -> list[list[str]]:
    """The lines of each row of a picture: wires, and what is between them."""
    lines = draw_text(circuit, **options).split("\n")
    height = 2 * circuit.n_qubits  # with the line between two rows
    return [lines[start : start + height - 1] for start in range(0, len(lines), height)]


def marks(circuit: Circuit, **options: int) -> list[list[str]]:
    """What stands on each wire, from left to right."""
    found: list[list[str]] = [[] for _ in range(circuit.n_qubits)]
    for row in rows(circuit, **options):
        for wire, line in enumerate(row[::2]):
            name, _, rest = line.partition(":")
            assert name == f"q{wire}"
            found[wire] += [text for text in re.split("─+", rest.strip()) if text.strip("┼ ")]
    return found


anything = st.one_of(circuits(symbols=SYMBOLS), measured_circuits())


@given(circuit=anything, max_width=st.integers(20, 120))
def test_every_operation_stands_on_its_wires_in_its_order(circuit, max_width):
    for wire, texts in enumerate(marks(circuit, max_width=max_width)):
        operations = [operation for operation in circuit if wire in operation.wires]
        for mark, operation in zip(texts, operations, strict=True):
            if isinstance(operation, Gate) and len(operation.wires) == 1:
                assert re.match(rf"{operation.name}\b", mark)
            assert (f" if {operation.when}" in mark) <= (operation.when is not None)


@given(circuit=anything)
def test_lines_between_wires_cross_nothing_else(circuit):
    (row,) = rows(circuit, max_width=10**6)
    for above, between, below in zip(row[::2], row[1::2], row[2::2], strict=False):
        for place in (k for k, sign in enumerate(between) if sign == "│"):
            assert "─" not in (above[place], below[place])
    drawn = sum(line.count("│") for line in row[1::2])
    assert drawn == sum(max(operation.wires) - min(operation.wires) for operation in circuit)


@given(circuit=anything, max_width=st.integers(60, 120))
def test_lines_are_broken_and_wires_of_a_row_end_together(circuit, max_width):
    for row in rows(circuit, max_width=max_width):
        (width,) = {len(line) for line in row[::2]}
        assert width <= max_width


def test_symbols():
    circuit = Circuit(3).h(0).cnot(0, 2).swap(0, 1).toffoli(2, 0, 1).crx(pi / 2, 2, 1).cz(0, 1)
    picture = """
q0: ──H──●──×──●───────────●─
         │  │  │           │
q1: ─────┼──×──⊕──RX(π/2)──Z─
         │     │     │
q2: ─────⊕─────●─────●───────"""
    assert draw_text(circuit) == picture.lstrip("\n")


def test_rotations_about_pauli_strings_and_matrices_show_which_wire_is_which():
    circuit = Circuit(2).pauli_rotation("XZ", theta[0], (1, 0)).unitary(np.eye(4), (1, 0)).rzz(0.5, 0, 1).iswap(0, 1)
    assert marks(circuit) == [["Z", "U₁", "RZZ(0.5)", "iSWAP"], ["RXZ(θ[0])", "U₀", "Z", "iSWAP"]]


def test_measurements_and_what_is_no_gate():
    flip = Channel(name="flip", wires=(0,), kraus=(np.eye(2) + 0j,))
    circuit = Circuit(2).measure(0, "k").x(1, when="k").reset(0).post_select(1, 0).channel(flip)
    assert marks(circuit) == [["M(k)", "|0⟩", "flip"], ["X if k", "|0⟩⟨0|"]]


def test_what_depends_on_a_measurement_is_right_of_it():
    measured, conditional = draw_text(Circuit(2).h(0).measure(0).x(1, when="m0")).split("\n")[::2]
    assert measured.index("M(m0)") + len("M(m0)") <= conditional.index("X if m0")


@pytest.mark.parametrize(
    ("angle", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (-1e-300, "-1e-300"),
        (pi, "π"),
        (-pi, "-π"),
        (3 * pi / 4, "3π/4"),
        (-pi / 16, "-π/16"),
        (8 * pi, "8π"),
        (pi / 17, "0.185"),
        (0.25, "0.25"),
        (1234.5678, "1234.568"),
        (1e5, "1e+05"),
        (theta[2], "θ[2]"),
        (-x[1], "-x[1]"),
        (pi * x[0] - 0.5, "π·x[0]-0.5"),
        (theta[0] * x[0], "θ[0]·x[0]"),
        (2 * (theta[0] + 1) * x[0], "(2·θ[0]+2)·x[0]"),
        (theta[0] / (x[0] + 1), "θ[0]·(1/(x[0]+1))"),
        (sqrt(arccos(x[0])) * x[1], "sqrt(arccos(x[0]))·x[1]"),
    ],
)
def test_angles(angle, text):
    assert marks(Circuit(1).rx(angle, 0)) == [[f"RX({text})"]]


def test_decimals():
    assert "RX(0.12346)" in draw_text(Circuit(1).rx(0.123456, 0), decimals=5)


def test_negative_decimals():
    with pytest.raises(ValueError, match=r"^draw_text: `decimals` must be at least 0, got decimals=-1\."):
        draw_text(Circuit(1).h(0), decimals=-1)


def test_nothing_but_wires():
    assert draw_text(Circuit(11)).split("\n")[::20] == ["q0:  ─", "q10: ─"]


# -- matplotlib --------------------------------------------------------------------------------------------------------


def svg(figure: Figure) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg")
    return text.getvalue()


@given(circuit=anything)
def test_a_figure_shows_every_operation(circuit):
    (ax,) = draw(circuit).axes
    texts = [text.get_text() for text in ax.texts]
    for operation in circuit:
        if isinstance(operation, Gate) and len(operation.wires) == 1:
            texts.remove(operation.name)
    assert {f"q{wire}" for wire in range(circuit.n_qubits)} <= set(texts)


def test_boxes_have_the_colour_of_what_they_depend_on():
    circuit = Circuit(1).h(0).rx(theta[0], 0).rx(x[0], 0).rx(theta[0] * x[0], 0).ry(x[1], 0)
    (ax,) = draw(circuit).axes
    fixed, trained, fed, both, fed_too = (
        patch.get_facecolor() for patch in ax.patches if isinstance(patch, FancyBboxPatch)
    )
    assert len({fixed, trained, fed, both}) == 4
    assert fed == fed_too
    assert [text.get_text() for text in ax.texts[-3:]] == ["features", "parameters", "features and parameters"]


def test_everything_lies_inside_the_picture():
    circuit = Circuit(3).h(0)
    for k in range(40):
        circuit.rot(theta[k], x[k], 0.123, k % 3).cnot(k % 3, (k + 1) % 3)
    figure = draw(circuit)
    figure.canvas.draw()
    (ax,) = figure.axes
    for artist in (*ax.texts, *ax.patches):
        box = artist.get_window_extent()
        assert figure.bbox.x0 <= box.x0 <= box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 <= box.y1 <= figure.bbox.y1


def test_given_axes_are_drawn_into():
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert draw(Circuit(2).h(0).cnot(0, 1), ax=right) is figure
    assert not left.patches
    assert right.patches


def test_axes_of_a_figure_within_a_figure():
    figure = Figure()
    ax = figure.subfigures(1, 2)[0].subplots()
    assert draw(Circuit(1).h(0), ax) is figure


@pytest.mark.parametrize("key", ["$x_1$", "a$b", r"\frac{", "größer"])
def test_keys_are_no_mathematics(key):
    assert "<svg" in svg(draw(Circuit(2).measure(0, key).x(1, when=key)))
