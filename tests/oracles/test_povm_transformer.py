"""Open systems by QuTiP: generators, steady states, evolutions."""

from __future__ import annotations

import numpy as np
import pytest
import qutip
import torch

from replank.open_systems import (
    POVM,
    ExactLindblad,
    Lattice,
    LocalGenerator,
    chain,
    dissipative_tfim,
    dissipative_xyz,
    lindblad_generator,
    vector_evolution,
    vector_steady_state,
)

V, GAMMA = 2.0, 1.0
COUPLINGS = (0.9, 1.6, 1.0)


def on_site(operator: qutip.Qobj, site: int, n: int) -> qutip.Qobj:
    return qutip.tensor([operator if i == site else qutip.qeye(2) for i in range(n)])


def decays(n: int) -> list[qutip.Qobj]:
    """sigma^- takes the first basis state to the second, as QuTiP's sigmam() does."""
    return [GAMMA**0.5 * on_site(qutip.sigmam(), site, n) for site in range(n)]


def tfim(n: int, g: float) -> qutip.Qobj:
    pairs = (on_site(qutip.sigmaz(), i, n) * on_site(qutip.sigmaz(), (i + 1) % n, n) for i in range(n))
    return V / 4 * sum(pairs) + g / 2 * sum(on_site(qutip.sigmax(), i, n) for i in range(n))


def xyz(rows: int, columns: int) -> qutip.Qobj:
    """Each site begins a bond to its right and one downwards."""
    n, total = rows * columns, 0
    for row in range(rows):
        for column in range(columns):
            here = row * columns + column
            ends = [row * columns + (column + 1) % columns] if columns > 1 else []
            ends += [(row + 1) % rows * columns + column] if rows > 1 else []
            for there in ends:
                for j, axis in zip(COUPLINGS, (qutip.sigmax(), qutip.sigmay(), qutip.sigmaz()), strict=True):
                    total += j * on_site(axis, here, n) * on_site(axis, there, n)
    return total


def generator(model, povm: POVM) -> LocalGenerator:
    return LocalGenerator(lindblad_generator(model.h_terms, model.jump_ops, povm), model.lattice.n_sites)


CASES = {
    "tfim-3": (dissipative_tfim(3, 1.3), lambda: tfim(3, 1.3)),
    "xyz-3": (dissipative_xyz(chain(3), COUPLINGS), lambda: xyz(1, 3)),
}


@pytest.mark.parametrize("kind", ["tetra", "4pauli"])
@pytest.mark.parametrize("name", CASES)
def test_the_generator_is_qutips_liouvillian_seen_through_the_measurement(kind, name):
    (model, hamiltonian), povm = CASES[name], POVM(kind)
    liouvillian = qutip.liouvillian(hamiltonian(), decays(3)).full()
    # QuTiP stacks columns: Tr(M_a L[N_b]) with vec(N_b) column by column
    elements, duals = ([_product(frame, code, 3) for code in range(64)] for frame in (povm.M, povm.dual))
    out_of = np.stack([dual.numpy().ravel(order="F") for dual in duals], 1)
    into = np.stack([element.mT.numpy().ravel(order="F") for element in elements])
    expected = into @ liouvillian @ out_of
    np.testing.assert_allclose(generator(model, povm).matrix().toarray(), expected, atol=1e-10)


def _product(frame: torch.Tensor, code: int, n: int) -> torch.Tensor:
    total = torch.ones(1, 1, dtype=frame.dtype)
    for site in range(n):
        total = torch.kron(total, frame[code // 4 ** (n - 1 - site) % 4])
    return total


@pytest.mark.parametrize("g", [0.5, 1.0, 2.0, 4.0])
def test_steady_states_of_four_spins(g):
    model = dissipative_tfim(4, g)
    expected = qutip.steadystate(tfim(4, g), decays(4)).full()
    rho = ExactLindblad(model.h_terms, model.jump_ops, 4).steady_state()
    np.testing.assert_allclose(rho.numpy(), expected, atol=1e-8)
    p = vector_steady_state(generator(model, POVM()).matrix())
    back = POVM().density_from_probabilities(torch.from_numpy(p))
    np.testing.assert_allclose(back.numpy(), expected, atol=1e-8)


def test_evolution_of_two_by_two_spins():
    """Bonds along a side of two are counted twice in both."""
    model, times = dissipative_xyz(Lattice(2, 2), COUPLINGS), np.linspace(0, 1.5, 7)
    up = qutip.tensor([qutip.basis(2, 0)] * 4)
    options = {"atol": 1e-12, "rtol": 1e-10, "nsteps": 100_000}
    states = qutip.mesolve(xyz(2, 2), qutip.ket2dm(up), times, c_ops=decays(4), options=options).states
    rho = torch.from_numpy(qutip.ket2dm(up).full())
    exact = ExactLindblad(model.h_terms, model.jump_ops, 4).evolve(rho, times)
    p = vector_evolution(generator(model, POVM()).matrix(), POVM().povm_probabilities(rho).numpy(), times)
    for ours, through, theirs in zip(exact, p, states, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.full(), atol=1e-7)
        np.testing.assert_allclose(
            POVM().density_from_probabilities(torch.from_numpy(through)).numpy(), theirs.full(), atol=1e-7
        )
