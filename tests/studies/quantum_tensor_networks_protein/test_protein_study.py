"""The acceptance list of the study's card, as far as it is about data, arms and measures; parts have other tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from replank.datasets import Card, Sequences, load
from replank.datasets._sequences import Labelled, Parts
from replank.datasets.homologues import PEPTIDES, PROTEINS, homologues
from replank.datasets.proteins import toy_proteins
from replank.errors import DataError, UsageError
from replank.lab.claim import table_of
from replank.lab.records import Records
from replank.lab.trial import Measurements, Record, Trial, TrialKey
from replank.parts.sequence_encoder import ConvTensorNetwork, GRUEncoder, PathTensorNetwork
from replank.studies.quantum_tensor_networks_protein import STUDY
from replank.studies.quantum_tensor_networks_protein.claims import CLAIMS
from replank.studies.quantum_tensor_networks_protein.data import chosen, drawn, tokens
from replank.studies.quantum_tensor_networks_protein.figures import by_acceptance, forgetting
from replank.studies.quantum_tensor_networks_protein.forgetting import forgetting_curve, recency
from replank.studies.quantum_tensor_networks_protein.model import budget, build, embedded, parameters_as_published
from replank.studies.quantum_tensor_networks_protein.settings import SCALES, SMALL, ProteinSettings
from replank.studies.quantum_tensor_networks_protein.trial import UnequalClasses, run

ARMS = [arm.name for arm in STUDY.arms]
QUANTUM = [name for name in ARMS if "tn" in name and name != "gru"]
SETTINGS = ProteinSettings(
    classes=("plain", "window"), n_train=60, n_valid=20, length=16, epochs=1, evaluate_every=1, n_forgetting=3
)


def toy(n_train: int = 100, n_valid: int = 30, n_test: int = 40, seed: int = 0) -> Sequences:
    whole = toy_proteins(n_train + n_valid + n_test, 16, seed)
    parts, start = Parts(), 0
    for name, n in (("train", n_train), ("valid", n_valid), ("test", n_test)):
        parts[name] = Labelled(whole.strings[start : start + n], whole.labels[start : start + n])
        start += n
    card = Card("toy", "toy proteins", "toys", "none", "made up", "", n_train, n_test, classes=("plain", "window"))
    return Sequences.of(card, parts)


def trial(arm: str, data: Sequences, settings: ProteinSettings = SETTINGS, seed: int = 0) -> Trial:
    key = TrialKey(STUDY.slug, "smoke", "peptides", data.card.name, arm, seed, "", data.card.sha256, "", 1)
    return Trial(key, STUDY.arm(arm), settings, data, torch.device("cpu"), lambda *_: None)


# -- data --------------------------------------------------------------------------------------------------------------


def test_no_training_protein_is_a_near_relative_of_a_held_out_one():
    data, settings = load("scl2205"), SMALL["proteins"].settings
    split = chosen(data, settings, seed=0)
    assert {name: np.bincount(part.labels).tolist() for name, part in split.parts.items()} == {
        "train": [750, 750],
        "valid": [150, 150],
        "test": [377, 604],
    }
    assert (split.facts["relatives_found"], split.facts["relatives_left"]) == (70, 0)
    train, valid, test = (split.parts[name].strings for name in ("train", "valid", "test"))
    assert not homologues(test, train, PROTEINS).any()
    assert not homologues(valid, (*train, *test), PROTEINS).any()
    known = data.of_classes(settings.classes).parts
    assert set(train) <= set(known["train"].strings)
    assert test == known["test"].strings
    assert set(chosen(data, settings, seed=1).parts["train"].strings) != set(train)


def test_folds_hold_each_peptide_out_once_and_no_family_twice():
    data, settings = load("amp_tm"), SMALL["peptides"].settings
    held_out: list[str] = []
    for seed in range(5):
        parts = chosen(data, settings, seed).parts
        assert not homologues(parts["test"].strings, parts["train"].strings, PEPTIDES).any()
        assert len(parts["test"].strings) + len(parts["train"].strings) == 412
        held_out += parts["test"].strings
    assert len(set(held_out)) == len(held_out) == 412
    again, other = (chosen(data, settings, seed).parts["test"].strings for seed in (0, 5))
    assert set(again) != set(other)  # the second round is another partition


def test_relatives_are_kept_only_where_that_is_asked_for():
    data = toy()
    parts = dict(data.parts)
    parts["train"] = Labelled((*parts["test"].strings[:5], *parts["train"].strings[5:]), parts["train"].labels)
    leaky = Sequences.of(data.card, parts)
    clean = chosen(leaky, SETTINGS, 0)
    assert (clean.facts["relatives_found"], clean.facts["train_left_out"], clean.facts["relatives_left"]) == (5, 5, 0)
    kept = chosen(leaky, replace(SETTINGS, homologues="kept", n_train=0), 0)
    assert kept.facts["relatives_left"] == 5
    assert len(kept.parts["train"].strings) == 100
    measured = run(trial("aac-logistic", leaky, replace(SETTINGS, homologues="kept", n_train=0))).metrics
    assert {"test_relatives_accuracy", "test_others_accuracy"} <= set(measured)
    assert measured["same_inputs"] == 5


def test_draws_are_balanced_or_in_proportion_and_never_too_many():
    part = Labelled(tuple(f"{'A' * n}" for n in range(1, 31)), np.array([0] * 20 + [1] * 10, np.int64))
    for balanced, expected in ((True, [6, 6]), (False, [8, 4])):
        one, again = (drawn(part, 12, 0, "train", balanced=balanced) for _ in range(2))
        assert np.bincount(one.labels).tolist() == expected
        assert one.strings == again.strings
        assert all(part.labels[len(string) - 1] == label for string, label in zip(*one, strict=True))
    with pytest.raises(DataError, match="there are 20 train strings to choose from, got n=21"):
        drawn(part, 21, 0, "train", balanced=True)


def test_a_set_without_the_two_classes_is_refused():
    with pytest.raises(ValueError, match=r"must be two or more different ones of plain, window"):
        run(trial("gru", toy(), replace(SETTINGS, classes=("Cytoplasm", "Membrane"))))


def test_models_see_the_first_residues_alone():
    settings = replace(SETTINGS, length=4)
    assert tokens(["ACDEFG", "ACDE", "AC"], settings).tolist() == [[1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 0, 0]]
    words = replace(SETTINGS, length=2, kmer=3, reduced=True)
    assert tokens(["AAAKKKDDD"], words).tolist() == [[1, 64]]


# -- arms --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arm", [name for name in ARMS if name != "embedding-logistic"])
def test_every_arm_maps_tokens_to_two_logits(arm):
    model = build(arm, SETTINGS, 21)
    assert model(1 + torch.randint(20, (3, 16))).shape == (3, 2)


def test_arms_have_the_published_numbers_of_parameters():
    at_32 = replace(SETTINGS, length=32)
    counts = {arm: sum(p.numel() for p in build(arm, at_32, 21).parameters()) for arm in ARMS if "embed" not in arm}
    for network, count in {"uptn": 74, "hptn": 66 + 8 * 31, "uctn": 82, "hctn": 66 + 8 * 9}.items():
        assert counts[network] == counts[f"{network}-postselect"] == count
    assert counts["ptn-frozen"] == counts["hptn"] == budget(at_32, 21) == 314
    assert (counts["aac-logistic"], counts["kmer-logistic"], counts["gru-973"]) == (21, 401, 973)
    assert 0.85 * 314 < counts["cnn1d"] <= 314
    assert 0.95 * 314 < counts["gru"] <= 314
    assert parameters_as_published("hptn") == {"parameters_at_92": 794}


def test_arms_are_what_their_names_say():
    kinds = {"u": "uniform", "h": "hierarchical"}
    for arm in QUANTUM:
        part = build(arm, SETTINGS, 21)
        assert isinstance(part, PathTensorNetwork if "ptn" in arm else ConvTensorNetwork)
        assert part.reduction == ("postselect" if arm.endswith("postselect") else "discard")
        assert part.frozen == (arm == "ptn-frozen")
        assert part.sharing == kinds.get(arm[0], "hierarchical")
    assert isinstance(build("gru", SETTINGS, 21), GRUEncoder)


def test_an_embedding_of_ones_own_is_a_name(monkeypatch):
    monkeypatch.setattr("replank.datasets.proteins.lengths", lambda strings: [[len(s)] for s in strings], raising=False)
    assert embedded("replank.datasets.proteins:lengths", ["MK", "A"]).tolist() == [[2], [1]]
    for path in ("no_such_module:embed", "replank.datasets.proteins:nothing", "replank", ""):
        with pytest.raises(UsageError, match="must name a function as module:function"):
            embedded(path, ["MK"])
    monkeypatch.setattr("replank.datasets.proteins.lengths", lambda strings: [len(s) for s in strings], raising=False)
    with pytest.raises(UsageError, match=r"finite numbers of shape \(2, d\), got shape \(2,\)"):
        embedded("replank.datasets.proteins:lengths", ["MK", "A"])


def test_the_embedding_is_standardised_by_training_proteins_and_names_its_length():
    measured = run(trial("embedding-logistic", toy())).metrics
    assert measured["parameters"] == 21
    assert measured["same_inputs"] == 0


# -- training ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arm", ["hptn", "hctn-postselect"])
def test_networks_learn_the_toy_task(arm):
    """A hydrophobic window nearly fills these short proteins: counting is enough, and so must a network do."""
    data = toy(n_train=300, n_valid=0, n_test=100)
    parts = {name: part for name, part in data.parts.items() if name != "valid"}
    settings = replace(SETTINGS, n_train=0, n_valid=0, epochs=25, evaluate_every=25, lr=0.03, n_forgetting=0)
    measured = run(trial(arm, Sequences.of(data.card, parts), settings)).metrics
    assert measured["test_balanced_accuracy"] > 0.75
    assert measured["largest_sum_error"] < 1e-5


def test_a_trial_measures_what_the_card_asks_for():
    measured = run(trial("hptn-postselect", toy()))
    metrics = measured.metrics
    assert {"test_balanced_accuracy", "test_accuracy", "test_mcc", "validation_loss", "relatives_found"} <= set(metrics)
    assert metrics["mean_log10_acceptance"] < 0 < metrics["mean_acceptance"] < 1
    assert measured.artefacts["forgetting"].shape == (16,)
    assert not measured.not_finite()
    assert -1 <= metrics["recency"] <= 1
    again = run(trial("hptn-postselect", toy())).metrics
    assert again["test_loss"] == metrics["test_loss"]


def test_the_hard_part_is_tested_where_there_is_one():
    data = toy()
    parts = {**data.parts, "hard": toy(seed=1).parts["test"]}
    measured = run(trial("aac-logistic", Sequences.of(data.card, parts))).metrics
    assert 0 <= measured["hard_balanced_accuracy"] <= 1


def test_cross_entropy_is_the_cards_up_to_its_constant():
    """On p + 1e-7 without a softmax; the softmax of logarithms divides by the sum, 1 + 2e-7."""
    part = build("hptn", SETTINGS, 21).double()
    input, labels = torch.randint(1, 21, (6, 16)), torch.tensor([0, 1] * 3)
    p = part.probabilities(input)
    published = -(p[torch.arange(6), labels] + 1e-7).log().mean()
    ours = UnequalClasses().loss(part(input), labels)
    assert ours.item() == pytest.approx(published.item() + np.log1p(2e-7), abs=1e-12)


# -- forgetting --------------------------------------------------------------------------------------------------------


def test_the_forgetting_curve_is_by_hand_that_of_two_tokens():
    torch.manual_seed(0)
    part = PathTensorNetwork(3, padding_idx=0, init_scale=6.0, dtype=torch.float64)
    input = torch.tensor([[1, 2, 0], [2, 2, 1]])
    curve = forgetting_curve(part, input, seed=0)
    # of two tokens there is one other
    changed = torch.tensor([[2, 2, 0], [1, 2, 1]])
    difference = part.densities(changed) - part.densities(input)
    expected = torch.linalg.svdvals(difference).sum(-1).mean() / 2
    assert curve[0] == pytest.approx(expected.item())
    assert np.isfinite(curve).all()
    assert np.isnan(forgetting_curve(part, input[:1], seed=0)[2])


def test_recency_is_one_where_later_tokens_count_for_more():
    assert recency(np.array([0.1, 0.2, 0.3, 0.9])) == pytest.approx(1)
    assert recency(np.array([0.9, 0.3, np.nan, 0.2])) == pytest.approx(-1)
    assert recency(np.full(4, 0.5)) == 0
    assert recency(np.array([np.nan, 1.0, 2.0])) == 0


# -- claims, protocols, pictures ---------------------------------------------------------------------------------------


def test_claims_hold_on_a_table_made_for_them():
    balanced, accuracy = "test_balanced_accuracy", "test_accuracy"
    facts = {"recency": [0.9] * 3, "largest_sum_error": [1e-14] * 3}
    levels = {"hptn": 0.8, "hctn": 0.75, "uptn": 0.7, "uctn": 0.65, "gru": 0.75, "cnn1d": 0.75, "aac-logistic": 0.7,
              "ptn-frozen": 0.6, "embedding-logistic": 0.78}  # fmt: skip
    arms = {
        name.replace("-", "_"): {
            balanced: [level, level + 0.01, level + 0.005],
            accuracy: [level + 0.02, level + 0.03, level + 0.02],
            **facts,
            **({"parameters_at_92": [794.0] * 3} if name == "hptn" else {}),
        }
        for name, level in levels.items()
    }
    table = table_of(**arms, hptn_postselect={"mean_log10_acceptance": [-6.0, -6.1, -5.9]})
    for claim in CLAIMS:
        for protocol, rule in claim.rules.items():
            assert rule(table).status == "reproduced", (claim.id, protocol, rule(table).reason)


def test_what_needs_weights_of_a_language_model_is_not_tested_in_the_small_run():
    (of_esm2,) = [claim for claim in CLAIMS if claim.id == "C2"]
    assert set(of_esm2.rules) == {"esm2"}
    assert not set(of_esm2.rules) & set(SCALES["small"].protocols)
    assert SCALES["paper"].protocols["esm2"].settings.embed_fn == "esm2_embedding:embed"
    assert of_esm2.rules["esm2"](table_of(hptn={"test_accuracy": [0.7, 0.7]})).status == "not tested"


def test_paper_scale_has_the_paper_s_length_and_more():
    protocols = SCALES["paper"].protocols
    assert {each.settings.length for each in protocols.values()} >= {92, 128}
    assert {each.settings.n_qubits for each in protocols.values()} == {1, 2}
    assert protocols["relatives"].settings.homologues == "kept"
    assert SCALES["small"].without_files == {"deeploc1_part": None}


def records(tmp: int = 2) -> Records:
    found = []
    for arm in ("hptn", "uptn", "hptn-postselect", "hctn-postselect"):
        for seed in range(tmp):
            key = TrialKey(STUDY.slug, "small", "proteins", "scl2205", arm, seed, "{}", "", "", 1)
            metrics = {"mean_log10_acceptance": -3.0 - seed, "test_balanced_accuracy": 0.6 + 0.01 * seed}
            curve = {"forgetting": np.array([0.1, np.nan, 0.2, 0.3])}
            measurements = Measurements(metrics, artefacts=curve)
            found.append(Record(key, "done", measurements, {}, started=0.0, wall_s=1.0, cpu_s=1.0))
    return Records.of(found)


def test_pictures_are_drawn_from_records():
    figure = forgetting(records())
    axes = figure.axes[0]
    assert [line.get_label() for line in axes.lines] == ["uptn", "hptn", "hptn-postselect"]
    assert axes.lines[0].get_xdata().tolist() == [3, 2, 1, 0]
    assert len(by_acceptance(records()).axes) == 1
