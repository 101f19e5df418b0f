"""The paper's statements, with the rules that judge them.

Published numbers are means over runs at the final epoch, from the per-epoch CSV files of the official code ("official
code"). All its runs of the embedding start from the same parameters, and only split and order vary, so that their
spread understates what another start would do; here each seed has a start of its own. Margins are ours.
"""

from __future__ import annotations

from replank.lab.claim import Claim, Rule, all_of, difference, every_seed, mean_within, table_of, with_note
from replank.parts.papers import WANG2024HAMILTONIAN
from replank.sources import Source

LOGS = Source(WANG2024HAMILTONIAN, "per-epoch CSV results of the official repository", "official code")
CODE = Source(WANG2024HAMILTONIAN, "digits notebook of the official repository", "official code")
DERIVED = Source(WANG2024HAMILTONIAN, "derived from the definition of the read-out", "derived")
OURS = Source(None, "controls of the study hamiltonian-embedding", "ours")

ACCURACY, BATCH_MEAN, ABOVE_FLOOR = "test_accuracy", "test_batch_mean_accuracy", "train_loss_above_floor"
MNIST_PARTS = ("mnist10k", "mnist5k")
ON_DIGITS, ON_IMAGES, ON_CT = ("smoke", "digits", "full-digits"), ("images", "full-images"), ("ct", "full-ct")
FEWER = "Direction only: 2,000 training images and 30 epochs."


def _in(protocols: tuple[str, ...], rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(protocols, rule)


def _near(arm: str, value: float, margin: float, metric: str = ACCURACY) -> Rule:
    return mean_within(metric, arm, above=value - margin, below=value + margin)


def _beats_qcnn(above: float) -> Rule:
    return difference(ACCURACY, "embedding", minus="qcnn", above=above)


def _images(
    number: str, dataset: str, title: str, values: tuple[float, float, float], reported: str, gain: float
) -> Claim:
    """H2 and H3: accuracies with 10 and 20 layers and of the QCNN, in the published definition, by batches."""
    exact = all_of(
        _near("embedding", values[0], 0.01, BATCH_MEAN),
        _near("layers-20", values[1], 0.01, BATCH_MEAN),
        _near("qcnn", values[2], 0.05, BATCH_MEAN),
    )
    return Claim(
        id=number,
        statement=f"On {title}, classes 0 to 7, the embedding is far more accurate than the QCNN",
        reported=reported,
        source=LOGS,
        rules={"images": with_note(_beats_qcnn(gain), FEWER), "full-images": exact},
        counterexample=NO_GAIN,
        datasets=(dataset,),
        stand_ins=MNIST_PARTS if dataset == "mnist" else (),
    )


# On this table nothing gains anything, and all stand far from every published number ...
NO_GAIN = table_of(
    **{
        arm: {ACCURACY: values, BATCH_MEAN: values, "train_accuracy": values}
        for arm, values in {
            "qcnn": [0.91, 0.92, 0.93],
            "embedding": [0.30, 0.32, 0.31],
            "embedding_untied": [0.20, 0.22, 0.21],
            "layers_10": [0.40, 0.41, 0.43],
            "layers_20": [0.20, 0.22, 0.21],
            "logistic": [0.20, 0.22, 0.21],
            "logistic_symmetrised": [0.40, 0.41, 0.43],
            "linear_same_size": [0.20, 0.22, 0.21],
            "mlp": [0.20, 0.22, 0.21],
            "softmax_linear": [0.20, 0.22, 0.21],
        }.items()
    }
)

CLAIMS = (
    Claim(
        id="H1",
        statement="On digits, classes 0 to 7, the embedding is at least 8 points more accurate than the QCNN",
        reported="94.40±2.84 % against 78.95±9.12 % (training accuracy 95.2 %), 20 runs",
        source=LOGS,
        rules={
            **_in(("smoke", "digits"), _beats_qcnn(0.08)),
            "full-digits": all_of(_beats_qcnn(0.08), _near("embedding", 0.9440, 0.03), _near("qcnn", 0.7895, 0.06)),
        },
        counterexample=NO_GAIN,
        datasets=("digits",),
    ),
    _images(
        "H2",
        "mnist",
        "MNIST",
        (0.8972, 0.9125, 0.4703),
        "89.72±0.98 % (10 layers), 91.25±0.73 % (20) against 47.03±1.47 %, 5 runs",
        gain=0.20,
    ),
    _images(
        "H3",
        "fashion_mnist",
        "Fashion-MNIST",
        (0.7777, 0.7962, 0.4290),
        "77.77±0.28 % (10 layers), 79.62±0.18 % (20) against 42.90±4.80 %, 5 runs",
        gain=0.15,
    ),
    Claim(
        id="H4",
        statement="On 100 CT images the embedding tells contrast agent from none better than the QCNN",
        reported="67.75±9.24 % against 58.25±12.38 % (training 83.75 against 73.25 %), 20 runs",
        source=LOGS,
        rules=_in(ON_CT, all_of(_beats_qcnn(0.0), difference("train_accuracy", "embedding", minus="qcnn", above=0.0))),
        counterexample=NO_GAIN,
        datasets=("ct_contrast",),
    ),
    Claim(
        id="H5",
        statement="Twice as many layers, 20 instead of 10, are more accurate",
        reported="+1.5 points on MNIST, +1.9 points on Fashion-MNIST",
        source=LOGS,
        rules={
            **_in(ON_DIGITS, difference(ACCURACY, "layers-20", minus="layers-10", above=0.0)),
            **_in(ON_IMAGES, difference(ACCURACY, "layers-20", minus="embedding", above=0.0)),
        },
        counterexample=NO_GAIN,
        datasets=("mnist", "fashion_mnist"),
        stand_ins=(*MNIST_PARTS, "digits"),
    ),
    Claim(
        id="H6",
        statement="Training losses stay above the floor of probabilities as logits: ln(1 + 7/e) = 1.27401 for eight "
        "classes, 0.31326 for two",
        reported="embedding 1.5455 (digits), 1.574 and 1.536 (MNIST, 10 and 20 layers); QCNN 1.946 and 1.989",
        source=DERIVED,
        rules=_in(
            (*ON_DIGITS, *ON_IMAGES, *ON_CT),
            all_of(*(every_seed(ABOVE_FLOOR, arm, at_least=0) for arm in ("embedding", "qcnn", "softmax-linear"))),
        ),
        counterexample=table_of(
            embedding={ABOVE_FLOOR: [0.2, -0.01, 0.3]},
            qcnn={ABOVE_FLOOR: [0.6, 0.7, 0.6]},
            softmax_linear={ABOVE_FLOOR: [0.1, 0.1, 0.1]},
        ),
    ),
    Claim(
        id="H6-linear",
        statement="Logistic regression goes below that floor: its logits are not bounded",
        reported="nothing published",
        source=OURS,
        rules=_in(("digits", "full-digits", *ON_IMAGES, *ON_CT), every_seed(ABOVE_FLOOR, "logistic", at_most=0)),
        counterexample=table_of(logistic={ABOVE_FLOOR: [-0.3, 0.2, -0.1]}),
    ),
    Claim(
        id="H7",
        statement="Logistic regression on the pixels is more accurate than the published circuit",
        reported="99.2 % for logistic regression on one split of digits",
        source=OURS,
        rules=_in((*ON_DIGITS, *ON_IMAGES, *ON_CT), difference(ACCURACY, "logistic", minus="embedding", above=0.0)),
        counterexample=table_of(logistic={ACCURACY: [0.9, 0.91, 0.9]}, embedding={ACCURACY: [0.95, 0.97, 0.96]}),
    ),
    Claim(
        id="H7-same-size",
        statement="A linear map with no more weights than the circuit uses is more accurate, too",
        reported="nothing published",
        source=OURS,
        rules=_in(ON_DIGITS, difference(ACCURACY, "linear-same-size", minus="embedding", above=0.0)),
        counterexample=NO_GAIN,
    ),
    Claim(
        id="H7-symmetric",
        statement="What the embedding throws away when it symmetrises the image costs a linear model accuracy",
        reported="99.2 % to 96.7 % on one split of digits",
        source=OURS,
        rules=_in(
            (*ON_DIGITS, *ON_IMAGES, *ON_CT),
            difference(ACCURACY, "logistic", minus="logistic-symmetrised", above=0.0),
        ),
        counterexample=NO_GAIN,
    ),
    Claim(
        id="H8",
        statement="The digits circuit is held back by a slip in its code: both gates of a layer read the same 15 "
        "angles, and with angles of their own it is more accurate",
        reported="465 numbers allocated, 240 used",
        source=CODE,
        rules=_in(ON_DIGITS, difference(ACCURACY, "embedding-untied", minus="embedding", above=0.0)),
        counterexample=NO_GAIN,
        datasets=("digits",),
    ),
)
