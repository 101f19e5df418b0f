from __future__ import annotations

import copy
import math
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from replank.circuits import Circuit, Probabilities, Samples, State, X, Y, Z, noise, theta, x
from replank.circuits.layer import QuantumLayer
from replank.circuits.templates import angle_embedding, strongly_entangling_layers
from replank.seeding import isolated, torch_stream

F64 = torch.float64
POINTS = torch.linspace(-4, 4, 17, dtype=F64)[:, None]


def close(one, other, tolerance=1e-12):
    torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


def circuit(n_qubits=3, n_layers=2):
    return angle_embedding(n_qubits, rotation="RY").extend(strongly_entangling_layers(n_qubits, n_layers))


def layer(n_circuits=None, seed=0, **options):
    with isolated(seed, "layer"):
        return QuantumLayer(circuit(), n_circuits=n_circuits, dtype=F64, **options)


def randn(*shape, seed=0):
    return torch.randn(*shape, dtype=F64, generator=torch_stream(seed, "input"))


CLOSED_FORMS = {
    "RX, Z": (Circuit(1).rx(x[0], 0), Z(0), torch.cos),
    "RX, Y": (Circuit(1).rx(x[0], 0), Y(0), lambda t: -torch.sin(t)),
    "RY, X": (Circuit(1).ry(x[0], 0), X(0), torch.sin),
    "H RZ, X": (Circuit(1).h(0).rz(x[0], 0), X(0), torch.cos),
    "RX CNOT, Z Z": (Circuit(2).rx(x[0], 0).cnot(0, 1), Z(0) @ Z(1), torch.ones_like),
    "RX CNOT, Z on the target": (Circuit(2).rx(x[0], 0).cnot(0, 1), Z(1), torch.cos),
}


@pytest.mark.parametrize(("circuit", "observable", "law"), CLOSED_FORMS.values(), ids=CLOSED_FORMS)
def test_closed_forms(circuit, observable, law):
    values = QuantumLayer(circuit.copy(), observable, dtype=F64)(POINTS)
    close(values.detach(), law(POINTS[:, 0]))


def test_weights_are_the_circuits_parameters():
    part = QuantumLayer(Circuit(1).rx(x[0] + theta[1], 0).ry(theta[0], 0), [Z(0)], dtype=F64)
    a, b = part.theta.detach()
    close(part(POINTS).detach(), torch.cos(POINTS + b) * torch.cos(a))  # RY leaves cos(a) of Z


@given(n_uploads=st.integers(1, 4), seed=st.integers(0, 10))
def test_m_uploads_of_an_angle_are_a_fourier_series_up_to_m(n_uploads, seed):
    uploaded = Circuit(2)
    for _ in range(n_uploads):
        uploaded.rx(x[0], 0)
        uploaded.extend(strongly_entangling_layers(2, 1, start=uploaded.n_parameters))
    with isolated(seed, "weights"):
        part = QuantumLayer(uploaded, Z(1), dtype=F64)
    grid = 2 * math.pi * torch.arange(16, dtype=F64) / 16
    spectrum = torch.fft.rfft(part(grid[:, None]).detach()).abs() / 16
    assert spectrum[n_uploads + 1 :].max() < 1e-14
    assert spectrum[n_uploads] > 1e-8


def test_a_shift_of_a_parameter_gives_its_derivative():
    part, batch = layer(), randn(4, 3)
    weights = randn(4, 3, seed=1)
    (part(batch) * weights).sum().backward()
    shifted = torch.zeros_like(part.theta)
    with torch.no_grad():
        for i in range(len(shifted)):
            for sign in (1, -1):
                part.theta[i] += sign * math.pi / 2
                shifted[i] += sign * (part(batch) * weights).sum() / 2
                part.theta[i] -= sign * math.pi / 2
    close(part.theta.grad, shifted)


# -- shapes ------------------------------------------------------------------------------------------------------------

SHAPES = [(), (5,), (2, 5), (0,), (2, 0, 3)]


@pytest.mark.parametrize("lead", SHAPES, ids=str)
@pytest.mark.parametrize(
    ("observables", "values"),
    [(None, (3,)), (Z(1), ()), ([Z(1)], (1,)), (Probabilities((0, 2)), (4,))],
    ids=["default", "alone", "sequence", "probabilities"],
)
@pytest.mark.parametrize("n_circuits", [None, 1, 4])
def test_leading_dimensions_stay(lead, observables, values, n_circuits):
    part = QuantumLayer(circuit(), observables, n_circuits=n_circuits, dtype=F64)
    circuits = () if n_circuits is None else (n_circuits,)
    batch = randn(*lead, *circuits, 3)
    output = part(batch)
    assert output.shape == (*lead, *circuits, *values)
    if math.prod(lead):
        flat = part(batch.reshape(-1, *circuits, 3))
        close(output, flat.reshape(output.shape))


# -- many circuits at once ---------------------------------------------------------------------------------------------


def alone(parallel, number):
    """One of several circuits as a layer of its own."""
    single = layer()
    single.theta.data = parallel.theta[number].detach().clone()
    return single


def test_circuits_side_by_side_equal_as_many_layers_with_their_gradients():
    parallel, batch = layer(4), randn(6, 4, 3).requires_grad_()
    weights = randn(6, 4, 3, seed=1)
    gradients = torch.autograd.grad((parallel(batch) * weights).sum(), [batch, parallel.theta])
    for number in range(4):
        single = alone(parallel, number)
        share = batch[:, number].detach().requires_grad_()
        close(single(share), parallel(batch)[:, number])
        expected = torch.autograd.grad((single(share) * weights[:, number]).sum(), [share, single.theta])
        close(gradients[0][:, number], expected[0])
        close(gradients[1][number], expected[1])


def test_circuits_side_by_side_run_in_one_call(monkeypatch):
    parallel, calls = layer(5), []
    run = parallel.plan.run
    monkeypatch.setattr(parallel.plan, "run", lambda *inputs: calls.append(1) or run(*inputs))
    parallel(randn(6, 5, 3))
    assert len(calls) == 1


def test_no_circuit_sees_anothers_input():
    jacobian = torch.autograd.functional.jacobian(layer(3), randn(3, 3))  # (circuit, value, circuit, feature)
    for one in range(3):
        for other in range(3):
            assert bool(jacobian[one, :, other].any()) == (one == other)


def test_one_input_may_be_shown_to_all_circuits():
    parallel, batch = layer(4), randn(6, 1, 3).requires_grad_()
    weights = randn(6, 4, 3, seed=1)
    wide = batch.expand(6, 4, 3)
    close(parallel(batch), parallel(wide))
    (shared,) = torch.autograd.grad((parallel(batch) * weights).sum(), batch)
    (expected,) = torch.autograd.grad((parallel(wide) * weights).sum(), batch)
    close(shared, expected)


# -- as a torch module -------------------------------------------------------------------------------------------------


def call(part, batch):
    return part(batch).detach()


@pytest.mark.parametrize("n_circuits", [None, 3])
def test_copies_give_bit_equal_values(n_circuits):
    part, batch = layer(n_circuits), randn(5, n_circuits or 1, 3)
    part(batch)  # what is compiled must not stand in the way
    for twin in (copy.deepcopy(part), pickle.loads(pickle.dumps(part))):
        assert torch.equal(twin(batch), part(batch))
        with torch.no_grad():
            twin.theta.add_(1)
        assert not torch.equal(twin(batch), part(batch))


def test_another_process_gives_the_same_values():
    part, batch = layer(), randn(5, 3)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert torch.equal(pool.submit(call, part, batch).result(), call(part, batch))


def test_nothing_is_drawn_from_global_state_but_the_initial_angles():
    part, batch = layer(), randn(5, 3)
    before = torch.get_rng_state()
    part(batch).sum().backward()
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(layer().theta, part.theta)
    part.reset_parameters()
    assert not torch.equal(torch.get_rng_state(), before)


def test_initial_angles_fill_the_circle_or_have_the_scale_asked_for():
    angles = layer(500).theta.detach()
    assert 0 <= angles.min() < 0.01
    assert 2 * math.pi - 0.01 < angles.max() < 2 * math.pi
    near = layer(500, init_scale=0.1).theta.detach()
    assert abs(near.std().item() - 0.1) < 0.005
    assert not layer(init_scale=0).theta.any()


def test_a_tiny_circuit_learns_a_sine():
    batch = POINTS
    target = 0.8 * torch.sin(batch[:, 0] + 1)
    with isolated(0, "sine"):
        part = QuantumLayer(Circuit(1).ry(theta[0], 0).rx(x[0], 0).ry(theta[1], 0).rx(theta[2], 0), Z(0), dtype=F64)
    optimiser = torch.optim.Adam(part.parameters(), lr=0.1)
    losses = []
    for _ in range(150):
        optimiser.zero_grad()
        loss = (part(batch) - target).square().mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 1e-3 < losses[0]


def test_frozen_angles_stay():
    part, batch = layer(frozen=True), randn(5, 3).requires_grad_()
    before = part.theta.clone()
    part(batch).sum().backward()
    assert part.theta.grad is None
    assert batch.grad.any()
    torch.optim.Adam(part.parameters(), weight_decay=1.0).step()
    assert torch.equal(part.theta, before)
    assert "frozen=True" in repr(part)


def test_half_precision_is_near_single():
    part, batch = layer().float(), randn(5, 3).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        close(part(batch.bfloat16()), part(batch), 0.1)
    half = copy.deepcopy(part).bfloat16()
    assert half(batch.bfloat16()).dtype == torch.bfloat16
    close(half(batch.bfloat16()).float(), part(batch), 0.2)


def test_it_can_be_compiled():
    part, batch = layer(), randn(5, 3)
    close(torch.compile(part, backend="eager")(batch), part(batch))


# -- as a device would run it ------------------------------------------------------------------------------------------


def test_shots_scatter_around_the_exact_values_as_they_should():
    part = QuantumLayer(Circuit(1).rx(x[0], 0), [Z(0)], dtype=F64)
    points = torch.full((4000, 1), 1.1, dtype=F64)
    values = part.on(shots=100, generator=torch_stream(0, "shots"))(points)
    exact = math.cos(1.1)
    sigma = math.sqrt((1 - exact**2) / 100)
    assert abs(values.mean() - exact) < 4 * sigma / math.sqrt(4000)
    assert abs(values.std() / sigma - 1) < 4 / math.sqrt(2 * 4000)


def test_depolarising_noise_shrinks_values():
    part = QuantumLayer(Circuit(1).rx(x[0], 0), [Z(0)], dtype=F64)
    model = noise.NoiseModel(one_qubit=[noise.depolarising(0.1, 0)])
    close(part.on(noise=model)(POINTS), (1 - 4 * 0.1 / 3) * part(POINTS))


@pytest.mark.parametrize("n_circuits", [None, 3])
def test_trajectories_agree_with_the_density_matrix(n_circuits):
    part, batch = layer(n_circuits), randn(2, n_circuits or 1, 3)
    model = noise.NoiseModel(
        one_qubit=[noise.depolarising(0.02, 0)],
        two_qubit=[noise.depolarising(0.05, 0, 1)],
        readout=noise.ReadoutError(0.02, 0.05),
    )
    exact = part.on(noise=model)(batch)
    mean = part.on(noise=model, trajectories=4000, generator=torch_stream(1, "errors"))(batch)
    assert (mean - exact).abs().max() < 4.5 / math.sqrt(4000)
    assert (exact - part(batch)).abs().max() > 0.05


def test_a_layer_on_a_device_has_the_very_same_parameters_and_leaves_the_layer_as_it_is():
    part, batch = layer(), randn(5, 3)
    exact = part(batch)
    noisy = part.on(shots=50, generator=torch_stream(0, "shots"))
    assert noisy.theta is part.theta
    assert not torch.equal(noisy(batch), exact)
    assert torch.equal(part(batch), exact)
    with torch.no_grad():
        part.theta.zero_()
    close(noisy.on()(batch), part(batch))


def test_the_generator_decides_the_shots():
    part, batch = layer(3), randn(5, 3, 3)
    one, other = (part.on(shots=50, generator=torch_stream(0, "shots")) for _ in range(2))
    before = torch.get_rng_state()
    first = one(batch)
    assert torch.equal(other(batch), first)
    assert not torch.equal(one(batch), first)
    assert torch.equal(torch.get_rng_state(), before)
    copied = pickle.loads(pickle.dumps(one))
    assert torch.equal(copied(batch), one(batch))


def test_shifted_circuits_give_the_exact_gradient():
    part, batch = layer(), randn(4, 3)
    shifted = torch.autograd.grad(part.on(gradient="parameter_shift")(batch).sum(), part.theta)
    close(shifted, torch.autograd.grad(part(batch).sum(), part.theta))


def test_another_circuit_with_the_same_parameters():
    part, batch = layer(), randn(4, 3)
    other = angle_embedding(3).extend(strongly_entangling_layers(3, 2, entangler="CZ"))
    changed = part.with_circuit(other)
    assert changed.theta is part.theta
    assert not torch.equal(changed(batch), part(batch))
    with pytest.raises(ValueError, match="n_parameters=18, got 3 and 9"):
        part.with_circuit(circuit(n_layers=1))


# -- refusals ----------------------------------------------------------------------------------------------------------

BAD_INPUT = {
    "features": (None, torch.zeros(5, 4, dtype=F64), ValueError, r"n_features=3, got .*\(5, 4\)"),
    "no dimension": (None, torch.tensor(1.0, dtype=F64), ValueError, r"n_features=3, got .*\(\)"),
    "circuits": (4, torch.zeros(5, 3, 3, dtype=F64), ValueError, r"n_circuits=4.*\(5, 3, 3\)"),
    "no circuits": (4, torch.zeros(3, dtype=F64), ValueError, "n_circuits=4"),
    "single": (None, torch.zeros(5, 3), TypeError, "torch.float64, got dtype=torch.float32"),
    "integers": (None, torch.zeros(5, 3, dtype=torch.int64), TypeError, "torch.int64"),
    "nan": (None, torch.full((5, 3), torch.nan, dtype=F64), ValueError, "NaN"),
    "infinity": (2, torch.full((5, 2, 3), torch.inf, dtype=F64), ValueError, "infin"),
}


@pytest.mark.parametrize(("n_circuits", "batch", "error", "law"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_bad_input_is_refused(n_circuits, batch, error, law):
    with pytest.raises(error, match=law):
        layer(n_circuits)(batch)


BAD_ARGUMENTS = {
    "no circuit": (lambda: layer(0), ValueError, "n_circuits=0"),
    "scale": (lambda: layer(init_scale=-1.0), ValueError, "init_scale=-1.0"),
    "samples": (lambda: QuantumLayer(circuit(), Samples(3)), ValueError, "got Samples"),
    "mixed": (lambda: QuantumLayer(circuit(), [Z(0), State()]), ValueError, "got PauliSum, State"),
    "probabilities in a list": (lambda: QuantumLayer(circuit(), [Probabilities()]), ValueError, "outside a sequence"),
    "no shots": (lambda: layer().on(shots=0), ValueError, "shots=0"),
    "one trajectory": (lambda: layer().on(trajectories=1), ValueError, "trajectories=1"),
    "shots of trajectories": (lambda: layer().on(trajectories=9, shots=5), ValueError, "shots=5"),
    "noise": (lambda: layer().on(noise=noise.depolarising(0.1, 0)), TypeError, "got Channel"),
}


@pytest.mark.parametrize(("build", "error", "law"), BAD_ARGUMENTS.values(), ids=BAD_ARGUMENTS)
def test_bad_arguments_are_refused(build, error, law):
    with pytest.raises(error, match=law):
        build()
