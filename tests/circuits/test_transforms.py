"""Plans under torch's transforms: vmap, grad and jacrev in any nesting, and torch.compile."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.func import grad, jacrev, vjp, vmap

from replank.circuits import Circuit, DensityMatrix, Probabilities, Projector, State, X, Y, Z, theta, x
from tests.circuits.strategies import BACKENDS, F64, assert_near, damping, gradients, haar, needs_core

CIRCUIT = (
    Circuit(3)
    .ry(x[0], 0).rot(*theta[:3], 1).h(2).cnot(0, 1).crx(theta[0] * x[1], 1, 2).rzz(theta[3] + x[0], 0, 2)
    .unitary(haar(2, 4), [2, 0]).rx(theta[1], 1).post_select(0, 1).ry(theta[2], 0)
)  # fmt: skip
ROW = Circuit(3).prepare_amplitudes([x[0], x[1], 0.5], [0, 2]).extend(CIRCUIT)
PREPARED = Circuit(3).prepare_amplitudes([x[0], 1.0, theta[1]], [2, 1]).extend(CIRCUIT)
OBSERVABLES = [Z(0), X(1) @ Y(2) + 0.3]

generator = torch.Generator().manual_seed(0)
FEATURES = torch.randn(4, 5, 2, dtype=F64, generator=generator)
PARAMETERS = torch.randn(4, 4, dtype=F64, generator=generator)
ONE, OF_ONE = FEATURES[0], PARAMETERS[0]

pytestmark = pytest.mark.parametrize("backend", BACKENDS)


class Function:
    """A plan on one backend, as a function of features and parameters."""

    def __init__(self, circuit: Circuit, backend: str, observables: object = OBSERVABLES):
        self.plan, self.backend = circuit.copy().plan(observables), backend

    def __call__(self, features: Tensor, parameters: Tensor) -> Tensor:
        return self.plan(features, parameters, backend=self.backend)


@pytest.fixture(params=[CIRCUIT, PREPARED], ids=["plain", "prepared"])
def run(request: pytest.FixtureRequest, backend: str) -> Function:
    return Function(request.param, backend)


# -- vmap --------------------------------------------------------------------------------------------------------------


def test_vmap_over_parameters(run):
    wanted = torch.stack([run(ONE, row) for row in PARAMETERS])
    assert_near(vmap(run, (None, 0))(ONE, PARAMETERS), wanted, 1e-13)
    assert_near(vmap(run, (None, 1), out_dims=1)(ONE, PARAMETERS.T), wanted.movedim(0, 1), 1e-13)


def test_vmap_over_features(run):
    wanted = torch.stack([run(rows, OF_ONE) for rows in FEATURES])
    assert_near(vmap(run, (0, None))(FEATURES, OF_ONE), wanted, 1e-13)
    assert_near(vmap(run, (1, None))(FEATURES.movedim(0, 1), OF_ONE), wanted, 1e-13)


def test_vmap_over_single_samples(run):
    assert_near(vmap(run, (0, None))(ONE, OF_ONE), run(ONE, OF_ONE), 1e-13)


def test_vmap_over_both(run):
    wanted = torch.stack([run(rows, row) for rows, row in zip(FEATURES, PARAMETERS, strict=True)])
    assert_near(vmap(run)(FEATURES, PARAMETERS), wanted, 1e-13)


def test_nested_vmap(run):
    wanted = torch.stack([torch.stack([run(rows, row) for row in PARAMETERS]) for rows in FEATURES])
    assert_near(vmap(vmap(run, (None, 0)), (0, None))(FEATURES, PARAMETERS), wanted, 1e-13)
    assert_near(vmap(vmap(run, (0, None)), (None, 0))(FEATURES, PARAMETERS), wanted.movedim(1, 0), 1e-13)


def test_vmap_of_nothing_but_a_batch_of_none(run):
    assert vmap(run, (None, 0))(ONE[:0], PARAMETERS).shape == (4, 0, 2)


@pytest.mark.parametrize("output", [State(), Probabilities((2, 0)), DensityMatrix((1,))], ids=str)
def test_vmap_of_other_outputs(backend, output):
    run = Function(CIRCUIT, backend, output)
    wanted = torch.stack([run(rows, row) for rows, row in zip(FEATURES, PARAMETERS, strict=True)])
    assert_near(vmap(run)(FEATURES, PARAMETERS), wanted, 1e-13)


# -- derivatives -------------------------------------------------------------------------------------------------------


def jacobians(run: Function, features: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
    """By automatic differentiation of one number after the other."""
    inputs = features.clone().requires_grad_(), parameters.clone().requires_grad_()
    values = run(*inputs)
    rows = [torch.autograd.grad(value, inputs, retain_graph=True) for value in values.flatten()]
    of_features, of_parameters = (torch.stack(column) for column in zip(*rows, strict=True))
    return of_features.reshape(*values.shape, *features.shape), of_parameters.reshape(*values.shape, *parameters.shape)


def test_grad(run):
    wanted = jacobians(run, ONE, OF_ONE)
    of_features = grad(lambda features: run(features, OF_ONE).sum())(ONE)
    assert_near(of_features, wanted[0].sum((0, 1)), 1e-12)
    of_parameters = grad(lambda parameters: run(ONE, parameters).sum())(OF_ONE)
    assert_near(of_parameters, wanted[1].sum((0, 1)), 1e-12)


def test_jacrev(run):
    wanted = jacobians(run, ONE, OF_ONE)
    assert_near(jacrev(run, 0)(ONE, OF_ONE), wanted[0], 1e-12)
    assert_near(jacrev(run, 1)(ONE, OF_ONE), wanted[1], 1e-12)


def test_gradients_of_each_sample(run):
    wanted = jacobians(run, ONE, OF_ONE)[1].sum(1)
    per_sample = vmap(grad(lambda features, parameters: run(features, parameters).sum(), argnums=1), (0, None))
    assert_near(per_sample(ONE, OF_ONE), wanted, 1e-12)


def test_the_jacobian_of_each_set_of_parameters(run):
    wanted = torch.stack([jacobians(run, ONE, row)[1] for row in PARAMETERS])
    assert_near(vmap(jacrev(run, 1), (None, 0))(ONE, PARAMETERS), wanted, 1e-12)


def test_vjp(run):
    weights = torch.randn(5, 2, dtype=F64)
    _, pull = vjp(run, ONE, OF_ONE)
    wanted = [torch.einsum("bk,bk...->...", weights, jacobian) for jacobian in jacobians(run, ONE, OF_ONE)]
    for slope, want in zip(pull(weights), wanted, strict=True):
        assert_near(slope, want, 1e-12)


def test_gradients_through_vmap(run):
    features, parameters = FEATURES.clone().requires_grad_(), PARAMETERS.clone().requires_grad_()
    mapped = gradients(vmap(run)(features, parameters), features, parameters)
    plain = torch.stack([run(rows, row) for rows, row in zip(features, parameters, strict=True)])
    for slope, want in zip(mapped, gradients(plain, features, parameters), strict=True):
        assert_near(slope, want, 1e-12)


def test_hessians(run):
    """Of torch.autograd, of two nested jacrev, and of both again for each sample."""

    def total(parameters: Tensor) -> Tensor:
        return run(ONE[:2], parameters).sum()

    wanted = torch.autograd.functional.hessian(total, OF_ONE)
    assert_near(wanted, wanted.T, 1e-12)
    assert_near(jacrev(jacrev(total))(OF_ONE), wanted, 1e-12)
    each = vmap(lambda features: jacrev(jacrev(lambda row: run(features, row).sum()))(OF_ONE))(ONE[:2])
    assert_near(each.sum(0), wanted, 1e-12)


def test_mixed_second_derivatives(run):
    mixed = jacrev(grad(lambda features, parameters: run(features, parameters).sum()), 1)(ONE[0], OF_ONE)
    other = jacrev(grad(lambda features, parameters: run(features, parameters).sum(), 1), 0)(ONE[0], OF_ONE)
    assert_near(mixed, other.T, 1e-12)


# -- torch.compile -----------------------------------------------------------------------------------------------------

NOISY = Circuit(2).ry(x[0], 0).cnot(0, 1).channel(damping(1, 0.3)).crx(theta[0], 1, 0).rx(theta[3] * x[1], 1)


@needs_core
@pytest.mark.parametrize(
    ("circuit", "output"),
    [
        (CIRCUIT, OBSERVABLES),
        (CIRCUIT, State()),
        (CIRCUIT, [Z(0), Projector((1,), (2,))]),
        (NOISY, DensityMatrix((1,))),
        (PREPARED, OBSERVABLES),
        (ROW, State()),
        (Circuit(2).prepare_amplitudes([x[0], x[1]], [1]).extend(NOISY), [Z(0)]),
    ],
    ids=["sums", "state", "projector", "density", "amplitudes", "amplitudes of a row", "amplitudes of a density"],
)
def test_torch_compile_in_one_graph(backend, circuit, output):
    """A plan that has never run goes into the graph, whichever backend it takes elsewhere."""
    if backend == "core":
        pytest.skip("inside torch.compile every plan runs on torch")
    torch.compiler.reset()
    plan = circuit.copy().plan(output)
    compiled = torch.compile(lambda f, p: plan(f, p) * 2, backend="aot_eager", fullgraph=True)
    features, parameters = ONE.clone().requires_grad_(), OF_ONE.clone().requires_grad_()
    value, wanted = compiled(features, parameters), plan(features, parameters) * 2
    assert_near(value, wanted, 1e-12)
    slopes = zip(gradients(value, features, parameters), gradients(wanted, features, parameters), strict=True)
    for slope, want in slopes:
        assert_near(slope, want, 1e-12)
