"""What tensor networks of words must do besides the contract: physics, limits, sizes, cost."""

from __future__ import annotations

import math
import time
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from replank.circuits import reference
from replank.circuits.channels import apply_channel, choi_matrix, partial_trace, trace_distance
from replank.errors import UnknownName
from replank.parts.sequence_encoder import ConvTensorNetwork, PathTensorNetwork

NETWORKS = (PathTensorNetwork, ConvTensorNetwork)
REDUCTIONS = ("discard", "postselect")
every_network = pytest.mark.parametrize("kind", NETWORKS)
both_reductions = pytest.mark.parametrize("reduction", REDUCTIONS)
close = torch.testing.assert_close


def built(kind, n_tokens=4, *, seed=0, **options):
    torch.manual_seed(seed)
    return kind(n_tokens, **{"init_scale": 2 * math.pi, "dtype": torch.float64, **options})


def tokens(n_tokens: int, n: int, length: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(n_tokens, (n, length), generator=torch.Generator().manual_seed(seed))


# -- equal to a state vector of all qubits -----------------------------------------------------------------------------


@both_reductions
@pytest.mark.parametrize("sharing", ["uniform", "hierarchical"])
@pytest.mark.parametrize(("kind", "length"), [(PathTensorNetwork, 5), (ConvTensorNetwork, 4), (ConvTensorNetwork, 8)])
def test_it_equals_the_state_vector_of_all_words(kind, length, sharing, reduction):
    part = built(kind, sharing=sharing, reduction=reduction, max_len=8)
    input = tokens(4, 2, length)
    close(part(input), part.reference(input), rtol=1e-10, atol=1e-10)


@torch.no_grad()
@both_reductions
def test_trees_whose_bonds_grow_are_exact(reduction):
    part = built(ConvTensorNetwork, sharing="hierarchical", reduction=reduction, max_len=16)
    input = tokens(4, 1, 16)
    close(part(input), part.reference(input), rtol=1e-10, atol=1e-10)


def test_masked_words_are_left_out_of_the_circuit():
    part = built(PathTensorNetwork, sharing="hierarchical", max_len=4)
    mask = torch.tensor([[True, False, True, True], [False, True, True, False]])
    input = tokens(4, 2, 4)
    close(part(input, mask), part.slow_encode(input, mask), rtol=1e-10, atol=1e-10)


# -- channels ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_qubits", [1, 2])
def test_every_step_of_a_path_is_completely_positive_and_keeps_the_trace(n_qubits):
    kraus = built(PathTensorNetwork, sharing="hierarchical", max_len=4, n_qubits=n_qubits).step_kraus()
    d = 2**n_qubits
    choi = choi_matrix(kraus)
    assert torch.linalg.eigvalsh(choi).min() > -1e-12
    close(partial_trace(choi, (0,), (d * d, d)), torch.eye(d * d).to(choi).expand(3, -1, -1), rtol=0, atol=1e-12)


@every_network
@pytest.mark.parametrize("n_qubits", [1, 2])
def test_discarding_needs_no_division(kind, n_qubits):
    part = built(kind, sharing="hierarchical", max_len=8, n_qubits=n_qubits)
    p = part.probabilities(tokens(4, 6, 8))
    close(p.sum(1), torch.ones(6).double(), rtol=0, atol=1e-12)
    assert p.min() > -1e-12
    assert not part.log_acceptance(tokens(4, 6, 8)).any()


@given(st.integers(0, 2**31))
@settings(max_examples=10, deadline=None)
def test_two_states_only_come_nearer(seed):
    """What a step has made alike, no later step can tell apart: the same words behind two different beginnings."""
    part = built(PathTensorNetwork, sharing="hierarchical", max_len=7, seed=seed)
    input = tokens(4, 5, 7, seed)
    other = input.clone()
    other[:, 0] = (input[:, 0] + 1) % 4
    distances = torch.stack(
        [trace_distance(part.densities(input[:, :n]), part.densities(other[:, :n])) for n in range(1, 8)]
    )
    assert (distances.diff(dim=0) < 1e-12).all()


def test_densities_follow_the_kraus_matrices():
    part = built(PathTensorNetwork)
    input = tokens(4, 3, 3)
    word = part.densities(input[:, :1]), part.densities(input[:, 1:2])
    both = torch.stack([torch.kron(*pair) for pair in zip(*word, strict=True)])
    close(part.densities(input[:, :2]), apply_channel(both, part.step_kraus()))


@torch.no_grad()
def test_random_paths_forget_early_words():
    """Forty random networks: how far apart states are that differ in one word falls with every step back."""
    part = built(PathTensorNetwork, n_tokens=50, sharing="hierarchical", max_len=8)
    curves = []
    for seed in range(40):
        torch.manual_seed(seed)
        part.reset_parameters()
        input = tokens(50, 20, 8, seed)
        before = part.densities(input)
        changed = [input.clone() for _ in range(8)]
        for place, each in enumerate(changed):
            each[:, place] = (each[:, place] + 1) % 50
        curves.append([float(trace_distance(before, part.densities(each)).mean()) for each in changed])
    curve = torch.tensor(curves).mean(0)
    assert (curve[1:].diff() > -0.01).all()
    assert curve[-1] > 3 * curve[2]


# -- post-selection ----------------------------------------------------------------------------------------------------


@every_network
def test_ever_fewer_runs_are_kept(kind):
    part = built(kind, reduction="postselect", init_scale=2.0)
    kept = torch.stack([part.log_acceptance(tokens(4, 20, length)).mean() for length in (1, 2, 4, 8, 16, 32)])
    assert kept.max() < 1e-12
    assert kept[0].abs() < 1e-12
    assert (kept.diff() < 0).all()


@every_network
def test_the_share_of_kept_runs_is_that_of_the_state_vector(kind):
    part = built(kind, reduction="postselect")
    input = tokens(4, 1, 4)
    discarded = built(kind, reduction="discard")
    circuit, flat = discarded.circuit(input[0].tolist()), discarded.flat_parameters()
    state = reference.state(circuit, flat.new_zeros(1, 0), flat)[0].reshape(2, 2, 2, 2)
    # words that have left are not touched again, so that one projection at the end is enough
    close(part.log_acceptance(input)[0].exp(), state[:, 0, 0, 0].abs().square().sum())


def test_impossible_outcomes_are_warned_of_and_never_nan():
    for kind, parameter in ((PathTensorNetwork, "steps"), (ConvTensorNetwork, "isometries")):
        part = built(kind, reduction="postselect", dtype=torch.float32)
        with torch.no_grad():
            part.words.zero_()
            part.get_parameter(parameter).zero_()
            if kind is ConvTensorNetwork:
                part.entanglers.zero_()
            part.words[1, 0] = math.pi  # the second word is 1, and is not to be
        input = torch.tensor([[0, 1]])
        with pytest.warns(UserWarning, match="post-selection: outcomes must be possible"):
            output = part(input)
        assert output.isfinite().all()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            part(input).sum().backward()
        assert all(each.grad is None or each.grad.isfinite().all() for each in part.parameters())


# -- limits ------------------------------------------------------------------------------------------------------------


@every_network
@both_reductions
@pytest.mark.parametrize("n_qubits", [1, 2])
def test_without_angles_nothing_happens(kind, reduction, n_qubits):
    part = built(kind, reduction=reduction, n_qubits=n_qubits, init_scale=0.0)
    expected = torch.tensor([[1.0, 0.0]]).double().expand(3, -1)
    assert torch.equal(part.probabilities(tokens(4, 3, 4)), expected)


@every_network
@both_reductions
def test_uniform_sharing_is_hierarchical_sharing_of_one_unitary(kind, reduction):
    one = built(kind, reduction=reduction, sharing="uniform")
    many = built(kind, reduction=reduction, sharing="hierarchical", max_len=8)
    state = {name: each.expand(many.get_parameter(name).shape) for name, each in one.state_dict().items()}
    many.load_state_dict(state)
    close(many(tokens(4, 3, 8)), one(tokens(4, 3, 8)))


@both_reductions
def test_a_tree_without_entanglers_is_a_plain_tree(reduction):
    part = built(ConvTensorNetwork, reduction=reduction)
    with torch.no_grad():
        part.entanglers.zero_()
    path = built(PathTensorNetwork, reduction=reduction)  # of two words: a path is a tree
    with torch.no_grad():
        path.words.copy_(part.words)
        path.head.copy_(part.head)
        path.steps.copy_(part.isometries)
    input = tokens(4, 3, 4)
    halves = [path.densities(half) for half in input.chunk(2, 1)]
    if reduction == "discard":
        both = torch.stack([torch.kron(*pair) for pair in zip(*halves, strict=True)])
        close(part.densities(input), apply_channel(both, path.step_kraus()))
    close(part(input[:, :2]), path(input[:, :2]))


def test_what_stands_behind_the_end_of_a_path_does_not_matter():
    part = built(PathTensorNetwork, padding_idx=0, sharing="hierarchical", max_len=8)
    short = 1 + tokens(3, 3, 5)
    padded = torch.nn.functional.pad(short, (0, 3))
    assert torch.equal(part(padded), part(short))
    garbage = torch.cat((short, 1 + tokens(3, 3, 3, seed=1)), 1)
    mask = torch.arange(8).expand(3, -1) < 5
    assert torch.equal(part(garbage, mask), part(short))


def test_trees_are_filled_up_with_the_paddings_word():
    part = built(ConvTensorNetwork, padding_idx=0, pad=True)
    short = 1 + tokens(3, 3, 5)
    assert torch.equal(part(short), part(torch.nn.functional.pad(short, (0, 3))))


# -- sizes and cost ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [8, 32, 64])
def test_parameters_are_as_many_as_published(length):
    levels = int(math.log2(length))
    expected = {
        (PathTensorNetwork, "uniform"): 74,
        (PathTensorNetwork, "hierarchical"): 66 + 8 * (length - 1),
        (ConvTensorNetwork, "uniform"): 82,
        (ConvTensorNetwork, "hierarchical"): 66 + 8 * (2 * levels - 1),
    }
    for (kind, sharing), count in expected.items():
        part = kind(21, padding_idx=0, sharing=sharing, max_len=length)
        assert sum(each.numel() for each in part.parameters()) == part.parameter_formula() == count


def test_at_92_words_there_are_about_800():
    assert PathTensorNetwork(21, sharing="hierarchical", max_len=92).parameter_formula() == 794


def test_frozen_unitaries_are_random_and_stay():
    part = built(PathTensorNetwork, frozen=True, init_scale=0.01)
    assert part.steps.max() > 1
    assert not part.steps.requires_grad
    assert part.words.max() <= 0.01
    part(tokens(4, 3, 4)).sum().backward()
    assert part.steps.grad is None
    assert part.words.grad.any()


def test_twice_as_many_words_take_about_twice_as_long():
    """In time of this process alone, of which the best of several counts: the machine may be busy."""
    part = PathTensorNetwork(21)

    def seconds(length: int) -> float:
        input = tokens(21, 64, length)
        best = math.inf
        for _ in range(7):
            start = time.process_time()
            part(input)
            best = min(best, time.process_time() - start)
        return best

    with torch.no_grad():
        short, middle, long = (seconds(length) for length in (32, 64, 128))
    assert middle / short < 2.6
    assert long / middle < 2.6


# -- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "law"),
    [
        (lambda: PathTensorNetwork(4, n_qubits=0), "at least one, got n_qubits=0"),
        (lambda: ConvTensorNetwork(4, n_layers=0), "at least one, got n_layers=0"),
        (lambda: PathTensorNetwork(4, 3), "two outcomes, got embedding_dim=3"),
        (lambda: PathTensorNetwork(4, sharing="hierarchical"), "longest length, got max_len=None"),
        (lambda: PathTensorNetwork(4, max_len=1), "at least 2, got max_len=1"),
        (lambda: ConvTensorNetwork(4, max_len=6), "power of two, got max_len=6"),
        (lambda: ConvTensorNetwork(4, pad=True), "needs a word to pad with"),
        (lambda: PathTensorNetwork(4, padding_idx=4), "must be in 0..3, got padding_idx=4"),
        (
            lambda: PathTensorNetwork(4, sharing="hierarchical", max_len=3)(tokens(4, 1, 4)),
            "max_len=3 positions, got sequences of length 4",
        ),
        (
            lambda: ConvTensorNetwork(4, sharing="hierarchical", max_len=4)(tokens(4, 1, 8)),
            "max_len=4 words, got sequences of length 8",
        ),
        (lambda: ConvTensorNetwork(4)(tokens(4, 1, 6)), "powers of two, got 6"),
        (lambda: ConvTensorNetwork(4)(tokens(4, 1, 2), torch.tensor([[True, False]])), "needs a word in its place"),
    ],
)
def test_what_does_not_fit_is_refused(call, law):
    with pytest.raises(ValueError, match=law):
        call()


@pytest.mark.parametrize("option", ["sharing", "reduction", "ansatz"])
@every_network
def test_unknown_options_are_named(kind, option):
    with pytest.raises(UnknownName, match=f"unknown {option} 'none'"):
        kind(4, **{option: "none"})


def test_a_token_beyond_the_vocabulary_is_named():
    with pytest.raises(IndexError, match=r"tokens must lie in 0\.\.3, got 4"):
        PathTensorNetwork(4)(torch.tensor([[0, 4]]))
