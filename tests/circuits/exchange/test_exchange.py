from __future__ import annotations

import subprocess
import sys

import pytest

from replank.circuits import Circuit
from replank.circuits.draw import draw_text
from replank.circuits.exchange import from_pennylane, from_qasm, from_qiskit, to_pennylane, to_qasm, to_qiskit
from replank.errors import MissingExtra

BELL = Circuit(2).h(0).cnot(0, 1)


@pytest.mark.parametrize(
    ("module", "call", "extra"),
    [
        ("openqasm3.parser", lambda: from_qasm("OPENQASM 3.0; qubit q;"), "qasm"),
        ("pennylane", lambda: to_pennylane(BELL), "pennylane"),
        ("pennylane", lambda: from_pennylane(lambda: None), "pennylane"),
        ("qiskit", lambda: to_qiskit(BELL), "qiskit"),
        ("qiskit", lambda: from_qiskit(BELL), "qiskit"),
    ],
    ids=["from_qasm", "to_pennylane", "from_pennylane", "to_qiskit", "from_qiskit"],
)
def test_a_missing_extra_is_named(module, call, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        MissingExtra, match=rf'^(to|from)_{extra} needs the extra "{extra}": pip install "replank\[{extra}\]"'
    ):
        call()


def test_nothing_of_others_is_imported_before_it_is_asked_for():
    code = (
        "import sys, replank.circuits.draw, replank.circuits.exchange;"
        "print({'openqasm3', 'pennylane', 'qiskit', 'matplotlib'} & sys.modules.keys())"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_methods_are_the_functions():
    assert BELL.draw_text() == draw_text(BELL)
    assert len(BELL.draw().axes) == 1
    assert BELL.to_qasm(2) == to_qasm(BELL, 2)
    assert [gate.name for gate in Circuit.from_qasm(BELL.to_qasm())] == ["H", "CNOT"]
