from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.linalg import expm

from replank.circuits import BrickwallSU4, FullSU, ReuploadingClassifier, pauli_basis, probability_readout
from replank.circuits.spectra import Spectra, states_on_spectra

F64 = torch.float64
CHAIN = [(0, 1), (1, 2)]


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def classifier(n: int = 3, n_layers: int = 3, n_classes: int = 8, dtype=F64, **options) -> ReuploadingClassifier:
    return ReuploadingClassifier(n_classes, FullSU(n, n_layers, dtype=dtype), **options)


def images(n: int = 3, batch: int = 4, dtype=F64) -> torch.Tensor:
    """From 0 to 1, the first with a black border: eigenvalues coincide."""
    x = torch.rand(batch, 2**n, 2**n, dtype=dtype, generator=torch.Generator().manual_seed(1))
    x[0, :2] = x[0, -2:] = 0
    x[0, :, :2] = x[0, :, -2:] = 0
    return x


def by_scipy(model: ReuploadingClassifier, image: np.ndarray) -> np.ndarray:
    """The card's definition, dense, one layer after the other, without torch."""
    basis = pauli_basis(model.block.n_qubits).numpy()
    state = np.full(len(image), len(image) ** -0.5, dtype=complex)
    hamiltonian = (image + image.T) / 2
    for angles, t in zip(model.block.theta.detach().numpy(), model.times.detach().numpy(), strict=True):
        state = expm(1j * np.tensordot(angles, basis, axes=1)) @ expm(-0.5j * t * hamiltonian) @ state
    return np.abs(state) ** 2


def test_scores_equal_an_evaluation_by_scipy():
    model, x = classifier(), images()
    expected = np.stack([by_scipy(model, image) for image in x.numpy()])
    np.testing.assert_allclose(model(x).detach().numpy(), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("mode", ["symmetric", "hermitian", "block"])
def test_precomputed_images_give_the_same_bits(mode):
    n = 3 + (mode == "block")
    model, x = classifier(n, dtype=torch.float32, mode=mode), images(dtype=torch.float32, batch=9)
    packed = model.precompute(x)
    assert torch.equal(model(x), model.on_spectra()(packed))
    chosen = torch.tensor([5, 0, 7])  # a batch in another order, cut from what was computed once
    assert torch.equal(model(x[chosen]), model.on_spectra()(packed[chosen]))
    losses = [scores.square().sum() for scores in (model(x), model.on_spectra()(packed))]
    gradients = [torch.autograd.grad(loss, list(model.parameters())) for loss in losses]
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))


def test_the_norm_survives_twenty_layers_in_single_precision():
    model, x = classifier(5, 20, dtype=torch.float32), images(5, dtype=torch.float32)
    states = states_on_spectra(Spectra.unpack(model.precompute(x)), model.block.unitaries(), model.times)
    norms = torch.linalg.vector_norm(states.to(torch.complex128), dim=-1)
    torch.testing.assert_close(norms, torch.ones(4, dtype=F64), rtol=0, atol=1e-6)


def test_all_outcomes_sum_to_one_and_the_first_few_to_less():
    ones = torch.ones(4, dtype=F64)
    torch.testing.assert_close(classifier()(images()).sum(-1), ones)
    some = classifier(n_classes=5)(images()).sum(-1)
    assert (some < 0.999).all()
    torch.testing.assert_close(classifier(n_classes=4, readout=(0, 2))(images()).sum(-1), ones)


@pytest.mark.parametrize("mode", ["symmetric", "hermitian", "block"])
def test_gradients_of_the_image_equal_those_of_exponentials(mode):
    model, x = classifier(3 + (mode == "block"), 2, mode=mode), images(batch=2).requires_grad_()

    def by_series(x: torch.Tensor) -> torch.Tensor:
        h, unitaries = model.hamiltonians(x), model.block.unitaries()
        states = torch.full((len(h), h.shape[-1], 1), h.shape[-1] ** -0.5, dtype=torch.complex128)
        for t, unitary in zip(model.times, unitaries, strict=True):
            states = unitary @ torch.matrix_exp(-0.5j * t * h) @ states
        return states[..., 0].abs().square()[:, :8]

    scores = [model(x), by_series(x)]
    torch.testing.assert_close(*scores, rtol=0, atol=1e-10)
    weight = torch.rand(8, dtype=F64)
    gradients = [torch.autograd.grad((each * weight).sum(), x)[0] for each in scores]
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-9)


def test_a_transposed_image_is_the_same_for_the_symmetric_mode_alone():
    x = images()
    for mode in ("symmetric", "hermitian"):
        model = classifier(mode=mode)
        same = torch.equal(model(x[1:]), model(x[1:].mT))
        assert same == (mode == "symmetric")
        assert same or (model(x[1:]) - model(x[1:].mT)).abs().amax(-1).min() > 1e-3


def test_brighter_diagonals_change_nothing():
    """A multiple of the identity in H is a global phase."""
    model, x = classifier(), images()
    torch.testing.assert_close(model(x + 2.5 * torch.eye(8, dtype=F64)), model(x), rtol=0, atol=1e-10)


def test_basis_states_may_be_renamed():
    model, x = classifier(), images()
    unitaries, order = model.block.unitaries(), torch.randperm(8)
    permuted = unitaries[:, order][:, :, order]
    spectra = Spectra.unpack(model.precompute(x[:, order][:, :, order]))
    outcomes = states_on_spectra(spectra, permuted, model.times).abs().square()
    torch.testing.assert_close(outcomes, model(x)[:, order], rtol=0, atol=1e-10)


@pytest.mark.parametrize("qubits", [(0,), (2,), (2, 0), (0, 1, 2), (1, 2, 0)], ids=str)
def test_readout_is_the_diagonal_of_the_reduced_state(qubits):
    states = torch.nn.functional.normalize(torch.randn(5, 8, dtype=torch.complex128), dim=-1)
    expected = np.zeros((5, 2 ** len(qubits)))
    for index, column in enumerate(states.abs().square().T.numpy()):
        bits = [index >> (2 - qubit) & 1 for qubit in qubits]
        expected[:, int("".join(map(str, bits)), 2)] += column
    for outcomes in (1, 2 ** len(qubits)):
        np.testing.assert_allclose(probability_readout(states, qubits, outcomes).numpy(), expected[:, :outcomes])


def test_published_sizes():
    digits, tied = (
        ReuploadingClassifier(8, BrickwallSU4(3, 15, CHAIN, tied=tied, device="meta")) for tied in (False, True)
    )
    ct = ReuploadingClassifier(2, BrickwallSU4(5, 2), readout=(0,))
    counted = [sum(each.numel() for each in model.parameters()) for model in (digits, tied, ct)]
    assert counted == [465, 465, 122]
    assert [model.n_effective for model in (digits, tied, ct)] == [465, 240, 122]
    for n_layers, count in ((10, 10_240), (20, 20_480)):  # 1,023 angles and a time for each layer
        model = ReuploadingClassifier(8, FullSU(5, n_layers, device="meta"), readout=(0, 1, 2, 3))
        assert sum(each.numel() for each in model.parameters()) == model.n_effective == count


def test_times_that_are_fixed_or_given():
    fixed, given = classifier(times="fixed"), classifier(times=[0.1, 0.2, 0.3])
    torch.testing.assert_close(fixed.times, torch.full((3,), 1 / 3, dtype=F64))
    assert given.times.tolist() == [0.1, 0.2, 0.3]
    assert not fixed.times.requires_grad
    assert not given.times.requires_grad
    assert fixed.n_effective == fixed.block.n_effective
    frozen = ReuploadingClassifier(8, FullSU(3, 3, frozen=True))
    assert frozen.n_effective == 3
    before = frozen.times.clone()
    frozen.reset_parameters()
    assert not torch.equal(before, frozen.times)


def test_one_channel_or_none():
    model, x = classifier(), images()
    assert torch.equal(model(x[:, None]), model(x))


def test_a_black_image_keeps_the_start_between_the_unitaries():
    model = classifier(n_layers=1)
    column = model.block.unitaries()[0].sum(-1) / math.sqrt(8)
    torch.testing.assert_close(model(torch.zeros(1, 8, 8, dtype=F64))[0], column.abs().square())


@pytest.mark.parametrize(
    ("call", "law"),
    [
        (lambda: classifier(n_classes=9), "n_classes=9 and 8 outcomes"),
        (lambda: classifier(n_classes=3, readout=(0,)), r"n_classes=3 and 2 outcomes of qubits \(0,\)"),
        (lambda: classifier(times=[0.1, 0.2]), r"times=\[0\.1, 0\.2\] for n_layers=3"),
        (lambda: classifier(times="free"), "times='free'"),
        (lambda: classifier()(images(4)), r"shape \(B, 8, 8\) for n_qubits=3, got \(4, 16, 16\)"),
        (lambda: classifier()(images().expand(2, 4, 8, 8)), r"got \(2, 4, 8, 8\) .* one channel"),
        (lambda: classifier()(images()[:, :7]), r"square, got shape \(4, 7, 8\)"),
        (lambda: probability_readout(torch.ones(1, 8), (0, 1), 5), "outcomes=5"),
        (lambda: probability_readout(torch.ones(1, 8), (0, 1), 0), "outcomes=0"),
        (lambda: probability_readout(torch.ones(1, 8), (0, 0), 2), r"different ones of 0\.\.2, got \(0, 0\)"),
        (lambda: probability_readout(torch.ones(1, 8), (3,), 2), r"got \(3,\)"),
        (lambda: probability_readout(torch.ones(1, 8), (), 1), r"got \(\)"),
    ],
)
def test_what_does_not_fit_is_refused(call, law):
    with pytest.raises(ValueError, match=law):
        call()
