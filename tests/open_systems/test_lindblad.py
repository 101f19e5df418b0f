"""Generators in terms of probabilities, against whole density matrices and closed forms."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from replank.open_systems import (
    POVM,
    ExactLindblad,
    Lattice,
    Local,
    LocalGenerator,
    all_strings,
    apply_generator,
    chain,
    dissipative_tfim,
    dissipative_xyz,
    lindblad_generator,
    superoperator,
    vector_evolution,
    vector_steady_state,
    vector_steps,
)
from replank.open_systems.exact import embedded
from replank.open_systems.pauli import DTYPE, LOWER, X, Y, Z
from replank.seeding import torch_stream
from tests.open_systems.open_cases import random_state

KINDS = ("tetra", "4pauli")
MODELS = {
    "tfim-3": dissipative_tfim(3, 1.3, coupling=2.0, decay=0.7),
    "xyz-3": dissipative_xyz(chain(3), (0.9, 1.6, 1.0), field=0.4),
    "tfim-2": dissipative_tfim(2, 0.5),
    "xyz-2x2": dissipative_xyz(Lattice(2, 2)),
}


def generator(model, povm) -> LocalGenerator:
    return LocalGenerator(lindblad_generator(model.h_terms, model.jump_ops, povm), model.lattice.n_sites)


def by_the_definition(model, povm) -> torch.Tensor:
    """``Tr(M_a Lind[N_b])``, with whole matrices."""
    n = model.lattice.n_sites
    whole = [torch.from_numpy(embedded(term, n).toarray()).to(DTYPE) for term in (*model.h_terms, *model.jump_ops)]
    h, jumps = sum(whole[: len(model.h_terms)]), whole[len(model.h_terms) :]
    elements, duals = ([_product(each) for each in itertools.product(f, repeat=n)] for f in (povm.M, povm.dual))
    columns = []
    for dual in duals:
        moved = -1j * (h @ dual - dual @ h)
        for s in jumps:
            moved = moved + s @ dual @ s.mH - (s.mH @ s @ dual + dual @ s.mH @ s) / 2
        columns.append(torch.stack([(m.mT * moved).sum().real for m in elements]))
    return torch.stack(columns, 1)


def _product(matrices) -> torch.Tensor:
    total = torch.ones(1, 1, dtype=DTYPE)
    for each in matrices:
        total = torch.kron(total, each)
    return total


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["tfim-3", "xyz-3", "tfim-2"])
def test_local_terms_add_up_to_the_generator(kind, name):
    povm = POVM(kind)
    matrix = torch.from_numpy(generator(MODELS[name], povm).matrix().toarray())
    torch.testing.assert_close(matrix, by_the_definition(MODELS[name], povm), rtol=0, atol=1e-10)
    assert matrix.sum(0).abs().max() < 1e-10


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MODELS)
def test_steady_states_of_both_ways_agree(kind, name):
    model, povm = MODELS[name], POVM(kind)
    rho = ExactLindblad(model.h_terms, model.jump_ops, model.lattice.n_sites).steady_state()
    p = vector_steady_state(generator(model, povm).matrix())
    np.testing.assert_allclose(povm.povm_probabilities(rho).numpy(), p, atol=1e-9)
    assert torch.linalg.eigvalsh(rho).min() > -1e-10


@pytest.mark.parametrize("kind", KINDS)
def test_evolutions_of_both_ways_agree(kind):
    model, povm, times = MODELS["xyz-3"], POVM(kind), np.linspace(0, 1, 5)
    rho = random_state(3, 1)
    exact = ExactLindblad(model.h_terms, model.jump_ops, 3).evolve(rho, times)
    p = vector_evolution(generator(model, povm).matrix(), povm.povm_probabilities(rho).numpy(), times)
    for state, each in zip(exact, p, strict=True):
        np.testing.assert_allclose(povm.povm_probabilities(state).numpy(), each, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("g", "gamma"), [(0.3, 1.0), (2.0, 0.5), (5.0, 2.0)])
def test_one_driven_decaying_qubit(kind, g, gamma):
    povm = POVM(kind)
    terms = lindblad_generator([Local((0,), g / 2 * X)], [Local((0,), gamma**0.5 * LOWER)], povm)
    p = torch.from_numpy(vector_steady_state(LocalGenerator(terms, 1).matrix()))
    x, y, z = (float(p @ povm.observable_coefficients(axis)) for axis in (X, Y, Z))
    below = 1 + 2 * g**2 / gamma**2
    assert (x, y, z) == pytest.approx((0, 2 * g / gamma / below, -1 / below), abs=1e-8)


def test_decay_ends_at_minus_one():
    povm = POVM()
    terms = lindblad_generator([], [Local((0,), LOWER)], povm)
    p = torch.from_numpy(vector_steady_state(LocalGenerator(terms, 1).matrix()))
    assert float(p @ povm.observable_coefficients(Z)) == pytest.approx(-1)


def orders(scheme: str) -> float:
    """How much smaller the error becomes when tau is halved."""
    model, povm = MODELS["tfim-3"], POVM()
    matrix = generator(model, povm).matrix()
    start = torch.zeros(8, 8, dtype=DTYPE)
    start[0, 0] = 1
    p = povm.povm_probabilities(start).numpy()
    exact = vector_evolution(matrix, p, np.array([1.0]))[0]
    errors = [np.abs(vector_steps(matrix, p, 0.5 / n, n, scheme)[-1] - exact).sum() for n in (100, 200)]
    return errors[0] / errors[1]


def test_the_trapezoid_is_of_second_order_and_euler_of_first():
    assert orders("trapezoid") == pytest.approx(4, abs=0.3)
    assert orders("euler") == pytest.approx(2, abs=0.2)


def test_the_trapezoid_solves_its_equation_and_keeps_the_norm():
    matrix, tau = generator(MODELS["tfim-3"], POVM()).matrix(), 0.05
    p = np.full(64, 1 / 64)
    before, after = vector_steps(matrix, p, tau, 1)
    np.testing.assert_allclose(after - tau * (matrix @ after), before + tau * (matrix @ before), atol=1e-13)
    assert after.sum() == pytest.approx(1, abs=1e-13)


class Table:
    """A density that is a vector."""

    normalised = True

    def __init__(self, p, n_sites):
        self.p, self.n_sites, self.n_outcomes = p, n_sites, 4

    def log_weight(self, a):
        return self.p.log()[(a * 4 ** torch.arange(self.n_sites - 1, -1, -1)).sum(1)]


@pytest.mark.parametrize("name", ["tfim-3", "xyz-2x2"])
def test_applying_it_string_by_string_is_the_matrix_product(name):
    model = MODELS[name]
    local, n = generator(model, POVM()), model.lattice.n_sites
    p = torch.rand(4**n, dtype=torch.float64, generator=torch_stream(0, "p"))
    expected = torch.from_numpy(local.matrix() @ p.numpy())
    every = all_strings(n)
    some = torch.tensor([3, 17, 5])  # few: strings are looked up once each
    for chosen in (torch.arange(4**n), some):
        found = apply_generator(Table(p, n), every[chosen], local) * p[chosen]
        torch.testing.assert_close(found, expected[chosen], rtol=1e-12, atol=1e-12)


def test_every_connected_string_is_evaluated_once():
    local = generator(dissipative_tfim(6, 1.0), POVM())
    a = all_strings(6)[[0, 100]]
    _, strings, own, _ = local.connected(a)
    assert len(strings) == len(torch.unique(strings, dim=0)) <= 2 * (1 + 6 * 3 + 6 * 9)
    assert torch.equal(strings[own], a)


def test_single_site_terms_hide_in_bonds():
    model = dissipative_tfim(4, 1.0)
    terms = lindblad_generator(model.h_terms, model.jump_ops, POVM())
    assert sorted(sites for sites, _ in terms) == [(0, 1), (0, 3), (1, 2), (2, 3)]


def test_a_side_of_two_counts_bonds_twice():
    """As in the published code: each site begins a bond to the right and one downwards."""
    assert (
        sorted(tuple(sorted(bond)) for bond in Lattice(2, 2).bonds)
        == [(0, 1)] * 2 + [(0, 2)] * 2 + [(1, 3)] * 2 + [(2, 3)] * 2
    )
    doubled = dissipative_xyz(chain(2), (1, 1, 1))
    twice = Local((0, 1), 2 * sum(torch.kron(axis, axis) for axis in (X, Y, Z)))
    terms = lindblad_generator([twice], doubled.jump_ops, POVM())
    expected = LocalGenerator(terms, 2).matrix().toarray()
    np.testing.assert_allclose(generator(doubled, POVM()).matrix().toarray(), expected, atol=1e-12)
    assert len(Lattice(3, 3).bonds) == len({tuple(sorted(bond)) for bond in Lattice(3, 3).bonds}) == 18


def test_strings_walk_over_all_sites():
    for lattice, count in ((chain(4), 8), (chain(2), 2), (Lattice(2, 2), 8), (Lattice(3, 3), 8), (Lattice(2, 3), 8)):
        walks = lattice.strings()
        assert len(walks) == len(set(walks)) == count
        assert all(sorted(walk) == list(range(lattice.n_sites)) for walk in walks)
        neighbours = {frozenset(bond) for bond in lattice.bonds}
        assert all(frozenset(pair) in neighbours for walk in walks for pair in itertools.pairwise(walk))
    assert Lattice(3, 3).strings()[0] == (0, 1, 2, 5, 4, 3, 6, 7, 8)
    assert {walk[0] for walk in Lattice(3, 3).strings(translated=True)} == set(range(9))


def test_relaxing_reaches_what_is_solved_for():
    model = MODELS["tfim-3"]
    exact = ExactLindblad(model.h_terms, model.jump_ops, 3)
    np.testing.assert_allclose(exact._relaxed(), exact._solved(), atol=1e-9)


@pytest.mark.parametrize(
    ("call", "law"),
    [
        (lambda: superoperator(1j * X), "Hermitian"),
        (lambda: lindblad_generator([Local((0,), LOWER)], [], POVM()), "Hermitian"),
        (lambda: ExactLindblad([Local((0,), LOWER)], [], 1), "Hermitian"),
        (lambda: ExactLindblad([], [], 9), "GiB"),
        (lambda: lindblad_generator([Local((1, 1), torch.kron(Z, Z))], [], POVM()), "must differ"),
        (lambda: LocalGenerator([Local((3,), torch.eye(4))], 3), r"0\.\.2"),
        (lambda: embedded(Local((2,), X), 2), r"0\.\.1"),
        (lambda: LocalGenerator([], 32), r"at most 2\^62"),
        (lambda: vector_steps(np.eye(2), np.ones(2), 0.0, 1), "tau=0.0"),
        (lambda: vector_steps(np.eye(2), np.ones(2), float("nan"), 1), "tau=nan"),
        (lambda: Lattice(0, 2), "rows=0"),
        (lambda: dissipative_tfim(2, 1.0, decay=-1), "decay=-1"),
        (lambda: all_strings(0), "n_sites=0"),
    ],
)
def test_bad_input_is_refused(call, law):
    with pytest.raises(ValueError, match=law):
        call()


@pytest.mark.filterwarnings("ignore:Matrix is exactly singular")
def test_several_steady_states_are_refused():
    """Without decay of the second qubit."""
    terms = lindblad_generator([], [Local((0,), LOWER)], POVM())
    with pytest.raises(ValueError, match="one steady state"):
        vector_steady_state(LocalGenerator(terms, 2).matrix())
    with pytest.raises(ValueError, match="one steady state"):
        ExactLindblad([], [Local((0,), LOWER)], 2).steady_state()
