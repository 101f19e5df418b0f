from __future__ import annotations

from math import pi

import pytest
from hypothesis import given

from replank.circuits import Circuit, theta, x
from replank.circuits.angle import sqrt
from replank.circuits.exchange import from_qasm, qasm_reader, to_qasm
from replank.circuits.gates import GATES
from tests.circuits.exchange.random_circuits import (
    ATOL,
    SYMBOLS,
    assert_same_state,
    assert_same_unitary,
    assert_same_up_to_phase,
    circuits,
    measured_circuits,
    unitary,
)

# -- round trips -------------------------------------------------------------------------------------------------------


@given(circuit=circuits(symbols=SYMBOLS))
def test_version_3_keeps_the_unitary_and_its_parameters(circuit):
    assert_same_unitary(from_qasm(to_qasm(circuit)), circuit)


@given(circuit=circuits())
def test_version_2_keeps_the_unitary_up_to_a_phase(circuit):
    assert_same_up_to_phase(from_qasm(to_qasm(circuit, 2)), circuit)


@pytest.mark.parametrize("version", [2, 3])
@given(circuit=measured_circuits())
def test_measurements_and_what_depends_on_them(circuit, version):
    assert_same_state(from_qasm(to_qasm(circuit, version)), circuit)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("name", GATES)
def test_every_gate_comes_back_as_itself(name, version):
    angles = [0.1 + k for k in range(GATES[name].n_angles)]
    circuit = Circuit(3).gate(name, angles, (2, 0, 1)[: GATES[name].n_wires])
    (gate,) = from_qasm(to_qasm(circuit, version))
    assert (gate.name, gate.wires, gate.angles) == (name, circuit.operations[0].wires, circuit.operations[0].angles)


def test_parameters_and_features_keep_their_numbers():
    circuit = from_qasm(to_qasm(Circuit(2).rx(theta[4], 0).ry(0.5 * x[2] - 1, 1)))
    assert [gate.angles for gate in circuit] == [(theta[4],), (0.5 * x[2] - 1,)]


def test_the_global_phase_is_kept_in_version_3_alone():
    circuit = Circuit(1).pauli_rotation("I", 1.0, (0,)).x(0)
    assert_same_unitary(from_qasm(to_qasm(circuit)), circuit)
    assert "phase" not in to_qasm(circuit, 2)


@pytest.mark.parametrize("key", ["m0", "parity", "if", "x_0", "größer als", ""])
def test_any_key_becomes_a_name_that_is_allowed(key):
    circuit = Circuit(2).h(0).measure(0, key).x(1, when=key)
    for version in (2, 3):
        assert_same_state(from_qasm(to_qasm(circuit, version)), circuit)


def test_nothing_under_a_condition_is_not_written():
    circuit = Circuit(2).measure(0).diagonal([0.0, 0.0], (1,), when="m0")
    assert "if" not in to_qasm(circuit)
    assert "if" not in to_qasm(circuit, 2)


def test_keys_that_look_alike_stay_apart():
    circuit = Circuit(2).h(0).measure(0, "a b").measure(1, "a_b").x(1, when="a b")
    assert_same_state(from_qasm(to_qasm(circuit)), circuit)


# -- what can't be said ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("circuit", "version", "law"),
    [
        (Circuit(1).post_select(0, 1), 3, r"no post-selection and no noise, got \|1⟩⟨1\|"),
        (Circuit(1).rx(theta[0], 0), 2, r"OpenQASM 2 has no parameters, got theta\[0\] in RX.*bind"),
        (Circuit(1).prepare_amplitudes([x[0], x[1]]), 3, r"given amplitudes only, got x\[0\], x\[1\].*bind"),
        (Circuit(1).x(0), 4, "must be 2 or 3, got version=4"),
    ],
    ids=["post-selection", "parameters in version 2", "features as amplitudes", "version"],
)
def test_export_refuses(circuit, version, law):
    with pytest.raises(ValueError, match=law):
        to_qasm(circuit, version)


def test_features_as_amplitudes_can_be_bound():
    circuit = Circuit(2).prepare_amplitudes([x[0], 2.0, x[1]]).bind((), [3.0, -1.0])
    assert_same_state(from_qasm(to_qasm(circuit, 2)), circuit)


# -- foreign programs --------------------------------------------------------------------------------------------------


def version_3(body: str) -> Circuit:
    return from_qasm(f'OPENQASM 3.0;\ninclude "stdgates.inc";\n{body}')


def version_2(body: str) -> Circuit:
    return from_qasm(f'OPENQASM 2.0;\ninclude "qelib1.inc";\n{body}')


SAME_IN_BOTH = {
    "broadcast": ("h q;", Circuit(3).h(0).h(1).h(2)),
    "constants": ("rx(-pi/2 + 3*2.5e-1) q[1];", Circuit(3).rx(-0.8207963267948966, 1)),
    "functions": ("rx(sin(0.3)*cos(0.2)/tan(0.4) + sqrt(2.0)*exp(-1.0)) q[0];", Circuit(3).rx(1.20529384567, 0)),
    "aliases": ("CX q[0], q[2]; u1(0.2) q[1]; cu1(0.3) q[2], q[0];", Circuit(3).cnot(0, 2).p(0.2, 1).cp(0.3, 2, 0)),
    "barrier": ("x q[0]; barrier q; y q[0];", Circuit(3).x(0).y(0)),
    "cu3": ("cu3(0.1, 0.2, 0.3) q[1], q[0];", Circuit(3).cp(0.3, 1, 0).cry(0.1, 1, 0).cp(0.2, 1, 0)),
    "cswap": ("cswap q[1], q[2], q[0];", Circuit(3).cnot(0, 2).toffoli(1, 2, 0).cnot(0, 2)),
    "definition": (
        "gate mine(a, b) c, d { rx(a/b) d; cx c, d; } gate twice(a) c, d { mine(a, 2) c, d; mine(2*a, 4) c, d; }"
        "twice(0.6) q[2], q[0];",
        Circuit(3).rx(0.3, 0).cnot(2, 0).rx(0.3, 0).cnot(2, 0),
    ),
    "a known name with another meaning": ("gate iswap a, b { x b; } iswap q[0], q[1];", Circuit(3).x(1)),
}


@pytest.mark.parametrize(("body", "expected"), SAME_IN_BOTH.values(), ids=SAME_IN_BOTH)
def test_programs_that_are_the_same_in_both_versions(body, expected):
    assert_same_up_to_phase(version_2(f"qreg q[3];\n{body}"), expected)
    assert_same_up_to_phase(version_3(f"qubit[3] q;\n{body}"), expected)


EXACT_IN_3 = {
    "gphase": ("gphase(0.4);", Circuit(3).pauli_rotation("I", -0.8, (0,))),
    "controlled gphase": ("ctrl @ gphase(0.4) q[1];", Circuit(3).p(0.4, 1)),
    "U has the phase of half its angle": ("U(0.2, 0, 0) q[0];", Circuit(3).ry(0.2, 0).pauli_rotation("I", -0.2, (0,))),
    "u3 is special unitary": ("u3(0.1, 0.2, 0.3) q[0];", Circuit(3).rz(0.3, 0).ry(0.1, 0).rz(0.2, 0)),
    "u2 is special unitary": ("u2(0.2, 0.3) q[0];", Circuit(3).rz(0.3, 0).ry(1.5707963267948966, 0).rz(0.2, 0)),
    "inverse": ("inv @ rx(0.3) q[0];", Circuit(3).rx(-0.3, 0)),
    "power": ("pow(3) @ s q[0]; pow(-2) @ t q[0];", Circuit(3).sdg(0).sdg(0)),
    "inverse of a definition": ("gate g(a) b { rx(a) b; s b; } inv @ g(0.3) q[1];", Circuit(3).sdg(1).rx(-0.3, 1)),
    "control of a definition": (
        "gate g(a) b { rx(a) b; gphase(0.5); } ctrl @ g(0.3) q[1], q[0];",
        Circuit(3).crx(0.3, 1, 0).p(0.5, 1),
    ),
    "two controls": ("ctrl(2) @ x q[2], q[0], q[1];", Circuit(3).toffoli(2, 0, 1)),
    "control of an inverse": ("ctrl @ inv @ s q[2], q[0];", Circuit(3).cp(-1.5707963267948966, 2, 0)),
    "control on zero": ("negctrl @ z q[0], q[1];", Circuit(3).x(0).cz(0, 1).x(0)),
    "control of a matrix": ("ctrl @ sx q[1], q[0];", Circuit(3).crx(1.5707963267948966, 1, 0).p(0.7853981633974483, 1)),
    "powers bind before products": ("rx(2*3**2) q[0];", Circuit(3).rx(18.0, 0)),
    "several registers": ("qubit[2] r; qubit s; cx s, r[-1];", Circuit(6).cnot(5, 4)),
    "a constant as exponent": ("gate g(k) a { rx(0.5**k) a; } g(2) q[0];", Circuit(3).rx(0.25, 0)),
    "nothing to the power of nothing": ("pow(0) @ x q[0]; inv @ pow(0) @ x q[0];", Circuit(3)),
    "constant": ("const float half = pi/2; const int k = 2; rx(half/k) q[0];", Circuit(3).rx(0.7853981633974483, 0)),
}  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), EXACT_IN_3.values(), ids=EXACT_IN_3)
def test_version_3_to_the_phase(body, expected):
    assert_same_unitary(version_3(f"qubit[3] q;\n{body}"), expected)


ONE_QUBIT = ["id", "x", "y", "z", "h", "s", "tdg", "sx", "rx(0.3)", "p(0.3)", "U(0.1, 0.2, 0.3)", "u3(0.1, 0.2, 0.3)"]


@pytest.mark.parametrize(
    ("name", "qubits"), [*((name, "q[1]") for name in ONE_QUBIT), ("swap", "q[1], q[2]"), ("cx", "q[1], q[2]")]
)
def test_a_control_leaves_0_alone_and_does_the_gate_on_1(name, qubits):
    plain = version_3(f"qubit[3] q; {name} {qubits};")
    controlled = version_3(f"qubit[3] q; ctrl @ {name} q[0], {qubits};")
    expected = unitary(Circuit(3)).clone()
    expected[4:, 4:] = unitary(plain)[:4, :4]  # qubit 0 is the most significant bit
    assert (unitary(controlled) - expected).abs().max() < ATOL


def test_a_caret_is_a_power_in_version_2():
    assert_same_up_to_phase(version_2("qreg q[1]; rx(2*3^2/4) q[0];"), Circuit(1).rx(4.5, 0))


def test_qubits_and_bits_in_several_registers():
    circuit = version_2(
        "qreg a[1]; qreg b[2]; creg c[2]; creg d[1]; x b[1]; measure b -> c; measure a[0] -> d[0]; if(d==1) x b[0];"
    )
    assert [operation.wires for operation in circuit] == [(2,), (1,), (2,), (0,), (1,)]
    assert [operation.key for operation in circuit.operations[1:4]] == ["c[0]", "c[1]", "d"]
    assert circuit.operations[-1].when == "d"


@pytest.mark.parametrize("condition", ["c[1]", "c[1] == 1", "c[1] == true"])
def test_conditions_on_one_bit(condition):
    circuit = version_3(f"qubit[2] q; bit[2] c; c[1] = measure q[0]; if ({condition}) {{ x q[1]; z q[1]; }}")
    assert_same_state(circuit, Circuit(2).measure(0, "k").x(1, when="k").z(1, when="k"))


def test_a_known_name_for_a_gate_of_an_input():
    (gate,) = version_3("input float theta_0; gate rxx(t) a, b { rx(t*theta_0) a; } qubit[2] q; rxx(0.5) q[0], q[1];")
    assert (gate.name, gate.angles) == ("RX", (0.5 * theta[0],))


def test_a_bit_that_is_measured_again_is_another_key():
    circuit = version_3("qubit q; bit c; c = measure q; h q; c = measure q; if (c) x q; measure q;")
    assert [operation.key for operation in circuit if operation.label == "M"] == ["c", "c_2", "m2"]
    assert circuit.operations[3].when == "c_2"


def test_powers_of_inputs():
    circuit = version_3("input float a; qubit q; rx(a**0.5) q; rx(a**-2) q;")
    assert [gate.angles[0] for gate in circuit] == [sqrt(theta[0]), 1 / theta[0] ** 2]


def test_inputs_take_the_parameters_that_are_left():
    circuit = version_3(
        "input float[64] alpha; input angle theta_1; input float x_0; input array[float[64], 2] beta;"
        "input float _theta_7_; qubit q;"
        "rx(alpha) q; rx(theta_1) q; rx(x_0) q; rx(beta[1]) q; rx(_theta_7_ / 2 - pi) q;"
    )
    angles = [gate.angles[0] for gate in circuit]
    assert angles == [theta[0], theta[1], x[0], theta[3], theta[7] / 2 - pi]


# -- what can't be read ------------------------------------------------------------------------------------------------

REFUSED = {
    "unknown gate": ("x q[0];\nfoo(0.1) q[0];", 5, "the gate 'foo' is neither defined in the program nor supported"),
    "unknown gate in a definition": ("gate g a {\n x a;\n foo a;\n}\n\ng q[0];", 6, "the gate 'foo'"),
    "unknown statement": ("\nfor int k in [0:2] { x q[k]; }", 5, "a statement of kind ForInLoop is not supported"),
    "unknown qubit": ("x r[0];", 4, "'r' is no qubit"),
    "no such qubit": ("x q[3];", 4, r"q\[3\] does not exist, 'q' has 3 elements"),
    "one qubit twice": ("cx q[1], q[1];", 4, "must differ"),
    "too few qubits": ("cx q[1];", 4, "CNOT: takes 2 wires, got 1"),
    "too few angles": ("u3(0.1) q[1];", 4, "u3: takes 3 angles"),
    "too few angles of a definition": ("gate g(a, b) c { rx(a) c; }\ng(1) q[0];", 5, "'g' takes"),
    "unknown name": ("rx(alpha) q[0];", 4, "'alpha' is no number"),
    "unknown function": ("rx(arcsinh(0.1)) q[0];", 4, "the function 'arcsinh'"),
    "division by zero": ("rx(1.0/0) q[0];", 4, "zero"),
    "too large a number": ("rx(exp(1e4)) q[0];", 4, "finite"),
    "not a number": ("rx(arccos(2)) q[0];", 4, "finite"),
    "complex power": ("rx((-1)**0.5) q[0];", 4, "not real"),
    "overflow": ("rx(10.0**400) q[0];", 4, "a number is too large"),
    "division of integers": ("rx(1/2) q[0];", 4, r"1/2 is an integer in OpenQASM 3"),
    "a register of another size": ("qubit[2] r;\ncx q, r;", 5, "registers of one size"),
    "declared twice": ("qubit q;", 4, "'q' is declared twice"),
    "defined twice": ("gate g a { x a; }\ngate g a { y a; }", 5, "'g' is defined twice"),
    "include": ('include "mine.inc";', 4, "only stdgates.inc and qelib1.inc"),
    "unmeasured bit": ("bit c;\nif (c) x q[0];", 5, "nothing has been measured into the bit 'c'"),
    "else": ("bit c; c = measure q[0];\nif (c) { x q[0]; } else { y q[0]; }", 5, "`else`"),
    "condition on 0": ("bit c; c = measure q[0];\nif (c == 0) x q[0];", 5, "one measured bit is 1"),
    "condition on two bits": ("bit[2] c; c[0] = measure q[0];\nif (c == 1) x q[0];", 5, "one measured bit is 1"),
    "measurement under a condition": ("bit c; c = measure q[0];\nif (c) {\nreset q[1]; }", 6, "only gates can depend"),
    "bits and qubits": ("bit[2] c;\nc = measure q;", 5, "3 qubits and 2 bits"),
    "fractional power": ("pow(0.5) @ x q[0];", 4, "must be an integer, got 0.5"),
    "large control": (
        "qubit[2] r;\nctrl @ ctrl @ ccx q[0], q[1], q[2], r[0], r[1];",
        5,
        "a control of Toffoli with 4 qubits",
    ),
    "too many qubits": ("qubit[10**9] r;", 4, "1 to 1000000 elements, got 1000000000"),
    "too many bits": ("bit[10**9] c;", 4, "1 to 1000000 elements"),
    "too many inputs": ("input array[float, 10**9] a;", 4, "1 to 1000000 elements"),
    "no qubits in a register": ("qubit[0] r;", 4, "1 to 1000000 elements, got 0"),
    "endless definition": ("gate g a { g a; }\ng q[0];", 4, "nested too deeply"),
    "input of integers": ("input int n;", 4, "must be of float or angle"),
    "variable without value": ("float a;", 4, "must be a number with a value, got 'a'"),
    "variable of another kind": ("bool a = true;", 4, "must be a number with a value, got 'a' of kind BoolType"),
    "a fraction as an integer": ("const int k = 1.5;", 4, "must be an integer, got 1.5"),
    "a bit with a value": ("bit c = 1;", 4, "'c' must get its value from a measurement"),
    "output of a number": ("output float a;", 4, "an output must be of bits"),
    "input declared twice": ("input float a;\ninput float a;", 5, "'a' is declared twice"),
    "an operator": ("rx(3 % 2) q[0];", 4, "the operator '%' is not supported"),
    "a parameter as exponent": ("input float a;\nrx(2**a) q[0];", 5, "an exponent must be a number"),
    "a large power": ("input float a;\nrx(a**5000) q[0];", 5, "the exponent 5000 of a parameter is not supported"),
    "an element that is not there": ("input array[float, 2] a;\nrx(a[2]) q[0];", 5, r"'a\[2\]' is no number"),
    "no control": ("ctrl(0) @ x q[0];", 4, "at least one control"),
    "too few controls": ("ctrl(2) @ x q[0];", 4, "a qubit for each"),
    "gphase on a qubit": ("gphase(1) q[0];", 4, "no qubits but controls"),
    "a loop in a gate": (
        "gate g a {\nfor int k in [0:2] { x a; } }\ng q[0];",
        5,
        "ForInLoop is not supported in a gate",
    ),
    "index in a gate": ("gate g a {\nx a[0]; }\ng q[0];", 5, "'a' is no qubit of the gate"),
    "physical qubit": ("x $0;", 4, r"'\$0' is no qubit"),
    "slice": ("x q[0:1];", 4, "one element of one is needed"),
}


@pytest.mark.parametrize(("body", "line", "law"), REFUSED.values(), ids=REFUSED)
def test_import_names_what_and_the_line(body, line, law):
    with pytest.raises(ValueError, match=f"^from_qasm: line {line}: .*{law}"):
        version_3(f"qubit[3] q;\n{body}")


def test_version_2_names_the_line_too():
    with pytest.raises(ValueError, match=r"^from_qasm: line 4: the gate 'rccx' is neither"):
        version_2("qreg q[3];\nrccx q[0], q[1], q[2];")


DOUBLED = "".join(f"gate g{k + 1} a {{ g{k} a; g{k} a; }}" for k in range(60))  # g60 is 2**60 times g0


@pytest.mark.parametrize(
    "body",
    [
        "pow(2000) @ x q;",
        "inv @ pow(2000) @ x q;",
        f"gate g0 a {{ x a; }} {DOUBLED} g60 q;",
        f"gate g0 a {{ }} {DOUBLED} g60 q;",
    ],
    ids=["power", "inverse of a power", "definitions", "definitions that do nothing"],
)
def test_a_few_lines_that_ask_for_too_much(body, monkeypatch):
    monkeypatch.setattr(qasm_reader, "_MOST", 1000)
    with pytest.raises(ValueError, match=r"^from_qasm: line 3: a program must (have|come to) at most 1000 "):
        version_3(f"qubit q; {body}")


NO_PROGRAM = {
    "cut off": ("x q[0", "line 1: a syntax error at '<EOF>'"),
    "stray bracket": ("OPENQASM 3.0;\nqubit q;\nx q)", r"line 3: a syntax error at '\)'"),
    "opaque": ("OPENQASM 2.0;\nopaque magic a;", "line 2: a syntax error at 'a'"),
    "snowman": ("OPENQASM 3.0;\nqubit q;\nx ☃;", "line 3: token recognition error at: '☃'"),
    "measurement in a gate": ("gate g a {\n measure a;\n}", "line 2: cannot have a non-unitary 'measure'"),
    "deep brackets": ("rx(" + "(" * 3000 + "1" + ")" * 3000 + ") q;", r"can't be parsed \(RecursionError\)"),
    "long number": ("int k = " + "1" * 5000 + ";", r"can't be parsed \(ValueError\)"),
    "comment": ("// nothing", r"can't be parsed \(AttributeError\)"),
    "empty": (" \n", "an empty text"),
}


@pytest.mark.parametrize(("text", "law"), NO_PROGRAM.values(), ids=NO_PROGRAM)
def test_what_is_no_program(text, law, capsys):
    with pytest.raises(ValueError, match=f"^from_qasm: the text must be an OpenQASM 2 or 3 program, got .*{law}"):
        from_qasm(text)
    assert capsys.readouterr().err == ""


def test_a_program_needs_qubits():
    with pytest.raises(ValueError, match=r"^from_qasm: the program must declare qubits, got none\."):
        from_qasm("OPENQASM 3.0;")


def test_a_version_to_come():
    with pytest.raises(ValueError, match=r"^from_qasm: the version of OpenQASM must be 2 or 3, got 4\.0\."):
        from_qasm("OPENQASM 4.0;\nqubit q;")


def test_a_file_is_no_text(tmp_path):
    with pytest.raises(TypeError, match=r"^from_qasm: `text` must be a program as a string, got .*Path"):
        from_qasm(tmp_path / "circuit.qasm")
