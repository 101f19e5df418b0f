from __future__ import annotations

from functools import partial
from math import prod

import pytest
import torch

from replank.circuits import Circuit, reference, theta
from replank.circuits.templates import (
    iqp_layers,
    iqp_layers_shape,
    sim9_layers,
    sim9_shape,
    sim14_layers,
    sim14_shape,
)

CIRCUITS = {
    "sim14": (sim14_layers, sim14_shape),
    "sim9": (sim9_layers, sim9_shape),
    "iqp": (iqp_layers, iqp_layers_shape),
}
every = pytest.mark.parametrize(("template", "shape"), CIRCUITS.values(), ids=CIRCUITS)


def randn(n: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def matrix(circuit: Circuit, parameters: torch.Tensor) -> torch.Tensor:
    return reference.unitary(circuit, parameters=parameters)


@every
@pytest.mark.parametrize("n", [2, 3, 4])
def test_weights_are_as_many_as_said_and_the_matrix_is_unitary(template, shape, n):
    circuit = template(n, 2)
    per_layer = {"sim14_layers": 4 * n, "sim9_layers": n, "iqp_layers": n - 1}[template.__name__]
    assert circuit.n_parameters == prod(shape(n, 2)) == 2 * per_layer
    unitary = matrix(circuit, randn(circuit.n_parameters))
    torch.testing.assert_close(unitary @ unitary.mH, torch.eye(2**n).to(unitary), rtol=0, atol=1e-12)


@every
def test_every_weight_moves_it_and_it_begins_where_it_is_told_to(template, shape):
    weights = randn(prod(shape(3, 2))).requires_grad_()
    unitary = matrix(template(3, 2), weights)
    into = torch.complex(*(randn(64, seed=seed).reshape(8, 8) for seed in (1, 2)))
    gradient = torch.autograd.grad((into * unitary).real.sum(), weights)[0]
    assert gradient.abs().min() > 1e-6
    late = matrix(template(3, 2, start=3), torch.cat((randn(3), weights.detach())))
    torch.testing.assert_close(late, unitary.detach())


def written_out(n: int, first: int, second: int, *, flipped: tuple[bool, bool] = (False, False)) -> Circuit:
    """A layer of circuit 14 from the definition, with each ring as it is or with control and target exchanged."""
    circuit, weight = Circuit(n), 0
    for step, flip in zip((first, second), flipped, strict=True):
        for wire in range(n):
            circuit.ry(theta[weight + wire], wire)
        for i in range(n):
            pair = ((n - 1 + i) % n, (n + step + i) % n)
            circuit.crx(theta[weight + n + i], *(reversed(pair) if flip else pair))
        weight += 2 * n
    return circuit


@pytest.mark.parametrize("n", [2, 3, 4])
def test_circuit_14_is_its_definition_and_no_ring_may_be_flipped(n):
    weights = randn(4 * n)
    whole = matrix(sim14_layers(n, 1), weights)
    torch.testing.assert_close(matrix(written_out(n, 0, -2), weights), whole)
    for flipped in ((True, False), (False, True), (True, True)):
        other = matrix(written_out(n, 0, -2, flipped=flipped), weights)
        assert (other - whole).abs().max() > 0.1, flipped


def test_without_angles_circuit_14_is_the_identity_and_the_others_are_not():
    for n in (2, 3):
        assert torch.equal(matrix(sim14_layers(n, 2), torch.zeros(8 * n).double()), torch.eye(2**n).cdouble())
    ground = torch.tensor([1.0, 0, 0, 0]).cdouble()
    for template in (sim9_layers, iqp_layers):
        circuit = template(2, 1)
        assert (matrix(circuit, torch.zeros(circuit.n_parameters).double()) @ ground).abs().min() > 0.1


@pytest.mark.parametrize(
    "call",
    [partial(sim14_layers, 1, 1), partial(iqp_layers, 1, 1), partial(sim9_layers, 0, 1), partial(sim14_layers, 2, 0)],
)
def test_too_few_are_refused(call):
    with pytest.raises(ValueError, match="must be an integer at least"):
        call()
