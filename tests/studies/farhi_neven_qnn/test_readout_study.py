"""Problems, rivals, the task and whole trials."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from replank import datasets
from replank.circuits.given_states import DiagonalMeans
from replank.errors import DataError, UnknownName, UsageError
from replank.lab.trial import Arm, Measurements, Trial, TrialKey
from replank.measure.ceiling import majority_vote_ceiling
from replank.parts.optimiser.farhi_neven import FarhiNevenSGD
from replank.seeding import numpy_stream
from replank.studies.farhi_neven_qnn import STUDY
from replank.studies.farhi_neven_qnn.claims import CLAIMS
from replank.studies.farhi_neven_qnn.classifier import ReadoutClassifier
from replank.studies.farhi_neven_qnn.factorised import FactorisedReadout
from replank.studies.farhi_neven_qnn.model import ansatz, build
from replank.studies.farhi_neven_qnn.problems import (
    all_strings,
    energies,
    energy_labels,
    images,
    majority_labels,
    make_problem,
    parity_labels,
    random_mask,
    random_product_states,
    random_regular_graph,
)
from replank.studies.farhi_neven_qnn.rivals import MajorityVote, SideBySide, logistic, mlp
from replank.studies.farhi_neven_qnn.settings import SCALES, ReadoutSettings
from replank.studies.farhi_neven_qnn.task import SignedLabels
from replank.studies.farhi_neven_qnn.trial import run

DOUBLE = torch.float64
GENERATED = ReadoutSettings("majority", n_bits=5, layers=("ZX",), n_train=32, epochs=3, starts=2)


def _trial(settings: ReadoutSettings, arm: str = "qnn", dataset: str = "generated", seed: int = 0) -> Measurements:
    key = TrialKey("farhi-neven-qnn", "smoke", "test", dataset, arm, seed, "", "", "", 1)
    device = torch.device("cpu")
    return run(Trial(key, Arm(arm, "-"), settings, datasets.load(dataset), device, lambda *_: None))


# -- problems ----------------------------------------------------------------------------------------------------------


def test_labels_are_parities_and_majorities():
    strings, mask = all_strings(5), torch.tensor([1.0, 0, 1, 1, 0], dtype=DOUBLE)
    for bits, parity, majority in zip(
        strings.int().tolist(), parity_labels(strings, mask), majority_labels(strings, mask), strict=True
    ):
        ones = bits[0] + bits[2] + bits[3]
        assert parity == (-1) ** ones
        assert majority == (1 if ones < 2 else -1)


def test_an_even_subset_can_tie_and_is_warned_of():
    with pytest.warns(UserWarning, match="an even number of bits can tie, got 2"):
        majority_labels(all_strings(3), torch.tensor([1.0, 1, 0], dtype=DOUBLE))


@pytest.mark.parametrize("problem", ["parity", "majority"])
def test_subsets_depend_on_the_seed_and_all_strings_are_tested(problem):
    settings = ReadoutSettings(problem, n_bits=7, n_train=300, noise=0.1)
    found = [make_problem(settings, datasets.load("generated"), seed) for seed in range(8)]
    assert len({tuple(each.test["test_"].y.tolist()) for each in found}) > 1
    for each in found:
        assert torch.equal(each.test["test_"].x, all_strings(7))
        assert set(each.train.y.tolist()) == {-1.0, 1.0}
        assert each.facts["subset_size"] % 2 == 1 or problem == "parity"
    again = make_problem(settings, datasets.load("generated"), 3)
    assert torch.equal(again.train.x, found[3].train.x)
    assert torch.equal(again.train.y, found[3].train.y)


def test_noise_flips_its_share_of_training_labels_only():
    noisy, clean = (
        make_problem(ReadoutSettings("majority", n_bits=5, n_train=20_000, noise=noise), datasets.load("generated"), 0)
        for noise in (0.2, 0.0)
    )
    differ = (noisy.train.y != clean.train.y).double().mean().item()
    assert differ == pytest.approx(0.2, abs=0.01)
    assert differ == noisy.facts["flipped_labels"]
    assert torch.equal(noisy.test["test_"].y, clean.test["test_"].y)


@pytest.mark.parametrize("problem", ["superposition-parity", "superposition-majority"])
def test_superpositions_are_equal_and_orthogonal(problem):
    found = make_problem(ReadoutSettings(problem), datasets.load("generated"), 0)
    plus, minus = found.train.x
    strings, labels = found.test["test_"]
    assert torch.equal(strings, torch.eye(64, dtype=DOUBLE))
    torch.testing.assert_close(plus, (labels == 1).to(DOUBLE) / math.sqrt(32))
    torch.testing.assert_close(minus, (labels == -1).to(DOUBLE) / math.sqrt(32))
    assert plus @ minus == 0


def test_energies_are_expectation_values():
    """With the Hamiltonian as a matrix."""
    settings = ReadoutSettings("energy", n_bits=6, n_train=10, n_test=5)
    found = energies(settings, 0)
    z = np.diag([1.0, -1.0])
    matrix = np.zeros((64, 64))
    for edge in found.pairs:
        product = np.ones((1, 1))
        for wire in range(6):
            product = np.kron(product, z if wire in edge else np.eye(2))
        matrix += product
    for states, labels in (found.train, found.test["test_"]):
        energy = np.einsum("bi,ij,bj->b", states.numpy().conj(), matrix, states.numpy()).real
        np.testing.assert_array_equal(np.sign(energy), labels.numpy())
    assert len(found.train.x) == 10
    assert len(found.test["test_"].x) == 5


@pytest.mark.parametrize("n", [4, 6, 8, 10])
def test_graphs_are_regular(n):
    graphs = {random_regular_graph(n, 3, numpy_stream(seed, "graph")) for seed in range(6)}
    for edges in graphs:
        assert len(edges) == 3 * n // 2
        assert all(sum(vertex in edge for edge in edges) == 3 for vertex in range(n))
        assert all(a < b for a, b in edges)
    assert len(graphs) > 1 or n == 4
    with pytest.raises(ValueError, match="no graph has n=5 vertices of degree=3"):
        random_regular_graph(5, 3, numpy_stream(0))


def test_product_states_are_products_spread_over_the_sphere():
    states = random_product_states(3, 4000, torch.Generator().manual_seed(0))
    torch.testing.assert_close(torch.linalg.vector_norm(states, dim=1), torch.ones(4000, dtype=DOUBLE))
    for cut in ((2, 4), (4, 2)):
        assert (torch.linalg.svdvals(states.reshape(-1, *cut))[:, 1] < 1e-12).all()
    means = DiagonalMeans(3, [(0,), (1,), (2,)])(states)
    assert (means.mean(0).abs() < 0.04).all()
    torch.testing.assert_close(means.var(0), torch.full((3,), 1 / 3, dtype=DOUBLE), rtol=0.1, atol=0)


def test_images_keep_all_for_the_test_and_the_unambiguous_for_the_clean_one():
    data = datasets.load("digits")
    found = images(ReadoutSettings("images"), data)
    n_test = int(np.isin(data.test_y, (3, 6)).sum())
    assert found.test["test_"].x.shape == (n_test, 16)
    assert len(found.test["test_clean_"].x) == found.facts["strings_test_n_kept"]
    assert majority_vote_ceiling(found.train.x, (found.train.y > 0).long()) == 1
    assert majority_vote_ceiling(found.test["test_clean_"].x, (found.test["test_clean_"].y > 0).long()) == 1
    everything = images(ReadoutSettings("images", contradictions="keep"), data)
    assert len(everything.train.x) == int(np.isin(data.train_y, (3, 6)).sum())
    assert (everything.train.y == 1).sum() == (data.train_y == 3).sum()


def test_a_threshold_without_variation_stops_the_trial():
    with pytest.raises(DataError, match=r"got 1 with mode='block', threshold=1.0"):
        _trial(ReadoutSettings("images", threshold=1.0, epochs=1), dataset="digits")


# -- rivals and the task -----------------------------------------------------------------------------------------------


def test_the_vote_is_the_mean_label_of_a_string():
    x = torch.tensor([[0.0, 0], [0, 1], [0, 1], [0, 1], [1, 1]], dtype=DOUBLE)
    y = torch.tensor([1.0, 1, -1, -1, -1], dtype=DOUBLE)
    vote = MajorityVote(x, y, n_starts=2)
    scores = vote(torch.tensor([[1.0, 1], [1, 0], [0, 1], [0, 0], [1, 0]], dtype=DOUBLE))
    torch.testing.assert_close(scores[:, 0], torch.tensor([-1, -0.2, -1 / 3, 1, -0.2], dtype=DOUBLE))
    assert torch.equal(scores[:, 0], scores[:, 1])
    assert not list(vote.parameters())


@pytest.mark.parametrize("labels", [[1.0, 1], [-1.0, -1]])
def test_a_vote_of_one_label(labels):
    x = torch.tensor([[0.0], [1]], dtype=DOUBLE)
    assert MajorityVote(x, torch.tensor(labels, dtype=DOUBLE))(x)[:, 0].tolist() == labels


def test_the_vote_reaches_the_ceiling_of_its_training_set():
    problem = make_problem(replace(GENERATED, noise=0.2, n_train=320), datasets.load("generated"), 0)
    scores = MajorityVote(*problem.train)(problem.train.x)
    reached = SignedLabels().metrics(scores, problem.train.y)["accuracy"]
    # a tie is worth a half to the ceiling and nothing to a score of 0
    ties = (scores == 0).double().mean().item() / 2
    assert reached + ties == pytest.approx(majority_vote_ceiling(problem.train.x, (problem.train.y > 0).long()))


def test_sizes_of_the_rivals():
    assert sum(p.numel() for p in mlp(16, DOUBLE).parameters()) == 37
    assert sum(p.numel() for p in logistic(16, DOUBLE).parameters()) == 17
    assert SideBySide(lambda: mlp(16, DOUBLE), 3)(all_strings(16)[:5]).shape == (5, 3)


def test_losses_are_those_of_their_names():
    output, target = torch.tensor([[0.5, -1.0], [-0.2, 1.0]]), torch.tensor([1.0, -1.0])
    linear = SignedLabels("linear").losses(output, target)
    torch.testing.assert_close(linear, torch.tensor([(0.5 + 0.8) / 2, 2.0]))
    torch.testing.assert_close(SignedLabels("hinge").losses(output, target), torch.tensor([(0 + 0.6) / 2, 3.0]))
    expected = [(math.log1p(math.exp(-0.5)) + math.log1p(math.exp(-0.2))) / 2, math.log1p(math.e)]
    torch.testing.assert_close(SignedLabels("logistic").losses(output, target), torch.tensor(expected))
    assert SignedLabels().loss(output, target) == pytest.approx(linear.sum().item())
    assert SignedLabels().accuracies(output, target).tolist() == [1, 0]
    with pytest.raises(UnknownName, match="unknown loss 'hing'"):
        SignedLabels("hing")


def test_a_score_of_zero_is_wrong():
    assert SignedLabels().accuracies(torch.zeros(4, 1), torch.ones(4)).item() == 0


def test_labels_must_be_signs():
    with pytest.raises(DataError, match=r"train labels must be \+1 or -1, got \[0.0, 2.0\]"):
        SignedLabels().check(torch.zeros(3, 1), torch.tensor([0.0, 1, 2]), "train")
    with pytest.raises(DataError, match=r"scores must have shape \(n, n_starts\)"):
        SignedLabels().check(torch.zeros(3), torch.ones(3), "test")


# -- models and trials -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", SCALES)
def test_every_arm_of_every_protocol_builds(scale):
    """All models of all protocols, the paper's included, with their trained circuits."""
    for name, protocol in SCALES[scale].protocols.items():
        dataset = datasets.load("generated" if protocol.makes_its_data else "digits")
        for arm in (each.name for each in STUDY.arms if protocol.is_for_arm(each.name)):
            settings: ReadoutSettings = protocol.resolve(arm, dataset.card.name, {})
            if settings.problem == "representation":
                continue
            problem = make_problem(replace(settings, n_train=8, n_test=4), dataset, 0)
            with torch.random.fork_rng():
                model = build(settings, problem)
            with torch.no_grad():
                scores = model(problem.test["test_"].x[:2])
            assert scores.shape == (2, settings.starts), (name, arm)


def test_the_published_circuit_has_96_weights_on_17_qubits():
    protocol = SCALES["paper"].protocols["published"]
    settings = protocol.resolve("qnn", "mnist", {})
    problem = images(settings, datasets.load("digits"))
    model = build(settings, problem)
    assert isinstance(model, ReadoutClassifier)
    assert model.theta.shape == (1, 96)
    assert ansatz(settings, problem).n_qubits == 17
    assert (settings.rule, settings.batch_size, settings.epochs) == ("farhi", 1, 3)


@pytest.mark.parametrize("rule", ["farhi", "spsa"])
def test_rules_that_look_at_all_weights_take_one_start(rule):
    with pytest.raises(UsageError, match=f"rule '{rule}' looks at all weights at once, got starts=2"):
        _trial(replace(GENERATED, rule=rule))


@pytest.mark.parametrize("rule", ["adam", "sgd", "farhi", "spsa"])
def test_every_rule_learns_a_majority(rule):
    lr = {"adam": 0.05, "sgd": 0.05, "farhi": 0.1, "spsa": 0.3}[rule]
    batch_size = {"sgd": 1, "farhi": 1}.get(rule, 0)
    settings = replace(GENERATED, rule=rule, lr=lr, batch_size=batch_size, starts=1, epochs=60 if not batch_size else 8)
    before = _trial(replace(settings, epochs=1, lr=1e-9)).metrics["train_loss"]
    assert _trial(settings).metrics["train_loss"] < 0.8 * before


@pytest.mark.parametrize(
    ("settings", "dataset"),
    [
        (ReadoutSettings("images", epochs=2, starts=2), "digits"),
        (ReadoutSettings("images", epochs=2, starts=2, contradictions="keep", threshold=0.1), "digits"),
        (replace(GENERATED, noise=0.2), "generated"),
        (ReadoutSettings("parity", n_bits=4, epochs=2, n_train=30), "generated"),
        (ReadoutSettings("superposition-parity", backend="generic", epochs=2, n_bits=4), "generated"),
        (ReadoutSettings("energy", backend="generic", epochs=2, n_bits=4, n_train=8, n_test=9), "generated"),
    ],
)
@pytest.mark.parametrize("model", ["circuit", "logistic", "vote"])
def test_every_accuracy_has_its_ceiling_beside_it(settings, dataset, model):
    metrics = _trial(replace(settings, model=model), dataset=dataset).metrics
    sets = {"train_", "test_"} | ({"test_clean_"} if settings.problem == "images" else set())
    assert {name.removesuffix("accuracy") for name in metrics if name.endswith("_accuracy")} == {
        *sets, *(f"{each}ceiling_" for each in sets), "mean_start_", "train_minus_test_",
    }  # fmt: skip
    for each in sets:
        assert 0 <= metrics[f"{each}accuracy"] <= metrics[f"{each}ceiling_accuracy"] <= 1
    assert metrics["test_clean_ceiling_accuracy" if "test_clean_" in sets else "test_ceiling_accuracy"] == 1


def test_the_start_of_least_training_loss_is_judged_with_its_own_size():
    several = _trial(replace(GENERATED, starts=6, epochs=4))
    alone = _trial(replace(GENERATED, starts=1, epochs=4))
    assert several.metrics["train_loss"] <= several.metrics["mean_start_loss"]
    assert several.metrics["parameters"] == alone.metrics["parameters"] == 5
    assert several.metrics["forward_flops"] == alone.metrics["forward_flops"]
    assert 0 <= several.metrics["success_rate"] <= 1


def test_starts_do_not_see_each_other():
    """Two starts side by side end where each of them ends alone."""
    problem = make_problem(GENERATED, datasets.load("generated"), 0)
    torch.manual_seed(0)
    both = build(GENERATED, problem)
    begin = both.theta.detach().clone()
    task, ends = SignedLabels(), []
    for rows in ([0, 1], [0], [1]):
        model = build(replace(GENERATED, starts=len(rows)), problem)
        model.theta.data.copy_(begin[rows])
        optimiser = torch.optim.Adam(model.parameters(), lr=0.05)
        for _ in range(20):
            optimiser.zero_grad()
            task.loss(model(problem.train.x), problem.train.y).backward()
            optimiser.step()
        ends.append(model.theta.detach())
    torch.testing.assert_close(ends[0], torch.cat(ends[1:]), rtol=0, atol=1e-12)


def test_the_wave_of_a_trial_is_a_sine_over_all_training_strings():
    measured = _trial(ReadoutSettings("images", epochs=2, starts=3), dataset="digits")
    argument, score, label, count = measured.artefacts["wave"].T
    np.testing.assert_allclose(score, measured.metrics["sine_amplitude"] * np.sin(argument), atol=1e-12)
    assert count.sum() == measured.metrics["strings_train_n_kept"]
    assert (np.abs(label) == 1).all()


def test_the_simulator_of_a_trial_is_that_sine_and_others_are_not_asked():
    settings = ReadoutSettings("images", backend="generic", side=3, mode="point", epochs=1, batch_size=50)
    metrics = _trial(settings, dataset="digits").metrics
    assert metrics["sine_residual"] < 1e-10
    assert 0 < metrics["sine_amplitude"] <= 1
    for other in (
        {"layers": ("ZX", "ZZX")},
        {"layers": ("XX", "ZZ"), "readout_init": "-", "readout_pauli": "X"},
    ):
        assert "sine_residual" not in _trial(replace(settings, **other), dataset="digits").metrics


def test_shots_train_the_very_same_weights():
    settings = ReadoutSettings(
        "images", backend="generic", side=2, layers=("ZX",), gradient="parameter_shift", shots=20,
        epochs=2, batch_size=20, threshold=0.3,
    )  # fmt: skip
    noisy, exact = (_trial(replace(settings, shots=shots), dataset="digits").metrics for shots in (20, 0))
    assert noisy["train_loss"] != exact["train_loss"]
    assert abs(noisy["train_loss"] - exact["train_loss"]) < 0.5


def test_the_papers_construction_of_energies_needs_no_training():
    settings = ReadoutSettings("energy", backend="generic", fixed_weight=0.05, epochs=1, n_train=20, n_test=300)
    metrics = _trial(settings, arm="exact-energy").metrics
    assert metrics["trainable_parameters"] == 0
    assert metrics["parameters"] == 9
    assert metrics["test_accuracy"] > 0.95


def test_a_farhi_step_on_one_string_takes_away_its_share():
    """Where the score depends linearly on the step, which a small r makes true."""
    problem = make_problem(GENERATED, datasets.load("generated"), 0)
    torch.manual_seed(1)
    model = FactorisedReadout(5, ansatz(GENERATED, problem), dtype=DOUBLE)
    x, y = problem.train.x[:1], problem.train.y[:1]
    optimiser = FarhiNevenSGD(model.parameters(), r=1e-4)

    def closure():
        optimiser.zero_grad()
        loss = (1 - y * model(x)).sum()
        loss.backward()
        return loss.item()

    before = optimiser.step(closure)
    assert closure() == pytest.approx((1 - 1e-4) * before, rel=1e-6)


@pytest.mark.parametrize("arm", ["exact-parity", "exact-majority", "exact-function"])
def test_representation_trials_are_exact(arm):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metrics = _trial(ReadoutSettings("representation", n_bits=5), arm=arm).metrics
    assert metrics["test_accuracy"] == 1
    assert (metrics["largest_deviation"] < 1e-10) == (arm != "exact-majority")


def test_random_masks_have_their_size():
    for size in range(7):
        assert random_mask(6, size, numpy_stream(size)).sum() == size


def test_energy_labels_of_basis_states_are_cuts():
    labels = energy_labels(torch.eye(4, dtype=DOUBLE), [(0, 1)])
    assert labels.tolist() == [1, -1, -1, 1]


def test_claims_say_where_they_come_from():
    sources = {claim.id: claim.source.provenance for claim in CLAIMS}
    assert {sources[each] for each in ("F1-parity", "F2", "F5")} == {"paper"}
    assert {sources[each] for each in ("F3", "F3-noise", "F4", "F4-rule", "F6")} == {"recalled"}
    assert sources["F7"] == sources["F2-flat"] == "derived"


def test_models_are_modules_without_state_beside_their_weights():
    problem = make_problem(GENERATED, datasets.load("generated"), 0)
    model = build(GENERATED, problem)
    assert isinstance(model, nn.Module)
    assert set(model.state_dict()) == {"theta"}
