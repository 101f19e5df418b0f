"""OpenQASM programs, versions 2 and 3, as circuits.

Both are parsed by the reference parser of version 3: what version 2 writes otherwise (``qreg``, ``->``) it knows, too.
"""

from __future__ import annotations

import contextlib
import io
import re
from typing import TYPE_CHECKING, Literal

from replank.circuits.circuit import Circuit
from replank.errors import MissingExtra

if TYPE_CHECKING:
    from openqasm3 import ast


def from_qasm(text: str) -> Circuit:
    """The circuit of an OpenQASM program, of version 2 or 3; qubits are numbered in the order of their declaration.

    Gates that the program defines are replaced by what they consist of, unless they are ours under their own name.
    Inputs ``theta_3`` and ``x_3`` (or ``theta[3]``) become the parameter and the feature of that number, other inputs
    the parameters that are left, in their order. A measurement's key is its bit's name. Barriers are left out.

    Raises:
        MissingExtra: openqasm3 is not installed.
        ValueError: the program is no OpenQASM, or it says what a circuit can't; the message names the gate or the
            statement and its line.
    """
    if not isinstance(text, str):
        raise TypeError(f"from_qasm: `text` must be a program as a string, got {type(text).__name__}.")
    if not text.strip():
        raise ValueError("from_qasm: the text must be an OpenQASM 2 or 3 program, got an empty text.")
    program = _parse(text)
    version = _version(program)
    if version == 2 and "^" in text:
        program = _parse(text.replace("^", "**"))  # it is a power in version 2, another operator in version 3

    from replank.circuits.exchange.qasm_reader import read_program

    return read_program(program, version)


def _parse(text: str) -> ast.Program:
    try:
        from openqasm3.parser import parse
    except ImportError as error:
        raise MissingExtra("from_qasm", "qasm") from error
    try:
        with contextlib.redirect_stderr(io.StringIO()):  # the parser complains there as well
            return parse(text)
    except Exception as error:  # the parser's own kind, and whatever it runs into: RecursionError, AttributeError, ...
        complaint = _complaint(error)
    raise ValueError(f"from_qasm: the text must be an OpenQASM 2 or 3 program, got {complaint}.")


def _complaint(error: Exception) -> str:
    """Where the parser stopped, which it says in its message, or in the error behind its error, or not at all."""
    place = re.fullmatch(r"L(\d+):C\d+: (.*)", str(error), re.DOTALL)
    if place:
        return f"line {place[1]}: {place[2]}"
    behind = error.__cause__.args if error.__cause__ else ()
    token = getattr(behind[0], "offendingToken", None) if behind else None
    if token is None:
        return f"a text that can't be parsed ({type(error).__name__})"
    return f"line {token.line}: a syntax error at {token.text!r}"


def _version(program: ast.Program) -> Literal[2, 3]:
    match (program.version or "3").split("."):
        case ["2", *_]:
            return 2
        case ["3", *_]:
            return 3
    raise ValueError(f"from_qasm: the version of OpenQASM must be 2 or 3, got {program.version}.")
