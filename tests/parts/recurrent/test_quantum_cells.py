from __future__ import annotations

import math
from functools import reduce

import numpy as np
import pytest
import torch
from torch import nn

from replank.circuits.plan import Plan
from replank.parts.recurrent import QuantumGRU, QuantumLSTM, QuantumRNN, SixCircuitLSTM
from replank.seeding import isolated, torch_stream

F64 = torch.float64
CELLS = [QuantumRNN, QuantumGRU, QuantumLSTM, SixCircuitLSTM]


def build(kind, *sizes, seed=0, **options):
    with isolated(seed, "part"):
        return kind(*sizes, batch_first=True, dtype=F64, **{"init_scale": None, **options})


def randn(*shape, seed=0):
    return torch.randn(*shape, dtype=F64, generator=torch_stream(seed, "input"))


def close(one, other, tolerance=1e-12):
    torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


# -- the cells again, in NumPy, one sample and one gate at a time ------------------------------------------------------

I2, X, Y, Z = np.eye(2), np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1.0, -1.0])


def turn(pauli, angle):
    return math.cos(angle / 2) * I2 - 1j * math.sin(angle / 2) * pauli


def on(n, matrices):
    return reduce(np.kron, [matrices.get(wire, I2) for wire in range(n)])


def cnot(n, control, target):
    return on(n, {control: (I2 + Z) / 2}) + on(n, {control: (I2 - Z) / 2, target: X})


def vqc(features, weights):
    """Expectation values of Z on all qubits; ``weights`` (layers, n, 3)."""
    n = len(features)
    state = np.zeros(2**n, complex)
    state[0] = 1
    hadamard = (X + Z) / math.sqrt(2)
    for wire, v in enumerate(features):
        state = on(n, {wire: turn(Z, math.atan(v**2)) @ turn(Y, math.atan(v)) @ hadamard}) @ state
    for layer in weights:
        for reach in (1, 2):
            for wire in range(n):
                if (wire + reach) % n != wire:
                    state = cnot(n, wire, (wire + reach) % n) @ state
        for wire, (a, b, c) in enumerate(layer):
            state = on(n, {wire: turn(Z, c) @ turn(Y, b) @ turn(Z, a)}) @ state
    return np.array([(state.conj() @ on(n, {wire: Z}) @ state).real for wire in range(n)])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def weights_of(layer, n):
    return layer.theta.detach().numpy().reshape(len(layer.theta), -1, n, 3)


def rnn_by_numpy(part, sequence):
    n, hidden, outputs = part.n_qubits, np.zeros(part.hidden_size), []
    for x in sequence:
        hidden = np.tanh(vqc([*x, *hidden], weights_of(part.circuit, n)[0])[: part.hidden_size])
        outputs.append(hidden)
    return np.array(outputs)


def gru_by_numpy(part, sequence):
    n, hidden, outputs = part.n_qubits, np.zeros(part.hidden_size), []
    gates, candidate = weights_of(part.gates, n), weights_of(part.candidate, n)
    for x in sequence:
        reset, update = (sigmoid(vqc([*x, *hidden], w)[: len(hidden)]) for w in gates)
        new = np.tanh(vqc([*x, *(reset * hidden)], candidate[0])[: len(hidden)])
        hidden = update * hidden + (1 - update) * new
        outputs.append(hidden)
    return np.array(outputs)


def lstm_by_numpy(part, sequence):
    n, hidden, cell, outputs = part.n_qubits, np.zeros(part.hidden_size), np.zeros(part.hidden_size), []
    for x in sequence:
        f, i, g, o = (vqc([*x, *hidden], w)[: len(hidden)] for w in weights_of(part.gates, n))
        cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
        hidden = sigmoid(o) * np.tanh(cell)
        outputs.append(hidden)
    return np.array(outputs)


def six_by_numpy(part, sequence):
    n, n_state = part.n_qubits, part.hidden_size - part.input_size
    hidden, cell, outputs = np.zeros(n_state), np.zeros(n), []
    for x in sequence:
        f, i, g, o = (vqc([*x, *hidden], w) for w in weights_of(part.gates, n))
        cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
        opened = sigmoid(o) * np.tanh(cell)
        hidden, output = (vqc(opened, w) for w in weights_of(part.heads, n))
        hidden = hidden[:n_state]
        outputs.append(output)
    return np.array(outputs)


BY_NUMPY = {
    QuantumRNN: rnn_by_numpy,
    QuantumGRU: gru_by_numpy,
    QuantumLSTM: lstm_by_numpy,
    SixCircuitLSTM: six_by_numpy,
}


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize(("n_in", "n_qubits"), [(1, 4), (2, 3)])
def test_cells_equal_their_definitions_in_numpy(kind, n_in, n_qubits):
    part = build(kind, n_in, n_qubits if kind is SixCircuitLSTM else n_qubits - n_in)
    batch = 2 * randn(2, 4, n_in)
    expected = np.stack([BY_NUMPY[kind](part, sequence) for sequence in batch.numpy()])
    np.testing.assert_allclose(part(batch)[0].detach().numpy(), expected, rtol=0, atol=1e-12)


# -- closed forms and bounds -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [-2.0, -0.5, 0.0, 0.7, 3.0])
def test_without_weights_the_first_step_gives_the_sine_of_an_arctangent(x):
    part = build(QuantumRNN, 1, 3, init_scale=0.0)
    output, _ = part(torch.full((1, 1, 1), x, dtype=F64))
    expected = torch.tensor([-x / math.sqrt(1 + x * x), 0, 0], dtype=F64).tanh()
    close(output.flatten(), expected)


def test_gates_never_close_and_cells_are_bounded():
    batch = 5 * randn(1000, 12, 1)
    most = math.tanh(1) * torch.tensor(1.0).sigmoid().item() / (1 - torch.tensor(1.0).sigmoid().item())
    assert most == pytest.approx(2.07, abs=1e-3)
    for seed in range(3):
        output, (hidden, cell) = build(QuantumLSTM, 1, 3, seed=seed)(batch)
        assert cell.abs().max() <= most + 1e-12
        assert torch.equal(hidden[0], output[:, -1])
        assert build(QuantumRNN, 1, 3, seed=seed)(batch)[0].abs().max() <= math.tanh(1) + 1e-12
        assert build(QuantumGRU, 1, 3, seed=seed)(batch)[0].abs().max() <= 1


def test_a_cell_forgets_at_least_a_quarter_at_each_step():
    """c_t - c'_t = f (c_{t-1} - c'_{t-1}) where gates agree: from equal h, two cells draw nearer by sigmoid(1)."""
    part, batch = build(QuantumLSTM, 1, 3), randn(50, 1, 1)
    hidden, cell = randn(1, 50, 3).tanh(), 2 * randn(1, 50, 3, seed=1)
    _, (_, after) = part(batch, (hidden, cell))
    _, (_, after_zero) = part(batch, (hidden, torch.zeros_like(cell)))
    shares = (after - after_zero) / cell
    assert shares.min() >= torch.tensor(-1.0).sigmoid() - 1e-12
    assert shares.max() <= torch.tensor(1.0).sigmoid() + 1e-12


# -- what moves nothing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", CELLS)
def test_angles_before_a_measurement_of_z_or_behind_it_move_nothing(kind):
    """Of the last layer: the third angle of each qubit, and all of a qubit that is not measured."""
    part = build(kind, 1, 4 if kind is SixCircuitLSTM else 3)
    part(randn(3, 5, 1))[0].sum().backward()
    for name in part.circuits:
        layer = getattr(part, name)
        gradient = layer.theta.grad.reshape(-1, part.n_layers, part.n_qubits, 3)
        for number, of_circuit in enumerate(gradient):
            # of the six circuits' fifth, the state takes three values of four
            measured = 3 if (name, number) == ("heads", 0) else len(layer.plan.observables)
            assert max(of_circuit[-1, :, 2].abs().max(), of_circuit[-1, measured:].abs().sum()) < 1e-14
            assert (of_circuit[-1, :measured, :2].abs() > 1e-12).all()


def test_on_three_qubits_the_rings_leave_the_middle_one_alone():
    part = build(QuantumRNN, 1, 2)
    jacobian = torch.autograd.functional.jacobian(lambda h: part(randn(1, 1, 1), h)[0], randn(1, 1, 2))
    to_first, to_second = jacobian.reshape(2, 2)
    assert to_first[0].abs() < 1e-14 < 1e-3 < to_first[1].abs()
    assert to_second[1].abs() < 1e-14 < 1e-3 < to_second[0].abs()


def test_without_entanglement_the_state_is_a_delay_line():
    part = build(QuantumRNN, 1, 3, unentangled=True)
    batch = randn(1, 5, 1)
    jacobian = torch.autograd.functional.jacobian(lambda x: part(x)[0], batch).reshape(5, 3, 5).abs()
    for step, unit, back in ((t, u, b) for t in range(5) for u in range(3) for b in range(5)):
        assert (jacobian[step, unit, back] > 1e-6) == (step - back == unit), (step, unit, back)


# -- counting ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "hidden", "n_circuits"),
    [(QuantumRNN, 3, 1), (QuantumGRU, 3, 3), (QuantumLSTM, 3, 4), (SixCircuitLSTM, 4, 6)],
)
def test_published_parameter_counts(kind, hidden, n_circuits):
    part = build(kind, 1, hidden)
    assert sum(each.numel() for each in part.parameters()) == n_circuits * 24
    assert part.n_circuits == n_circuits


@pytest.mark.parametrize(("kind", "calls"), [(QuantumRNN, 1), (QuantumGRU, 2), (QuantumLSTM, 1), (SixCircuitLSTM, 2)])
def test_circuits_that_see_the_same_run_in_one_call(kind, calls, monkeypatch):
    """And the number of circuits in all calls is that which the part says."""
    seen = []
    run = Plan.run

    def counted(plan, features, parameters, **options):
        seen.append(max(len(features), len(parameters)) * features.shape[1])
        return run(plan, features, parameters, **options)

    monkeypatch.setattr(Plan, "run", counted)
    part = build(kind, 1, 4 if kind is SixCircuitLSTM else 3)
    part(randn(5, 7, 1))
    assert len(seen) == 7 * calls
    assert sum(seen) == 7 * 5 * part.n_circuits


# -- options -----------------------------------------------------------------------------------------------------------


def test_small_angles_are_near_none():
    batch = randn(64, 8, 1)
    none = build(QuantumRNN, 1, 3, init_scale=0.0)(batch)[0]
    assert (build(QuantumRNN, 1, 3, init_scale=0.01)(batch)[0] - none).abs().mean() < 0.05
    assert (build(QuantumRNN, 1, 3)(batch)[0] - none).abs().mean() > 0.05


@pytest.mark.parametrize("bias", [True, False])
def test_linear_maps_go_between(bias):
    """A step of the RNN by hand."""
    part = build(QuantumRNN, 2, 5, n_qubits=3, bias=bias)
    batch, hidden = randn(4, 1, 2), randn(1, 4, 5, seed=1)
    turns = part.compress(torch.cat((batch[:, 0], hidden[0]), -1)).detach().numpy()
    values = np.stack([vqc(row, weights_of(part.circuit, 3)[0]) for row in turns])
    close(part(batch, hidden)[0][:, 0], part.expand(torch.from_numpy(values)).tanh())
    assert (part.compress.bias is not None) == bias


@pytest.mark.parametrize("kind", CELLS)
def test_the_control_without_entanglement_shares_values_and_not_tensors(kind):
    part = build(kind, 1, 4)
    twin = part.without_entanglement()
    built = build(kind, 1, 4, unentangled=True)
    built.load_state_dict(part.state_dict())
    batch = randn(3, 4, 1)
    close(twin(batch)[0], built(batch)[0])
    assert (twin(batch)[0] - part(batch)[0]).abs().max() > 1e-3
    assert twin.unentangled
    before = part(batch)[0]
    with torch.no_grad():
        next(twin.parameters()).add_(1)
    assert torch.equal(part(batch)[0], before)
    close(twin.reference(batch), twin(batch)[0])


def test_a_device_gives_the_same_by_shifted_angles_and_nearly_by_shots():
    part, batch = build(QuantumLSTM, 1, 2, n_layers=1), randn(2, 3, 1)
    shifted = part.on(gradient="parameter_shift")
    assert shifted.gates.theta is part.gates.theta
    close(shifted(batch)[0], part(batch)[0])
    gradients = [torch.autograd.grad(each(batch)[0].sum(), part.gates.theta)[0] for each in (part, shifted)]
    close(*gradients, tolerance=1e-10)
    drawn = part.on(shots=20_000, generator=torch_stream(0, "shots"))(batch)[0]
    close(drawn, part(batch)[0], tolerance=0.02)
    assert not torch.equal(drawn, part(batch)[0])


def test_frozen_circuits_keep_their_angles_while_the_maps_are_trained():
    part = build(QuantumGRU, 2, 3, n_qubits=2, frozen=True)
    before = {name: each.clone() for name, each in part.state_dict().items()}
    optimiser = torch.optim.SGD([each for each in part.parameters() if each.requires_grad], lr=0.1)
    part(randn(4, 5, 2))[0].square().sum().backward()
    optimiser.step()
    moved = {name for name, each in part.state_dict().items() if not torch.equal(each, before[name])}
    assert moved == {"compress.weight", "compress.bias", "expand.weight", "expand.bias"}


def test_fewer_than_three_qubits_have_no_cnot_of_a_qubit_with_itself():
    for n_in, hidden in ((1, 1), (1, 2)):
        part = build(QuantumRNN, n_in, hidden)
        pairs = [each.wires for each in part.circuit.plan.circuit if len(each.wires) == 2]
        assert all(control != target for control, target in pairs)
        assert len(pairs) == {2: 2 * 2, 3: 2 * 6}[part.n_qubits]
    assert not any(len(each.wires) == 2 for each in build(QuantumRNN, 2, 2, n_qubits=1).circuit.plan.circuit)


BAD = {
    "no layer": (QuantumRNN, {"n_layers": 0}, "n_layers=0"),
    "no qubit": (QuantumRNN, {"n_qubits": 0}, "n_qubits=0"),
    "too many qubits": (
        QuantumLSTM,
        {"input_size": 8, "hidden_size": 16},
        "got 24 for input_size=8 and hidden_size=16",
    ),
    "negative spread": (QuantumGRU, {"init_scale": -1.0}, "init_scale=-1"),
    "no room for a state": (SixCircuitLSTM, {"input_size": 3, "hidden_size": 3}, "input_size=3 and hidden_size=3"),
    "maps where there are none": (SixCircuitLSTM, {"hidden_size": 4, "n_qubits": 4}, "n_qubits=4. Leave it out"),
    "no features": (QuantumRNN, {"input_size": 0}, "input_size=0"),
    "no units": (QuantumRNN, {"hidden_size": -1}, "hidden_size=-1"),
}


@pytest.mark.parametrize(("kind", "arguments", "law"), BAD.values(), ids=BAD)
def test_bad_arguments_are_refused(kind, arguments, law):
    with pytest.raises(ValueError, match=law):
        kind(**({"input_size": 1, "hidden_size": 2} | arguments), device="meta")


def test_more_than_twenty_qubits_are_let_go_between_linear_maps():
    part = QuantumLSTM.like(nn.LSTM(8, 16, batch_first=True), n_qubits=4)
    output, (hidden, cell) = part(torch.zeros(2, 3, 8))
    assert output.shape == (2, 3, 16)
    assert hidden.shape == cell.shape == (1, 2, 16)
