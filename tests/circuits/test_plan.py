"""Plans: shapes, dtypes, odd batches, samples, copies, and what they say about themselves."""

from __future__ import annotations

import copy
import math
import pickle
import re
from math import pi

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from replank.circuits import (
    Circuit,
    DensityMatrix,
    PauliSum,
    Probabilities,
    Projector,
    Samples,
    State,
    X,
    Z,
    pauli,
    theta,
    x,
)
from replank.circuits.cost import flops
from tests.circuits.strategies import BACKENDS, F64, assert_near, damping, general_circuits, haar, inputs, needs_core

NOTHING = torch.zeros(0, dtype=F64)
RING = Circuit(3).ry(x[0], 0).ry(x[1], 1).rx(theta[0], 2).cnot(0, 1).cnot(1, 2).cnot(2, 0).rot(*theta[1:4], 1)


# -- shapes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("lead", [(), (1,), (5,), (0,), (2, 3), (2, 0), (1, 4, 1)], ids=str)
@pytest.mark.parametrize(
    ("observables", "shapes"),
    [
        (Z(0), ()),
        ([Z(0)], (1,)),
        (None, (3,)),
        ([Z(0), X(1) @ Z(2)], (2,)),
        (Projector((1,), (2,)), ()),
        ([Z(0), Projector((1,), (2,))], (2,)),
        (Probabilities(), (8,)),
        (Probabilities((2,)), (2,)),
        (State(), (8,)),
        (DensityMatrix((0, 2)), (4, 4)),
        (Samples(5, (1, 0)), (5, 2)),
        ([Z(0), Probabilities((1,)), DensityMatrix((0,))], [(), (2,), (2, 2)]),
        ([Samples(2), Z(0)], [(2, 3), ()]),
    ],
    ids=lambda value: "" if not isinstance(value, list) else None,
)
def test_results_follow_the_leading_dimensions_of_features(backend, lead, observables, shapes):
    features = torch.randn(*lead, 2, dtype=F64, generator=torch.Generator().manual_seed(0))
    parameters = torch.linspace(0, 1, 4, dtype=F64)
    result = RING.copy().plan(observables)(features, parameters, backend=backend)
    results, wanted = (result, shapes) if isinstance(shapes, list) else ([result], [shapes])
    assert [tuple(each.shape) for each in results] == [(*lead, *shape) for shape in wanted]


@pytest.mark.parametrize("backend", BACKENDS)
def test_leading_dimensions_are_a_batch(backend):
    features, parameters = torch.randn(2, 3, 2, dtype=F64), torch.randn(4, dtype=F64)
    plan = RING.copy().plan()
    flat = plan(features.reshape(6, 2), parameters, backend=backend)
    assert_near(plan(features, parameters, backend=backend), flat.reshape(2, 3, 3), 1e-14)
    assert_near(plan(features[1, 2], parameters, backend=backend), flat[5], 1e-14)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("batch", [(), (4,), (2, 2)])
def test_circuits_without_input(backend, batch):
    plan = Circuit(2).h(0).cnot(0, 1).plan([Z(0), Z(0) @ Z(1)])
    wanted = torch.tensor([0.0, 1.0], dtype=F64).expand(*batch, 2)
    assert_near(plan(torch.zeros(*batch, 0, dtype=F64), NOTHING, backend=backend), wanted, 1e-14)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("n", [1, 2, 5])
def test_circuits_without_gates(backend, n):
    ones = torch.ones(3, n, dtype=F64)
    assert_near(Circuit(n).plan()(torch.zeros(3, 0, dtype=F64), NOTHING, backend=backend), ones, 0)
    state = Circuit(n).plan(State())(NOTHING, NOTHING, backend=backend)
    assert_near(state, torch.eye(2**n, dtype=torch.complex128)[0], 0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_one_qubit(backend):
    plan = Circuit(1).rx(pi * x[0], 0).plan([Z(0), X(0)])
    features = torch.linspace(-1, 1, 7, dtype=F64)[:, None]
    wanted = torch.cat([(pi * features).cos(), torch.zeros_like(features)], -1)
    assert_near(plan(features, NOTHING, backend=backend), wanted, 1e-14)


# -- observables -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("observables", "values"),
    [
        (pauli("II"), 1.0),
        (PauliSum(()), 0.0),
        ([pauli("II") * 0.5, PauliSum(()), 2.5 + 0 * Z(0)], [0.5, 0.0, 2.5]),
        ([Z(0), Z(0), 2 * Z(0) + 1, -Z(0)], [0.6, 0.6, 2.2, -0.6]),
        ([Z(1) + Z(0) - Z(1)], [0.6]),
        ([Z(0) @ Z(1), Z(1), Z(0)], [0.6, 1.0, 0.6]),
    ],
    ids=str,
)
def test_constants_and_repeated_observables(backend, observables, values):
    plan = Circuit(2).ry(math.acos(0.6), 0).plan(observables)
    wanted = torch.tensor(values, dtype=F64)
    assert_near(plan(NOTHING, NOTHING, backend=backend), wanted, 1e-14)
    batch = plan(torch.zeros(3, 0, dtype=F64), NOTHING, backend=backend)
    assert_near(batch, wanted.expand(3, *wanted.shape), 1e-14)


@pytest.mark.parametrize("backend", BACKENDS)
def test_constants_have_gradients_that_are_0(backend):
    features, parameters = inputs(RING, 2)
    values = RING.copy().plan([Z(0), pauli("III")])(features, parameters, backend=backend)
    (slope,) = torch.autograd.grad(values[:, 1].sum(), parameters)
    assert (slope == 0).all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_observables_together_are_those_alone(backend):
    features, parameters = inputs(RING, 3)
    observables = [Z(0), X(1), Probabilities((2, 0)), DensityMatrix((1,)), State(), Projector((0, 1), (0, 2))]
    values = RING.copy().plan(observables)(features, parameters, backend=backend)
    for observable, value in zip(observables, values, strict=True):
        assert_near(RING.copy().plan(observable)(features, parameters, backend=backend), value, 1e-13)


@pytest.mark.parametrize("backend", BACKENDS)
@given(circuit=general_circuits())
def test_a_projector_is_a_probability_and_a_matrix_has_probabilities_on_its_diagonal(backend, circuit):
    wires = tuple(range(circuit.n_qubits))[::-1]
    features, parameters = inputs(circuit, 2)
    plan = circuit.plan([Probabilities(wires), DensityMatrix(wires[:2]), Projector((1,) * len(wires), wires)])
    probabilities, matrix, projector = plan(features, parameters, backend=backend)
    assert_near(probabilities.sum(-1), torch.ones(2, dtype=F64), 1e-12)
    assert (probabilities > -1e-12).all()
    assert_near(projector, probabilities[:, -1], 1e-12)
    assert_near(matrix, matrix.mH, 1e-12)
    marginal = probabilities.reshape(2, 2 ** min(2, len(wires)), -1).sum(-1)
    assert_near(matrix.diagonal(dim1=-2, dim2=-1).real, marginal, 1e-12)


# -- samples -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
def test_samples_come_as_often_as_they_are_probable(backend):
    circuit = Circuit(3).ry(x[0], 0).cnot(0, 2).ry(0.9, 1)
    features = torch.tensor([[0.4], [2.0]], dtype=F64)
    samples, probabilities = circuit.plan([Samples(40_000, (2, 1)), Probabilities((2, 1))])(
        features, NOTHING, backend=backend, generator=torch.Generator().manual_seed(0)
    )
    assert set(samples.unique().tolist()) <= {0, 1}
    index = samples[..., 0] * 2 + samples[..., 1]
    frequencies = torch.stack([torch.bincount(row, minlength=4) for row in index]) / samples.shape[1]
    assert_near(frequencies.double(), probabilities, 5 * 0.5 / 200)  # five standard deviations


@pytest.mark.parametrize("backend", BACKENDS)
def test_samples_of_a_seed_repeat(backend):
    plan = Circuit(2).h(0).h(1).plan(Samples(50))
    drawn = [plan(NOTHING, NOTHING, backend=backend, generator=torch.Generator().manual_seed(s)) for s in (1, 1, 2)]
    assert drawn[0].equal(drawn[1])
    assert not drawn[0].equal(drawn[2])


def test_samples_are_never_impossible():
    circuit = Circuit(2).h(0).cnot(0, 1).measure(0).channel(damping(1, 0.0))
    samples = circuit.plan(Samples(500))(NOTHING, NOTHING)
    assert samples[:, 0].equal(samples[:, 1])


# -- dtypes and memory layouts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("dtype", "atol"), [(F64, 1e-14), (torch.float32, 1e-6), (torch.bfloat16, 2e-2), (torch.float16, 3e-3)], ids=str
)
def test_the_dtype_of_the_input_is_that_of_the_result(backend, dtype, atol):
    features, parameters = inputs(RING, 4, dtype=dtype)
    plan = RING.copy().plan()
    values = plan(features, parameters, backend=backend)
    assert values.dtype == dtype
    wanted = plan(features.double(), parameters.double(), backend=backend)
    assert_near(values.double(), wanted, atol)
    slopes = torch.autograd.grad(values.sum(), (features, parameters))
    assert [slope.dtype for slope in slopes] == [dtype, dtype]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", [torch.float32, F64], ids=str)
def test_amplitudes_are_complex_of_the_same_precision(backend, dtype):
    features, parameters = inputs(RING, 4, dtype=dtype)
    assert RING.copy().plan(State())(features, parameters, backend=backend).dtype == dtype.to_complex()
    assert RING.copy().plan(DensityMatrix((0,)))(features, parameters, backend=backend).dtype == dtype.to_complex()


@pytest.mark.parametrize("backend", BACKENDS)
def test_half_precision_has_no_complex_numbers_of_its_own(backend):
    features, parameters = inputs(RING, 4, dtype=torch.bfloat16)
    state, z, samples = RING.copy().plan([State(), Z(0), Samples(2)])(features, parameters, backend=backend)
    assert (state.dtype, z.dtype, samples.dtype) == (torch.complex64, torch.bfloat16, torch.int64)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", [torch.float32, F64], ids=str)
def test_autocast_leaves_states_in_full_precision(backend, dtype):
    features, parameters = inputs(RING, 4, dtype=dtype)
    plan = RING.copy().plan()
    wanted = plan(features, parameters, backend=backend)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        values = plan(features, parameters, backend=backend)
    assert values.dtype == dtype
    assert_near(values, wanted, 0)
    (slope,) = torch.autograd.grad(values.sum(), parameters)
    assert_near(slope, torch.autograd.grad(wanted.sum(), parameters)[0], 0)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "strange",
    [
        lambda t: t.t().contiguous().t(),
        lambda t: torch.stack([t, t], -1)[..., 0],
        lambda t: torch.complex(torch.zeros_like(t), -t).conj().imag,
        lambda t: torch.complex(t, t).conj().real,
        lambda t: t.flip(0).flip(0)[:],
        lambda t: torch.nn.Parameter(t.clone()),
    ],
    ids=["transposed", "strided", "negative", "conjugate", "flipped", "parameter"],
)
def test_tensors_that_lie_strangely_in_memory(backend, strange):
    circuit = RING.copy().rx(x[0] * theta[1], 0)
    plan = circuit.plan()
    features, parameters = inputs(circuit, 4)
    odd = strange(features.detach()), strange(parameters.detach()[None])[0]
    assert_near(odd[0], features.detach(), 0)
    wanted = plan(features, parameters, backend=backend)
    assert_near(plan(*odd, backend=backend), wanted.detach(), 1e-14)
    leaves = [each.detach().requires_grad_() for each in odd]
    slopes = torch.autograd.grad(plan(*leaves, backend=backend).sum(), leaves)
    for slope, want in zip(slopes, torch.autograd.grad(wanted.sum(), (features, parameters)), strict=True):
        assert_near(slope, want, 1e-13)


@pytest.mark.parametrize("backend", BACKENDS)
def test_one_sample_many_times(backend):
    plan = RING.copy().plan()
    features, parameters = torch.randn(1, 2, dtype=F64), torch.randn(4, dtype=F64)
    expanded = plan(features.expand(9, 2), parameters, backend=backend)
    assert_near(expanded, plan(features, parameters, backend=backend).expand(9, 3), 1e-14)


@pytest.mark.parametrize("backend", BACKENDS)
def test_input_is_left_as_it_was(backend):
    features, parameters = inputs(RING, 4)
    before = features.detach().clone(), parameters.detach().clone()
    RING.copy().plan([Z(0), State()])(features, parameters, backend=backend)[0].sum().backward()
    assert features.detach().equal(before[0])
    assert parameters.detach().equal(before[1])


@pytest.mark.parametrize("backend", BACKENDS)
def test_inference_mode(backend):
    plan = RING.copy().plan()
    features, parameters = inputs(RING, 4)
    wanted = plan(features, parameters, backend=backend).detach()
    with torch.inference_mode():
        values = plan(features, parameters, backend=backend)
        inside = features.clone()
    assert values.is_inference()
    assert_near(values.clone(), wanted, 0)
    assert_near(plan(inside, parameters.detach(), backend=backend), wanted, 0)


# -- prepared and selected ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@given(st.integers(1, 8), st.floats(-300, 300), st.sampled_from([F64, torch.float32]))
def test_amplitudes_are_normalised_whatever_their_size(backend, n_features, exponent, dtype):
    scale = 10.0 ** (exponent if dtype == F64 else exponent / 10)
    circuit = Circuit(3).prepare_amplitudes(x[:n_features])
    features = torch.linspace(-1, 2, n_features, dtype=dtype) * scale
    state = circuit.plan(State())(features, torch.zeros(0, dtype=dtype), backend=backend)
    wanted = torch.linspace(-1, 2, n_features, dtype=F64)
    padded = torch.nn.functional.pad(wanted / wanted.norm(), (0, 8 - n_features))
    assert_near(state.real.double(), padded, 1e-12 if dtype == F64 else 1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_two_preparations_in_odd_places(backend):
    circuit = Circuit(4).prepare_amplitudes([x[0], x[1]], [3]).prepare_amplitudes([theta[0], 0.5, x[2]], [2, 0])
    features, parameters = torch.randn(3, 3, dtype=F64), torch.tensor([0.8], dtype=F64)
    states = circuit.plan(State())(features, parameters, backend=backend)
    first = features[:, :2] / features[:, :2].norm(dim=-1, keepdim=True)
    constant = torch.tensor([0.8, 0.5, 0.0], dtype=F64).expand(3, 3)
    second = torch.stack([constant[:, 0], constant[:, 1], features[:, 2], constant[:, 2]], -1)
    second = (second / second.norm(dim=-1, keepdim=True)).reshape(3, 2, 2)
    wanted = torch.einsum("bd,bca->bacd", first, second)[:, :, None].reshape(3, 2, 1, 2, 2)
    padded = torch.nn.functional.pad(wanted, (0, 0, 0, 0, 0, 1)).reshape(3, 16)
    assert_near(states, padded.to(states), 1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_was_selected_is_what_everything_is_relative_to(backend):
    """``cos^2`` of a qubit's two outcomes, after the other one was found in 1."""
    circuit = Circuit(2).ry(x[0], 0).cry(x[1], 0, 1).post_select(0, 1)
    features = torch.randn(5, 2, dtype=F64)
    values = circuit.plan([Z(1), Z(0), pauli("II")])(features, NOTHING, backend=backend)
    wanted = torch.stack([features[:, 1].cos(), -torch.ones(5).double(), torch.ones(5).double()], -1)
    assert_near(values, wanted, 1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_selection_in_one_part_leaves_the_others_alone(backend):
    circuit = Circuit(2).ry(x[0], 0).post_select(0, 0).ry(x[1], 1)
    plan = circuit.plan([Z(0), Z(1), Z(0) @ Z(1)])
    features = torch.randn(5, 2, dtype=F64)
    c = features[:, 1].cos()
    assert_near(plan(features, NOTHING, backend=backend), torch.stack([torch.ones_like(c), c, c], -1), 1e-12)


# -- copies ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("used", [False, True])
@pytest.mark.parametrize("observables", [Z(0), [Z(0), X(1)], State(), [Probabilities((1,)), Z(2)]], ids=str)
def test_plans_survive_pickling_and_copying(backend, used, observables):
    plan = RING.copy().unitary(haar(2, 0), [0, 2]).plan(observables)
    features, parameters = torch.randn(3, 2, dtype=F64), torch.randn(4, dtype=F64)
    if used:
        plan(features, parameters, backend=backend)
    for other in (pickle.loads(pickle.dumps(plan)), copy.deepcopy(plan), copy.copy(plan)):
        result, wanted = (each(features, parameters, backend=backend) for each in (other, plan))
        for one, want in zip(result, wanted, strict=True):
            assert_near(one, want, 0)


# -- what it says ------------------------------------------------------------------------------------------------------


def test_explain_says_what_was_done():
    circuit = Circuit(4).ry(x[0], 0).cnot(0, 1).crx(theta[0], 1, 0).rzz(theta[1], 0, 1).rx(theta[2], 0).h(2).x(3)
    text = circuit.plan([Z(0), Z(2)]).explain(256)
    assert "4 qubits, 7 gates, 3 parameters, 1 feature; 2 observables by expectations." in text
    assert "2 parts that never meet" in text
    assert "1 permutation (X, CNOT, SWAP) absorbed" in text
    assert "A batch of 256:" in text
    assert text.splitlines()[-1].startswith("Backend on this device: ")


@pytest.mark.parametrize(
    "circuit",
    [
        Circuit(1).ry(theta[0] + x[0], 0),
        Circuit(1).x(0).rx(0.3, 0).rz(x[0], 0).rx(theta[0], 0),
        Circuit(2).h(0).cnot(0, 1).rzz(theta[0], 0, 1).crx(x[0], 1, 0),
        Circuit(1).channel(damping(0, 0.1)),
    ],
    ids=["a turn", "a line", "a diagonal", "a channel"],
)
def test_explain_speaks_of_one_in_the_singular(circuit):
    text = circuit.plan(X(0)).explain()
    assert re.search(r"\b1 [a-z]+\b", text)
    assert not re.search(r"\b1 [a-z]+s\b", text)


@pytest.mark.parametrize(
    ("circuit", "observable", "words"),
    [
        (Circuit(2).h(0).post_select(0, 1), Z(0), "a projection"),
        (Circuit(2).unitary(haar(2, 0), [0, 1]), Z(1), "a matrix on 2 qubits"),
        (Circuit(2).h(0).channel(damping(0, 0.1)), Z(0), "a density matrix: rows and columns"),
        (Circuit(2).h(0).channel(damping(0, 0.1)), Z(0), "a matrix that is not unitary on 2 qubits"),
        (Circuit(2).h(0).crx(x[0], 0, 1), Z(1), "1 of them controlled, 1 of them different for each sample"),
        (Circuit(2).h(0).cz(0, 1).rx(theta[0], 1), Z(1), "the same for all samples"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_explain_names_every_kind_of_step(circuit, observable, words):
    assert words in circuit.plan(observable).explain()


def test_costs_grow_with_the_state_and_the_depth():
    def cost(n: int, n_layers: int) -> tuple[int, int]:
        circuit = Circuit(n)
        for layer in range(n_layers):
            for wire in range(n):
                circuit.rx(theta[layer], wire).rzz(theta[layer], wire, (wire + 1) % n)
        (component,) = circuit.plan().components
        return flops(component.program, len(component.words))

    for way in (0, 1):
        assert 1.9 < cost(8, 20)[way] / cost(8, 10)[way] < 2.1
        assert 2 <= cost(9, 20)[way] / cost(8, 20)[way] < 2.5
    assert 2 < cost(8, 20)[1] / cost(8, 20)[0] < 3


@needs_core
def test_the_backend_is_the_core_on_a_cpu(monkeypatch):
    plan = RING.copy().plan()
    assert plan.backend(torch.zeros(1)) == "core"
    assert plan.backend(torch.zeros(1, device="meta")) == "torch"
    monkeypatch.setenv("REPLANK_NO_CORE", "1")
    assert plan.backend(torch.zeros(1)) == "torch"


def test_memory_is_what_states_take():
    plan = RING.copy().plan(State())
    threads = torch.get_num_threads()
    one = 2 * 8 * 2**3  # a state of three qubits in float64
    assert plan.memory_bytes(100, 8, with_gradients=False) == one * (2 * threads + 200)
    assert plan.memory_bytes(100, 8, with_gradients=True) == one * (2 * threads + 300)
    selected = RING.copy().post_select(0, 0).plan(State())
    assert selected.memory_bytes(100, 4, with_gradients=True) == one / 2 * (2 * threads + 400)
