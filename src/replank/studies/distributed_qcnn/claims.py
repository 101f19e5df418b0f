"""The paper's statements, with the rules that judge them.

Only the abstract and a third party's summary could be read, so that few numbers are known. What is ``ours`` are
statements that the method stands or falls with. Margins were fixed before the runs.
"""

from __future__ import annotations

from replank.lab.claim import (
    Claim,
    Rule,
    all_of,
    difference,
    every_seed,
    mean_within,
    ratio,
    table_of,
    with_note,
)
from replank.parts.papers import LI2025DISTRIBUTED
from replank.sources import Source
from replank.studies.distributed_qcnn.settings import CUT

PAPER = Source(LI2025DISTRIBUTED, "abstract", "paper")
SUMMARY = Source(LI2025DISTRIBUTED, "a third party's summary of the paper", "recalled")
OURS = Source(None, "question that the paper leaves open", "ours")
DERIVED = Source(None, "the sum over a cut wire, Peng et al. (2020)", "derived")

ACCURACY = "test_accuracy"
LESIONS = "images-synthetic-lesions"
SMALL_IMAGES = ("images-3-8", "images-10", "images-pneumonia", LESIONS)
PAPER_IMAGES = ("images-skin", "images-melanoma", "images-medmnist")
TRAJECTORY, EQUAL = 1e-6, 1e-10
MARGIN_ABOVE_MAJORITY = 0.05
SYNTHETIC = "SYNTHETIC pictures: says nothing about skin."


def _on_images(rule: Rule) -> dict[str, Rule]:
    """The rule under every protocol with images that is about something."""
    rules = dict.fromkeys((*SMALL_IMAGES, *PAPER_IMAGES), rule)
    return rules | {LESIONS: with_note(rule, SYNTHETIC)}


def _each(metric: str, arms: tuple[str, ...], **bounds: float) -> Rule:
    return all_of(*(every_seed(metric, arm, **bounds) for arm in arms))


_SAME = {"value_difference": [1e-3], "gradient_difference": [1e-3], "trajectory_difference": [1e-2]}
_WIDE = {"executions": [9.0], "widest_circuit": [8.0], "simulated_register": [8.0], "other_processes": [0.0]}
NOTHING_HOLDS = table_of(**{arm.replace("-", "_"): _SAME | _WIDE for arm in CUT})
NO_GAIN = table_of(
    qcnn={ACCURACY: [0.60, 0.61, 0.62]},
    qcnn_frozen={ACCURACY: [0.70, 0.72, 0.71]},
    qcnn_unentangled={ACCURACY: [0.70, 0.72, 0.71]},
    linear_tanh={ACCURACY: [0.70, 0.72, 0.71]},
    identity={ACCURACY: [0.70, 0.72, 0.71]},
)
_FAR = {
    "variance_over_theory": [2.0, 2.1, 2.2],
    "standard_errors_from_value": [9.0, 9.5, 9.2],
    "standard_errors_from_value_as_run": [9.0, 9.5, 9.2],
    "shots_slope": [-0.2, -0.21, -0.22],
}
UNLIKE_THEORY = table_of(
    qcnn_cut_exact=_FAR | {"variance_of_a_shot": [10.0, 11.0, 10.5]},
    qcnn_cut_real=_FAR | {"variance_of_a_shot": [10.0, 11.0, 10.5]},
    qcnn_cut_twice=_FAR | {"variance_of_a_shot": [20.0, 22.0, 21.0]},
)


def _strong(number: str, title: str, protocols: tuple[str, ...], *datasets: str) -> Claim:
    """Claims C2: the published accuracies are not known to us, so that the rule asks for little."""
    rule = with_note(
        mean_within("test_accuracy_above_majority", "qcnn-cut-exact", above=MARGIN_ABOVE_MAJORITY),
        "The published accuracy is not known here: the rule only asks for five points more than the commonest class.",
    )
    return Claim(
        id=f"C2-{number}",
        statement=f"The model with the cut circuit is accurate on {title}",
        reported="strong accuracy on three data sets, binary and multiclass; the number is not known to us",
        source=PAPER,
        rules=dict.fromkeys(protocols, rule),
        counterexample=table_of(qcnn_cut_exact={"test_accuracy_above_majority": [-0.01, 0.0, 0.01]}),
        datasets=datasets,
    )


CLAIMS = (
    Claim(
        id="C1",
        statement="The 8-qubit circuit is reconstructed exactly from circuits of at most 5 qubits",
        reported="8 qubits from fragments of 4 and 5",
        source=SUMMARY,
        rules={
            "equality": all_of(
                _each("value_difference", CUT, at_most=EQUAL),
                _each("widest_circuit", CUT, at_most=5),
                _each("simulated_register", CUT, at_most=5),
            )
        },
        counterexample=NOTHING_HOLDS,
    ),
    _strong("skin", "HAM10000", ("images-skin",), "ham10000"),
    _strong("isic", "ISIC 2017", ("images-skin", "images-melanoma"), "isic2017"),
    _strong(
        "medmnist",
        "sets of MedMNIST",
        ("images-pneumonia", "images-medmnist"),
        "pneumoniamnist",
        "breastmnist",
        "dermamnist",
    ),
    Claim(
        id="C3",
        statement="The model has about 2.16 million parameters, fewer than recent models",
        reported="2.16 M, 30 to 52 % fewer",
        source=SUMMARY,
        rules={
            "equality": with_note(
                every_seed("mobilenet_parameters", "qcnn", at_least=2.05e6, at_most=2.27e6),
                "Counted from the modules, one number; all but 14 of them are the trunk's and two linear layers', so "
                "that the saving is MobileNetV2's and not the circuit's.",
            )
        },
        counterexample=table_of(qcnn={"mobilenet_parameters": [3.5e6, 3.5e6, 3.5e6]}),
    ),
    Claim(
        id="C4",
        statement="The quantum layer makes the classifier better than Linear(8, 8) with a tanh in its place",
        reported="implied",
        source=PAPER,
        rules=_on_images(difference(ACCURACY, "qcnn", minus="linear-tanh", above=0)),
        counterexample=NO_GAIN,
    ),
    Claim(
        id="C4-angles",
        statement="Training and entanglement contribute: the layer beats itself frozen, itself unentangled, and none",
        reported="not reported",
        source=OURS,
        rules=_on_images(
            all_of(
                *(
                    difference(ACCURACY, "qcnn", minus=control, above=0)
                    for control in ("qcnn-frozen", "qcnn-unentangled", "identity")
                )
            )
        ),
        counterexample=NO_GAIN,
    ),
    Claim(
        id="C5",
        statement="Exact cutting changes nothing: gradients and whole trainings are those of the uncut layer",
        reported="not reported",
        source=DERIVED,
        rules={
            "equality": all_of(
                _each("gradient_difference", CUT, at_most=1e-8), _each("trajectory_difference", CUT, at_most=TRAJECTORY)
            )
        },
        counterexample=NOTHING_HOLDS,
    ),
    Claim(
        id="C6",
        statement="Cutting a wire costs sixteen times more shots for the same variance, each further cut again",
        reported="not reported; gamma^2 = 16 for each cut by theory",
        source=DERIVED,
        rules={
            "overhead": all_of(
                *(
                    mean_within("variance_over_theory", arm, above=0.9, below=1.1)
                    for arm in ("qcnn-cut-exact", "qcnn-cut-twice")
                ),
                ratio("variance_of_a_shot", "qcnn-cut-twice", over="qcnn-cut-exact", above=14, below=18.5),
            )
        },
        counterexample=UNLIKE_THEORY,
    ),
    Claim(
        id="C6-real",
        statement="Without the term of Y, which is zero here, a cut costs nine times more shots and not sixteen",
        reported="not reported; gamma = 3 by theory",
        source=DERIVED,
        rules={
            "overhead": all_of(
                mean_within("variance_over_theory", "qcnn-cut-real", above=0.9, below=1.1),
                ratio("variance_of_a_shot", "qcnn-cut-exact", over="qcnn-cut-real", above=1.6, below=2.0),
            )
        },
        counterexample=table_of(
            qcnn_cut_exact={"variance_of_a_shot": [9.0, 9.1, 9.0]},
            qcnn_cut_real={"variance_of_a_shot": [9.0, 9.1, 9.0], "variance_over_theory": [2.0, 2.1, 2.0]},
        ),
    ),
    Claim(
        id="C7",
        statement="Estimates from shots are unbiased, and their error falls as one over the root of the shots",
        reported="not reported",
        source=DERIVED,
        rules={
            "overhead": all_of(
                *(
                    rule
                    for arm in ("qcnn-cut-exact", "qcnn-cut-real", "qcnn-cut-twice")
                    for rule in (
                        every_seed("standard_errors_from_value", arm, at_most=4.5),
                        every_seed("standard_errors_from_value_as_run", arm, at_most=4.5),
                        mean_within("shots_slope", arm, above=-0.6, below=-0.4),
                    )
                )
            )
        },
        counterexample=UNLIKE_THEORY,
    ),
    Claim(
        id="C8",
        statement="Distribution is real: seven tasks run in other processes, none of them on more than 5 qubits",
        reported="not reported",
        source=OURS,
        rules={
            "equality": all_of(
                every_seed("other_processes", "qcnn-cut-pool", at_least=2),
                every_seed("executions", "qcnn-cut-pool", at_least=7, at_most=7),
                every_seed("widest_circuit", "qcnn-cut-pool", at_most=5),
                every_seed("value_difference", "qcnn-cut-pool", at_most=EQUAL),
            )
        },
        counterexample=NOTHING_HOLDS,
    ),
)
