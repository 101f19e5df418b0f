"""The acceptance list of the study's card; cutting, the layers and the data sets have tests of their own."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from sklearn.metrics import f1_score, roc_auc_score

from replank.circuits import Circuit, pauli, theta, x
from replank.circuits.cutting import WireCut, counting_executions, cut
from replank.circuits.templates import mps
from replank.datasets import GENERATED, load
from replank.lab.claim import table_of
from replank.lab.records import Records
from replank.lab.trial import Measurements, Record, Trial, TrialKey
from replank.parts.linear import CutQCNNLayer
from replank.seeding import isolated, numpy_stream
from replank.studies.distributed_qcnn import STUDY
from replank.studies.distributed_qcnn.claims import CLAIMS
from replank.studies.distributed_qcnn.data import against_rest, source
from replank.studies.distributed_qcnn.equality import gradient_difference, published_sizes, value_differences
from replank.studies.distributed_qcnn.figures import accuracy_by_shots, error_by_shots
from replank.studies.distributed_qcnn.images import cut_metrics, shortcut_accuracy
from replank.studies.distributed_qcnn.lesions import BROWN, CLASSES, RED, lesion, synthetic_lesions
from replank.studies.distributed_qcnn.mobilenet import mobilenet_features
from replank.studies.distributed_qcnn.model import Angles, Frame, ladder, network, quantum_layer
from replank.studies.distributed_qcnn.overhead import drawn_terms, last_qubit
from replank.studies.distributed_qcnn.settings import CUT, SAMPLED, SCALES, TRAINED, DistributedSettings
from replank.studies.distributed_qcnn.task import Diagnosis
from replank.studies.distributed_qcnn.trial import run

F64 = torch.float64
SMALL = DistributedSettings()
HERE = tuple(arm for arm in CUT if arm != "qcnn-cut-pool")
CLAIM = {claim.id: claim for claim in CLAIMS}


def layer_of(arm: str) -> CutQCNNLayer:
    with isolated(0, "part", "middle"):
        return quantum_layer(arm).double()


# -- what is cut ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("arm", "executions", "widest"), [
    ("qcnn-cut-exact", 7, 5), ("qcnn-cut-eigen", 9, 5), ("qcnn-cut-real", 5, 5), ("qcnn-cut-twice", 19, 4),
])  # fmt: skip
def test_two_hundred_random_inputs_and_angles(arm, executions, widest):
    layer = layer_of(arm)
    found = value_differences(layer, layer, 200, seed=0)
    assert found["value_difference"] <= 1e-10
    assert found["executions"] == executions
    assert found["widest_circuit"] == found["simulated_register"] == widest
    assert found["other_processes"] == 0
    assert gradient_difference(layer, layer, 5, seed=0)["gradient_difference"] <= 1e-8


def test_the_uncut_layer_holds_all_eight_qubits():
    layer = layer_of("qcnn")
    found = value_differences(layer, layer, 3, seed=0)
    assert found["value_difference"] <= 1e-10
    assert (found["executions"], found["widest_circuit"], found["simulated_register"]) == (1, 8, 8)


def test_a_wrong_layer_is_found_out():
    with isolated(1, "part"):
        other = quantum_layer("qcnn-cut-exact").double()
    assert value_differences(layer_of("qcnn-cut-exact"), other, 2, seed=0)["value_difference"] > 1e-3


def test_a_chain_of_twelve_with_an_observable_on_both_sides_of_two_cuts():
    block = Circuit(2).ry(theta[0], 0).ry(theta[1], 1).cnot(0, 1)
    circuit = Circuit(12)
    for wire in range(12):
        circuit.h(wire).ry(x[wire], wire)
    circuit.extend(mps(12, block))
    cuts = [
        WireCut(wire, next(i for i, each in enumerate(circuit) if each.wires == (wire - 1, wire))) for wire in (3, 7)
    ]
    observables = [pauli("IZIIIIZIIIII", 12), pauli("IIIIIIIIIIIZ", 12)]
    pieces = cut(circuit, observables, cuts, max_width=5)
    assert [fragment.width for fragment in pieces.fragments] == [4, 5, 5]
    stream = numpy_stream(0, "chain")
    features, parameters = torch.tensor(stream.normal(size=(2, 12))), torch.tensor(stream.normal(size=22))
    with counting_executions() as count:
        values = pieces.run(features, parameters)
    torch.testing.assert_close(values, circuit.plan(observables)(features, parameters), rtol=0, atol=1e-10)
    assert count.simulated <= 5


@pytest.mark.parametrize("arm", ["qcnn-cut-exact", "qcnn-cut-real", "qcnn-cut-twice"])
def test_the_variance_is_that_of_the_theory(arm):
    layer = layer_of(arm)
    pieces, features = last_qubit(layer), torch.randn(4, 8, dtype=F64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found = drawn_terms(pieces, layer.layer.theta, features, layer(features)[:, -1], 1000, seed=0)
    assert found["overhead_of_theory"] == {"qcnn-cut-exact": 16, "qcnn-cut-real": 9, "qcnn-cut-twice": 256}[arm]
    assert found["variance_over_theory"] == pytest.approx(1, abs=0.12)
    assert found["standard_errors_from_value"] < 4.5


# -- networks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arm", TRAINED)
def test_what_is_not_in_the_middle_starts_bit_identical(arm):
    arms = ladder(SMALL, (1, 8, 8), 10)
    host, model = arms.model("linear-tanh", seed=3).state_dict(), arms.model(arm, seed=3).state_dict()
    kept = [name for name in host if not name.startswith("middle")]
    assert len(kept) == 8
    assert all(torch.equal(host[name], model[name]) for name in kept)


@pytest.mark.parametrize("arm", [*HERE, "qcnn-frozen", "qcnn-unentangled"])
def test_quantum_layers_start_with_the_same_angles(arm):
    arms = ladder(SMALL, (1, 8, 8), 10)
    first, second = (arms.model(each, seed=1).get_submodule("middle") for each in ("qcnn", arm))
    assert torch.equal(first.layer.theta, second.layer.theta)


def test_parameters_of_each_middle():
    arms = ladder(SMALL, (3, 28, 28), 2)
    counts = {arm: sum(p.numel() for p in arms.model(arm).get_submodule("middle").parameters()) for arm in TRAINED}
    assert counts == {
        "qcnn": 14, "qcnn-cut-exact": 14, "qcnn-shared": 2, "qcnn-frozen": 14, "qcnn-unentangled": 14,
        "linear-tanh": 72, "diagonal-tanh": 16, "identity": 0,
    }  # fmt: skip


@pytest.mark.parametrize("arm", TRAINED)
def test_every_arm_learns_through_its_middle(arm):
    model = ladder(SMALL, (1, 8, 8), 10).model(arm, seed=0)
    Diagnosis().loss(model(torch.rand(6, 1, 8, 8)), torch.arange(6)).backward()
    trained = {name for name, p in model.named_parameters() if p.grad is not None and p.grad.abs().max() > 0}
    assert {"trunk.0.weight", "trunk.3.weight", "angles.weight", "head.weight"} <= trained
    frozen = [name for name, parameter in model.named_parameters() if not parameter.requires_grad]
    assert frozen == (["middle.layer.theta"] if arm == "qcnn-frozen" else [])


def test_mobilenet_has_the_published_number_of_parameters():
    features = mobilenet_features()
    assert sum(each.numel() for each in features.parameters()) == 2_223_872
    with torch.no_grad():
        assert features.eval()(torch.zeros(1, 3, 64, 64)).shape == (1, 1280, 2, 2)
    sizes = published_sizes()
    assert sizes["mobilenet_parameters"] == 2_223_872 + (1280 + 1) * 8 + 14 + 9 * 7
    assert sizes["mobilenet_parameters_linear_tanh"] - sizes["mobilenet_parameters"] == 72 - 14


def test_the_large_network_takes_small_images():
    model = network(DistributedSettings(trunk="mobilenet", side=64), 1, 3).eval()
    with torch.no_grad():
        assert model(torch.rand(2, 1, 28, 28)).shape == (2, 3)


def test_angles_and_frames():
    angles = Angles(3, 8)(100 * torch.randn(50, 3))
    assert angles.abs().max() <= math.pi
    image = torch.arange(16.0).reshape(1, 1, 4, 4) / 16
    torch.testing.assert_close(Frame(0)(image), 2 * image - 1)
    torch.testing.assert_close(Frame(2)(image)[0, 0, 0, 0], 2 * image[0, 0, :2, :2].mean() - 1)
    assert Frame(8)(image).shape == (1, 1, 8, 8)


def test_shots_on_a_trained_model_are_those_of_the_cut_and_the_uncut_circuit():
    model = ladder(SMALL, (1, 8, 8), 3).model("qcnn-cut-exact", seed=0)
    angles, labels = math.pi * torch.rand(400, 8), torch.arange(400) % 3
    found = cut_metrics(model, angles, labels, (256, 4096), seed=0)
    assert found["difference_to_uncut"] < 1e-5
    assert (found["executions"], found["widest_circuit"]) == (7, 5)
    for name in ("cut", "uncut"):
        few, many = (found[f"expectation_error_at_{name}_shots_{shots}"] for shots in (256, 4096))
        assert few / many == pytest.approx(4, rel=0.1)
    assert found["expectation_error_at_cut_shots_256"] > found["expectation_error_at_uncut_shots_256"]


# -- data -----------------------------------------------------------------------------------------------------------


def test_lesions_are_the_same_for_the_same_seed_and_called_synthetic_everywhere():
    one, same, other = (synthetic_lesions(20, 10, seed, n_classes=3) for seed in (0, 0, 1))
    assert one.card.sha256 == same.card.sha256 != other.card.sha256
    assert one.train_x.shape == (20, 3, 28, 28)
    assert chisquare(np.bincount(one.train_y)).pvalue > 0.9
    card = one.card
    assert all("synthetic" in text for text in (card.name, card.title, card.about, *card.classes, *CLASSES))
    assert "synthetic" in card.known_differences[0]
    protocols = [name for scale in SCALES.values() for name, each in scale.protocols.items()
                 if each.settings.problem == "images" and each.makes_its_data]  # fmt: skip
    assert len(protocols) == 3
    assert all("synthetic" in name for name in protocols)


@pytest.mark.parametrize("size", [28, 56])
def test_lesions_look_as_defined(size):
    middle = slice(size // 2 - size // 14, size // 2 + size // 14)
    for label, colour in ((0, BROWN), (2, RED)):
        pictures = np.stack([lesion(label, size, numpy_stream(seed, "lesion")) for seed in range(60)])
        assert 0 <= pictures.min() <= pictures.max() <= 1
        centre = np.median(pictures[:, :, middle, middle], axis=(0, 2, 3))
        np.testing.assert_allclose(centre, colour, atol=0.03)
    corner = pictures[:, :, 0, 0].mean(0)
    np.testing.assert_allclose(corner, (0.80, 0.62, 0.52), atol=0.03)
    with pytest.raises(ValueError, match="got n_classes=4"):
        synthetic_lesions(4, 4, 0, n_classes=4)


def test_sources():
    digits = load("digits")
    two = source(digits, DistributedSettings(classes=(3, 8), n_train=100, n_test=30), seed=0)
    assert two.card.classes == ("3", "8")
    assert (two.card.n_train, two.card.n_test) == (100, 30)
    rest = against_rest(digits, 7)
    assert rest.card.classes == ("other", "7")
    np.testing.assert_array_equal(rest.test_y, digits.test_y == 7)
    assert source(load(GENERATED), DistributedSettings(n_train=8, n_test=6), seed=0).card.name == "synthetic_lesions"


def test_shortcuts_tell_brightness_apart():
    digits = load("digits")
    images = np.concatenate([np.full((30, 1, 8, 8), 10, np.uint8), np.full((30, 1, 8, 8), 16, np.uint8)])
    bright = type(digits)(digits.card, images, np.repeat([0, 1], 30), images, np.repeat([0, 1], 30))
    assert shortcut_accuracy(bright, seed=0) == 1


def test_metrics_of_a_diagnosis_are_scikit_learns():
    logits, labels = torch.randn(80, 3, generator=torch.Generator().manual_seed(0)), torch.arange(80) % 3
    found = Diagnosis().metrics(logits, labels)
    assert found["f1"] == pytest.approx(f1_score(labels, logits.argmax(1), average="macro"))
    auc = roc_auc_score(labels, logits.softmax(1), multi_class="ovr")
    assert found["auc"] == pytest.approx(auc)
    assert "auc" not in Diagnosis().metrics(logits[labels > 0], labels[labels > 0])
    assert Diagnosis().metrics(torch.tensor([[1.0, 0.0]] * 4), torch.tensor([0, 0, 0, 1]))["precision"] == 0.375


# -- trials and claims ----------------------------------------------------------------------------------------------


def trial(arm: str, protocol: str, dataset: str = "digits") -> Trial:
    settings = SCALES["smoke"].protocols[protocol].resolve(arm, dataset, {})
    key = TrialKey("distributed-qcnn", "smoke", protocol, dataset, arm, 0, "{}", "", "", 1)
    return Trial(key, STUDY.arm(arm), settings, load(dataset), torch.device("cpu"), lambda *_: None)


@pytest.mark.parametrize("arm", ["qcnn-cut-exact", "qcnn-cut-twice"])
def test_training_through_the_cut_layer_is_training_through_the_uncut_one(arm):
    metrics = run(trial(arm, "equality")).metrics
    assert metrics["trajectory_difference"] <= 1e-6
    assert metrics["forward_ms"] > 0


def test_pictures_are_drawn_from_records():
    records = [
        Record(each.key, "done", run(each), {}, 0.0, 1.0, 1.0)
        for each in (
            *(trial(arm, "overhead", GENERATED) for arm in SAMPLED),
            trial("qcnn-cut-exact", "images-3-8"),
        )
    ]
    (axes,) = error_by_shots(Records.of(records).only(protocol="overhead")).axes
    assert [line.get_label() for line in axes.get_lines()] == list(SAMPLED)
    slopes = [np.polyfit(np.log(line.get_xdata()), np.log(line.get_ydata()), 1)[0] for line in axes.get_lines()]
    np.testing.assert_allclose(slopes, -0.5, atol=0.1)
    (axes,) = accuracy_by_shots(Records.of(records).only(protocol="images-3-8")).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["exact", "uncut", "cut"]
    empty = Records.of([Record(records[0].key, "done", Measurements({}), {}, 0.0, 1.0, 1.0)])
    with pytest.raises(ValueError, match="must have been tested with shots"):
        accuracy_by_shots(empty)


def test_equality_on_every_seed_is_no_gain():
    tie = {"test_accuracy": [1.0, 1.0, 1.0]}
    verdict = CLAIM["C4"].rules["images-synthetic-lesions"](table_of(qcnn=tie, linear_tanh=tie))
    assert verdict.status == "not reproduced"
    assert "SYNTHETIC" in verdict.reason
    better = table_of(qcnn={"test_accuracy": [0.9, 0.91, 0.92]}, linear_tanh={"test_accuracy": [0.8, 0.81, 0.83]})
    assert CLAIM["C4"].rules["images-10"](better).status == "reproduced"
