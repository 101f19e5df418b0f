from __future__ import annotations

import pytest
import torch

from replank.circuits import embed_hamiltonian, reuploading_states, su_unitary
from replank.circuits.evolution import series_states

F64, C128 = torch.float64, torch.complex128


def randn(*shape: int, dtype: torch.dtype = F64, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def features(n_qubits: int, n_features: int) -> torch.Tensor:
    """A generic sample, one that is zero, and one whose Hamiltonian is a (cut) identity."""
    identity = torch.eye(2**n_qubits, dtype=F64).flatten()[:n_features]
    return torch.stack((randn(n_features), torch.zeros(n_features, dtype=F64), identity))


TIMES = {"shared": torch.tensor([0.25]), "own": torch.tensor([0.3, -0.2, 1.0])}


@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
@pytest.mark.parametrize(("n", "k"), [(1, 4), (2, 13), (3, 64)], ids=["n1-full", "n2-padded", "n3-full"])
def test_states_and_gradients_equal_those_of_the_series(n, k, times):
    sources = [x.requires_grad_() for x in (features(n, k), su_unitary(randn(3, 4**n - 1)), times.to(F64, copy=True))]
    fast, slow = reuploading_states(*sources), series_states(*sources)
    torch.testing.assert_close(fast, slow, rtol=0, atol=1e-10)
    weight = randn(*fast.shape, dtype=C128)
    gradients = [torch.autograd.grad((weight * states).real.sum(), sources) for states in (fast, slow)]
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-10)


@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
def test_first_and_second_derivative_for_any_matrices(times):
    matrices = randn(3, 2, 2, dtype=C128)  # not unitary
    sources = [x.requires_grad_() for x in (features(1, 3), matrices, times.to(F64, copy=True))]
    assert torch.autograd.gradcheck(reuploading_states, sources)
    assert torch.autograd.gradgradcheck(reuploading_states, sources)


def test_a_batch_of_many_chunks_is_as_its_samples_alone(monkeypatch):
    monkeypatch.setattr("replank.circuits.evolution._CHUNK_BYTES", 3 * 16 * 8)  # three samples
    sources = [x.requires_grad_() for x in (randn(7, 15), su_unitary(randn(2, 15)), torch.tensor([0.5], dtype=F64))]
    states = reuploading_states(*sources)
    alone = torch.cat([reuploading_states(sample[None], *sources[1:]) for sample in sources[0]])
    torch.testing.assert_close(states, alone)
    gradients = [torch.autograd.grad(each.real.pow(3).sum(), sources) for each in (states, alone)]
    torch.testing.assert_close(*gradients)


@pytest.fixture
def restored_threads():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def test_the_number_of_threads_changes_nothing(monkeypatch, restored_threads):
    monkeypatch.setattr("replank.circuits.evolution._CHUNK_BYTES", 2 * 64 * 4)  # two samples
    x, unitaries, times = randn(9, 64).float(), su_unitary(randn(3, 63)).to(torch.complex64), torch.tensor([0.3])
    results = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        sources = [each.clone().requires_grad_() for each in (x, unitaries, times)]
        states = reuploading_states(*sources)
        results.append([states, *torch.autograd.grad(states.real.pow(3).sum(), sources)])
        assert torch.get_num_threads() == threads
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_an_error_in_a_chunk_is_raised_and_leaves_the_threads_as_they_were(monkeypatch, restored_threads):
    monkeypatch.setattr("replank.circuits.evolution._CHUNK_BYTES", 1)
    torch.set_num_threads(2)
    x = randn(4, 4)
    x[3, 0] = torch.nan
    with pytest.raises(ValueError, match="must be finite"):
        reuploading_states(x, su_unitary(randn(1, 3)), torch.ones(1, dtype=F64))
    assert torch.get_num_threads() == 2


def test_inference_mode_with_many_chunks(monkeypatch, restored_threads):
    monkeypatch.setattr("replank.circuits.evolution._CHUNK_BYTES", 1)
    torch.set_num_threads(2)
    arguments = (randn(4, 4), su_unitary(randn(1, 3)), torch.ones(1, dtype=F64))
    with torch.inference_mode():
        states = reuploading_states(*arguments)
    torch.testing.assert_close(states.clone(), reuploading_states(*arguments))


def test_embedding_pads_reads_rows_and_symmetrises():
    embedded = embed_hamiltonian(torch.tensor([1.0, 2.0, 4.0]), 2)
    assert embedded.tolist() == [[1, 3], [3, 0]]


def test_no_samples():
    assert reuploading_states(torch.zeros(0, 4), su_unitary(torch.zeros(2, 3)), torch.ones(1)).shape == (0, 2)


@pytest.mark.parametrize(
    ("x", "unitaries", "times"),
    [
        (torch.zeros(2, 5), torch.zeros(3, 2, 2), torch.ones(1)),
        (torch.zeros(4), torch.zeros(3, 2, 2), torch.ones(1)),
        (torch.zeros(2, 4), torch.zeros(3, 2, 4), torch.ones(1)),
        (torch.zeros(2, 4), torch.zeros(3, 2, 2), torch.ones(2)),
    ],
    ids=["too-many-features", "no-batch", "not-square", "times"],
)
def test_shapes_that_do_not_fit_are_refused(x, unitaries, times):
    with pytest.raises(ValueError, match="reuploading_states: shapes must be"):
        reuploading_states(x, unitaries.to(torch.complex64), times)
