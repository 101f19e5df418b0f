"""The classifier, its closed form and its gradients, against definitions written out with dense matrices."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
import torch

from replank.circuits import Circuit, X, Y, reference, theta, x
from replank.circuits.gates import pauli_matrix
from replank.circuits.templates import basis_embedding, parity_circuit, parity_layer, readout_layers, readout_shape
from replank.errors import UnknownName
from replank.studies.farhi_neven_qnn.classifier import ReadoutClassifier
from replank.studies.farhi_neven_qnn.factorised import FactorisedReadout
from replank.studies.farhi_neven_qnn.parity_gradient import (
    gradient_square_ratio,
    mean_gradient_square,
    mean_parity_loss,
)
from replank.studies.farhi_neven_qnn.problems import all_strings, parity_labels, random_product_states
from replank.studies.farhi_neven_qnn.rivals import SineLinear

DOUBLE = torch.float64
DIGITS = ("ZX", "XX") * 3
NOTHING = torch.zeros(0, dtype=DOUBLE)


def _pair(n: int, gates: Circuit, seed: int = 0, **options) -> tuple[FactorisedReadout, ReadoutClassifier]:
    """The closed form and the simulator with the same weights."""
    torch.manual_seed(seed)
    factorised = FactorisedReadout(n, gates, dtype=DOUBLE, **options)
    generic = ReadoutClassifier(n, gates, dtype=DOUBLE, **options)
    generic.load_state_dict({"layer.theta": factorised.theta})
    return factorised, generic


def _dense(model: ReadoutClassifier, gates: Circuit, states: torch.Tensor, letter: str) -> torch.Tensor:
    """<psi, 0| U^+ P_r U |psi, 0> of states of the data, with the whole unitary."""
    unitary = reference.unitary(gates, NOTHING, model.theta.detach())
    with_readout = torch.stack((states, torch.zeros_like(states)), -1).flatten(1).to(unitary.dtype)
    out = (with_readout @ unitary.T).unflatten(1, (-1, 2))
    return torch.einsum("bia,ac,bic->b", out.conj(), pauli_matrix(letter).to(out.dtype), out).real


# -- the closed form ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("letter", ["Y", "Z"])
@pytest.mark.parametrize(
    "layers", [DIGITS, ("ZX",), ("YX", "ZX", "X", "XX"), ("X",), ("XX", "YX", "ZX", "YX", "XX", "ZX")]
)
def test_the_closed_form_is_the_circuit(layers, letter):
    n = 8
    factorised, generic = _pair(n, readout_layers(n, layers), readout_pauli=letter)
    bits = all_strings(n)
    torch.testing.assert_close(factorised(bits), generic(bits), rtol=0, atol=1e-8)
    direct = _dense(generic, readout_layers(n, layers), torch.eye(2**n, dtype=DOUBLE)[:20], letter)
    torch.testing.assert_close(factorised(bits[:20]), direct, rtol=0, atol=1e-8)


def test_gates_beside_the_readout_factorise_too():
    """Rotations of single data qubits, several a qubit, with shared and shifted angles."""
    gates = Circuit(3).pauli_rotation("ZX", theta[0] + 0.3, (0, 2)).rz(0, 1)
    gates = Circuit(3, [op for op in gates if op.label != "RZ"])
    gates.pauli_rotation("Y", 2 * theta[1] - theta[0], (1,)).pauli_rotation("XX", theta[1], (1, 2))
    gates.pauli_rotation("XZ", 0.7, (2, 0)).pauli_rotation("IX", theta[2], (0, 2)).pauli_rotation("X", theta[0], (0,))
    factorised, generic = _pair(2, gates)
    torch.testing.assert_close(factorised(all_strings(2)), generic(all_strings(2)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_it_has_the_same_gradient(seed):
    n = 5
    factorised, generic = _pair(n, readout_layers(n, DIGITS), seed)
    into = torch.randn(2**n, dtype=DOUBLE)
    gradients = [torch.autograd.grad(model(all_strings(n)) @ into, model.theta)[0] for model in (factorised, generic)]
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-10)


def test_it_has_the_same_gradient_where_a_factor_vanishes():
    """exp(i pi/4 XX) turns a bit so far that its sine has no phase: the derivative is there all the same."""
    gates = readout_layers(2, ("ZX", "XX"))
    weights = torch.tensor([0.3, 0.4, 0.1, math.pi / 4])
    closed = FactorisedReadout(2, gates)
    closed.theta.data.copy_(weights)
    assert closed._factors()[0][1] == 0  # in single precision exactly
    simulated = ReadoutClassifier(2, gates)
    simulated.load_state_dict({"layer.theta": weights})
    into = torch.tensor([0.2, -1.0, 0.7, 0.4])
    gradients = []
    for model in (closed, simulated):
        scores = model(all_strings(2).float())
        torch.testing.assert_close(scores, torch.zeros(4), rtol=0, atol=1e-6)
        gradients.append(torch.autograd.grad(scores @ into, model.theta)[0])
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-5)
    assert gradients[0][3].abs() > 0.1


def test_the_simulator_gives_a_sine_of_a_linear_function_on_all_strings():
    n = 10
    factorised, generic = _pair(n, readout_layers(n, DIGITS), seed=4)
    bits = all_strings(n)
    scores = generic(bits)
    amplitude, phases, offset = factorised.sine()
    assert offset == 0  # no bias
    assert 0 < amplitude <= 1
    torch.testing.assert_close(scores, -amplitude * torch.sin((1 - 2 * bits) @ phases), rtol=0, atol=1e-6)
    torch.testing.assert_close(scores.flip(0), -scores, rtol=0, atol=1e-12)  # a string and its complement


def test_layers_of_xx_only_shrink_the_sine():
    for seed in range(5):
        torch.manual_seed(seed)
        with_xx = FactorisedReadout(6, readout_layers(6, DIGITS), dtype=DOUBLE)
        without = FactorisedReadout(6, readout_layers(6, ("ZX",) * 3), dtype=DOUBLE)
        assert with_xx.sine()[0] < 1
        assert without.sine()[0].item() == pytest.approx(1, abs=1e-12)


def test_one_layer_is_the_sine_linear_model():
    n = 5
    factorised, _ = _pair(n, readout_layers(n, ("ZX",)))
    rival = SineLinear(n, dtype=DOUBLE)
    rival.phases.data.copy_(2 * factorised.theta.data)
    torch.testing.assert_close(rival(all_strings(n))[:, 0], factorised(all_strings(n)), rtol=0, atol=1e-12)
    with_amplitude = SineLinear(n, amplitude=True, dtype=DOUBLE)
    assert sum(p.numel() for p in with_amplitude.parameters()) == n + 1
    assert with_amplitude(all_strings(n)).abs().max() < torch.tensor(2.0).sigmoid()


@pytest.mark.parametrize(
    ("gates", "message"),
    [
        (readout_layers(3, ("XX", "ZZ")), "conserve X of the readout, got RZZ .* with Z on it"),
        (readout_layers(3, ("ZY",)), "conserve X of the readout, got RZY .* with Y on it"),
        (readout_layers(3, ("Z",)), "conserve X of the readout, got RZ on"),
        (readout_layers(3, ("ZZX",)), r"at most one of the data qubits 0..2, got RZZX"),
        (Circuit(4).cnot(0, 3), "must be Pauli rotations, got CNOT"),
        (Circuit(4).rx(theta[0], 3), "must be Pauli rotations, got RX"),
        (Circuit(4).pauli_rotation("ZX", x[0], (0, 3)), r"affine in the weights, got x\[0\]"),
        (Circuit(4).pauli_rotation("ZX", theta[0] * theta[1], (0, 3)), "affine in the weights"),
    ],
)
def test_what_breaks_the_conservation_is_refused(gates, message):
    with pytest.raises(ValueError, match=f"FactorisedReadout: .*{message}"):
        FactorisedReadout(3, gates)
    ReadoutClassifier(3, gates) if not gates.n_features else None  # the simulator takes it


# -- the tutorial's variant --------------------------------------------------------------------------------------------


def test_the_tutorials_circuit_runs_and_is_a_cosine_of_a_linear_function():
    """X X gates on a readout in - turn each data qubit alone; then Z of the readout is conserved."""
    n = 5
    torch.manual_seed(0)
    model = ReadoutClassifier(n, readout_layers(n, ("XX", "ZZ")), readout_pauli="X", readout_init="-", dtype=DOUBLE)
    bits, (first, second) = all_strings(n), model.theta.detach().reshape(2, n)
    factors = torch.complex((2 * second).cos(), (2 * first).cos() * (2 * second).sin())
    expected = -factors.abs().prod() * torch.cos((1 - 2 * bits) @ factors.angle())
    torch.testing.assert_close(model(bits), expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(model(bits).flip(0), model(bits), rtol=0, atol=1e-12)


def test_without_the_last_hadamard_it_would_say_nothing():
    model = ReadoutClassifier(3, readout_layers(3, ("XX", "ZZ")), readout_pauli="Z", readout_init="-", dtype=DOUBLE)
    assert model(all_strings(3)).abs().max() < 1e-12


def _wave_defect(layers: tuple[str, ...], n: int = 4) -> float:
    """How far scores are from every wave R cos(phi z + offset), whatever its phases are.

    Over the last bit, sums and differences of a wave are 2 R cos(phi) cos(rest) and -2 R sin(phi) sin(rest): their
    squares with two fixed weights add up to 1.
    """
    torch.manual_seed(0)
    model = ReadoutClassifier(n, readout_layers(n, layers), readout_pauli="X", readout_init="-", dtype=DOUBLE)
    scores = model(all_strings(n)).detach()
    torch.testing.assert_close(scores.flip(0), scores, rtol=0, atol=1e-12)  # still even
    squares = torch.stack((scores[::2] + scores[1::2], scores[::2] - scores[1::2]), 1).square()
    ones = torch.ones(len(squares), 1, dtype=DOUBLE)
    weights = torch.linalg.lstsq(squares, ones).solution
    return float((squares @ weights - ones).abs().max())


def test_its_layers_in_turns_are_no_longer_a_wave():
    assert _wave_defect(("XX", "ZZ")) < 1e-9
    assert _wave_defect(("XX", "ZZ") * 3) > 1e-2


# -- gradients and shots -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layers", [DIGITS[:2], ("XX", "ZZ"), ("ZX", "ZZX", "YX")])
def test_the_papers_gradient_is_that_of_every_route(layers):
    """2 l Im <z| U_1^+ ... U_L^+ Y U_L ... U_k+1 S_k U_k ... U_1 |z>, with matrices written out."""
    n, label = 3, -1.0
    gates = readout_layers(n, layers)
    torch.manual_seed(0)
    model = ReadoutClassifier(n, gates, dtype=DOUBLE)
    bits = torch.tensor([[1.0, 0, 1]], dtype=DOUBLE)
    start = torch.zeros(2 ** (n + 1), dtype=torch.complex128)
    start[0b1010] = 1
    steps, generators = [], []
    for operation in gates:
        letters = ["I"] * (n + 1)
        for wire, letter in zip(operation.wires, operation.letters, strict=True):
            letters[wire] = letter
        steps.append(reference.unitary(Circuit(n + 1, [operation]), NOTHING, model.theta.detach()))
        generators.append(pauli_matrix("".join(letters)).to(torch.complex128))
    measured = pauli_matrix("I" * n + "Y").to(torch.complex128)
    expected = []
    for k, generator in enumerate(generators):
        before, bra = start, start
        for number, step in enumerate(steps):
            before, bra = step @ before, step @ bra
            if number == k:
                before = generator @ before
        expected.append(2 * label * (bra.conj() @ measured @ before).imag)
    expected = torch.stack(expected)
    for route in (model, model.on(gradient="parameter_shift")):
        (gradient,) = torch.autograd.grad((1 - label * route(bits)).sum(), model.theta)
        torch.testing.assert_close(gradient, expected, rtol=0, atol=1e-8)
    # and by shifts of pi/4, as they are for exp(i theta S)
    for k in range(len(expected)):
        shift = torch.zeros_like(expected)
        shift[k] = math.pi / 4
        plus, minus = (_at(model, model.theta.detach() + sign * shift, bits) for sign in (1, -1))
        assert -label * (plus - minus) == pytest.approx(expected[k].item(), abs=1e-8)


def _at(model: ReadoutClassifier, weights: torch.Tensor, bits: torch.Tensor) -> float:
    return float(torch.func.functional_call(model, {"layer.theta": weights}, bits))


@pytest.mark.parametrize("shots", [10, 1000])
def test_shot_noise_has_its_variance_and_no_bias(shots):
    n, repeats = 2, 40_000
    torch.manual_seed(3)
    model = ReadoutClassifier(n, readout_layers(n, ("ZX", "XX")), dtype=DOUBLE)
    bits = torch.tensor([[1.0, 0]], dtype=DOUBLE)
    exact = model(bits).item()
    device = model.on(shots=shots, generator=torch.Generator().manual_seed(5))
    values = device(bits.expand(repeats, -1)).detach()
    variance = (1 - exact**2) / shots
    assert values.var().item() == pytest.approx(variance, rel=0.05)
    assert abs(values.mean().item() - exact) < 4 * math.sqrt(variance / repeats)


# -- the flat landscape ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", range(1, 11))
def test_the_mean_loss_of_parities_is_a_product(n):
    generator = torch.Generator().manual_seed(n)
    weights = 2 * math.pi * torch.rand(7, n, dtype=DOUBLE, generator=generator)
    model = FactorisedReadout(n, parity_layer(n), n_starts=7, dtype=DOUBLE)
    model.theta.data.copy_(weights)
    strings = all_strings(n)
    for mask in (torch.ones(n, dtype=DOUBLE), torch.randint(2, (n,), generator=generator).double()):
        labels = parity_labels(strings, mask)
        expected = (1 - labels[:, None] * model(strings)).mean(0)
        torch.testing.assert_close(mean_parity_loss(weights, mask), expected, rtol=0, atol=1e-12)
        # (1 - e^2it) / 2 has the magnitude |sin t|
        size = torch.where(mask.bool(), weights.sin().abs(), weights.cos().abs()).prod(1)
        assert ((1 - expected).abs() <= size + 1e-12).all()


@pytest.mark.parametrize("n", range(1, 11))
def test_the_mean_squared_gradient_is_n_over_2_to_the_n(n):
    """The integral over uniform weights by quadrature, which is exact for such trigonometric polynomials."""
    nodes = 2 * math.pi * torch.arange(8, dtype=DOUBLE) / 8
    one = (torch.polar(torch.ones_like(nodes), 2 * nodes) - 1) / -2  # a factor (1 - e^2it) / 2
    derivative = -1j * torch.polar(torch.ones_like(nodes), 2 * nodes)
    # of Re(p q) with independent p, q: E = (E|p|^2 E|q|^2 + Re(E p^2 E q^2)) / 2
    rest = (one.abs().square().mean() ** (n - 1), (one.square().mean()) ** (n - 1))
    mine = (derivative.abs().square().mean(), derivative.square().mean())
    component = (rest[0] * mine[0] + (rest[1] * mine[1]).real) / 2
    assert n * float(component) == pytest.approx(n * 2.0**-n, abs=1e-12)
    assert mean_gradient_square(n) == n * 2.0**-n


def test_the_circuits_gradients_agree_with_it():
    assert gradient_square_ratio(4, 4000, seed=0) == pytest.approx(1, abs=0.1)


# -- inputs ------------------------------------------------------------------------------------------------------------


def test_states_may_be_complex():
    n = 4
    gates = readout_layers(n, ("ZX", "XX", "ZZX", "YX"))
    torch.manual_seed(1)
    model = ReadoutClassifier(n, gates, inputs="state", dtype=DOUBLE)
    states = random_product_states(n, 6, torch.Generator().manual_seed(0))
    entangled = torch.randn(5, 2**n, dtype=torch.complex128)
    entangled = entangled / torch.linalg.vector_norm(entangled, dim=1, keepdim=True)
    for each in (states, entangled, entangled.real / torch.linalg.vector_norm(entangled.real, dim=1, keepdim=True)):
        torch.testing.assert_close(model(each), _dense(model, gates, each, "Y"), rtol=0, atol=1e-12)


def test_basis_states_are_strings():
    n = 4
    gates = readout_layers(n, ("ZX", "XX", "ZZX"))
    torch.manual_seed(1)
    by_state, by_bits = (ReadoutClassifier(n, gates, inputs=kind, dtype=DOUBLE) for kind in ("state", "bits"))
    by_bits.load_state_dict(by_state.state_dict())
    torch.testing.assert_close(by_state(torch.eye(2**n, dtype=DOUBLE)), by_bits(all_strings(n)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("start", ["0", "1", "+", "-"])
@pytest.mark.parametrize("letter", ["X", "Y", "Z"])
def test_starts_and_letters_are_what_they_say(start, letter):
    gates = readout_layers(2, ("ZX", "XY", "ZZ"))
    torch.manual_seed(0)
    model = ReadoutClassifier(2, gates, readout_pauli=letter, readout_init=start, dtype=DOUBLE)
    half = 2**-0.5
    amplitudes = {"0": (1, 0), "1": (0, 1), "+": (half, half), "-": (half, -half)}[start]
    unitary = reference.unitary(gates, NOTHING, model.theta.detach())
    state = torch.kron(torch.eye(4, dtype=DOUBLE)[2], torch.tensor(amplitudes, dtype=DOUBLE)).to(
        unitary.dtype
    )  # the string 10
    out = (unitary @ state).reshape(4, 2)
    expected = torch.einsum("ia,ab,ib->", out.conj(), pauli_matrix(letter).to(out.dtype), out).real
    assert model(torch.tensor([[1.0, 0]], dtype=DOUBLE)).item() == pytest.approx(expected.item(), abs=1e-12)


def test_starts_side_by_side_are_single_ones():
    gates = readout_layers(3, DIGITS)
    for kind in (FactorisedReadout, ReadoutClassifier):
        torch.manual_seed(2)
        several = kind(3, gates, n_starts=4, dtype=DOUBLE)
        scores = several(all_strings(3))
        assert scores.shape == (8, 4)
        for start in range(4):
            alone = kind(3, gates, dtype=DOUBLE)
            alone.theta.data.copy_(several.theta.data[start])
            torch.testing.assert_close(alone(all_strings(3)), scores[:, start], rtol=0, atol=1e-12)


def test_sizes_are_as_published():
    assert readout_shape(16, DIGITS) == (96,)
    model = FactorisedReadout(16, readout_layers(16, DIGITS))
    assert sum(p.numel() for p in model.parameters()) == 96
    assert not model.state_dict().keys() - {"theta"}


def test_a_whole_register_takes_seconds_at_most():
    n = 16
    model = ReadoutClassifier(n, readout_layers(n, DIGITS))
    assert model.layer.plan.circuit.counts().n_qubits == 17
    began = time.perf_counter()
    model(torch.ones(1, n)).sum().backward()
    assert time.perf_counter() - began < 5
    assert model.layer.plan.memory_bytes(1, 4, with_gradients=True) < 2**30


# -- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("build", [FactorisedReadout, ReadoutClassifier])
def test_what_is_no_bits_is_refused(build):
    model = build(2, readout_layers(2, ("ZX",)))
    with pytest.raises(ValueError, match=r"bits must be 0 or 1, got 2 other values, the first 0.5. Threshold"):
        model(torch.tensor([[0.5, 1], [1, -1]]))
    with pytest.raises(ValueError, match=r"bits must have shape \(B, 2\), got \(3,\)"):
        model(torch.zeros(3))


def test_states_must_be_normalised():
    model = ReadoutClassifier(2, readout_layers(2, ("ZX",)), inputs="state")
    with pytest.raises(ValueError, match=r"norm 1, got norms from 1 to 2. Divide"):
        model(torch.tensor([[0.0, 1, 0, 0], [0, 0, 2, 0]]))
    with pytest.raises(ValueError, match=r"states must have shape \(B, 4\)"):
        model(torch.zeros(1, 8))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: ReadoutClassifier(24, readout_layers(24, ("ZX",))), "got 25 qubits of 24"),
        (lambda: ReadoutClassifier(23, readout_layers(23, ("ZX",)), inputs="state"), "got 25 qubits of 24"),
        (lambda: ReadoutClassifier(4, readout_layers(4, ("ZX",)), readout=2), "data qubits 0..3, got readout=2"),
        (lambda: ReadoutClassifier(4, readout_layers(3, ("ZX",))), "4 data qubits .* got a circuit on 4 qubits"),
        (lambda: ReadoutClassifier(4, readout_layers(4, ("ZX",)), readout=5), "readout=5"),
        (lambda: Circuit(3).pauli_rotation("ZX", theta[0], (1, 1)), "wires must differ"),
    ],
)
def test_wrong_registers_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_unknown_options_are_named():
    gates = readout_layers(2, ("ZX",))
    for options in ({"readout_pauli": "W"}, {"readout_init": "2"}, {"inputs": "bit"}):
        with pytest.raises(UnknownName):
            ReadoutClassifier(2, gates, **options)
    with pytest.raises(UnknownName, match="readout of FactorisedReadout"):
        FactorisedReadout(2, gates, readout_pauli="X")


def test_parities_are_their_own_closed_form():
    for mask in ([1, 0, 1], [1, 1, 1, 1]):
        n = len(mask)
        model = FactorisedReadout(n, parity_circuit(mask), dtype=DOUBLE)
        torch.testing.assert_close(
            model(all_strings(n)), parity_labels(all_strings(n), torch.tensor(mask).double()), rtol=0, atol=1e-10
        )
    assert np.isclose(basis_embedding(2).bind(features=[1, 0]).plan(X(0))(NOTHING, NOTHING), 0)
    assert Y(0) != X(0)
