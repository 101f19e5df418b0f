"""The paper's statements, with the rules that judge them.

The text of the paper was not at hand but for its abstract: all its numbers are recalled, from memory, and unverified;
the source mark says so. Two re-implementations by third parties were read; what one of them, a group of students,
reports has a mark of its own. Margins are ours.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from replank.lab.claim import (
    Claim,
    Rule,
    all_of,
    difference,
    every_seed,
    mean_within,
    ratio,
    spread,
    table_of,
    with_note,
)
from replank.parts.papers import SENOKOSOV2024
from replank.sources import Source
from replank.studies.parallel_quantum_and_quanvolution.settings import SWEEP

ABSTRACT = Source(SENOKOSOV2024, "abstract", "paper")
RECALLED = Source(SENOKOSOV2024, "results, from memory: unverified", "recalled")
STUDENTS = Source(
    SENOKOSOV2024, "re-implementation by students, DoQuantum/quantum-task-allocation-algorithm", "recalled"
)
DERIVED = Source(SENOKOSOV2024, "counted from the architecture as recalled", "derived")
OURS = Source(None, "a control that the paper does not have", "ours")

ACCURACY = "test_accuracy"
MNIST_PARTS = ("mnist10k", "mnist5k")
PARALLEL = ("P", "P-full", "P-paper")
GRID = ("P", "grid-paper")
FILTERS = ("Q", "Q-paper")
SHORT = "A small part of the data and three epochs."
SHORTCUT = "Three numbers, of brightness and JPEG quality, tell most of these images apart: see P4-shortcut."


def _everywhere(rule: Rule, protocols: tuple[str, ...]) -> Mapping[str, Rule]:
    return dict.fromkeys(protocols, rule)


def _accuracies(**arms: list[float]) -> pd.DataFrame:
    return table_of(**{arm: {ACCURACY: values} for arm, values in arms.items()})


def _gain(number: str, statement: str, arm: str, minus: str, protocols: tuple[str, ...]) -> Claim:
    """A statement of ours that an arm is better than its control."""
    return Claim(
        id=number,
        statement=statement,
        reported="not reported",
        source=OURS,
        rules=_everywhere(difference(ACCURACY, arm, minus=minus, above=0), protocols),
        counterexample=_accuracies(
            **{arm.replace("-", "_"): [0.90, 0.91, 0.90], minus.replace("-", "_"): [0.95, 0.96, 0.96]}
        ),
    )


CLAIMS = (
    Claim(
        id="P1",
        statement="HQNN-Parallel classifies MNIST with an accuracy above 99 %",
        reported="more than 99 % (abstract); 99.21 % [recalled, unverified]",
        source=ABSTRACT,
        rules={
            "10k": with_note(
                mean_within(ACCURACY, "4x5", above=0.95),
                "A sixth of the training images and three epochs: the paper's 99 % is not asked of it.",
            ),
            **_everywhere(mean_within(ACCURACY, "4x5", above=0.99), ("P-full", "P-paper")),
        },
        counterexample=_accuracies(**{"4x5": [0.93, 0.94, 0.935]}),
        datasets=("mnist",),
        stand_ins=MNIST_PARTS,
    ),
    Claim(
        id="P2",
        statement="A classical network with about eight times the parameters is not better (by 0.3 points)",
        reported="98.7 to 99.2 % against 99.21 % [recalled, unverified]; students: 99.20 %",
        source=RECALLED,
        rules=_everywhere(difference(ACCURACY, "4x5", minus="classical-372k", above=-0.003), PARALLEL),
        counterexample=_accuracies(**{"4x5": [0.95, 0.951, 0.95], "classical_372k": [0.97, 0.971, 0.972]}),
        datasets=("mnist",),
        stand_ins=MNIST_PARTS,
    ),
    Claim(
        id="P3",
        statement="HQNN-Parallel has 45,194 parameters, its classical rival 372,234: 8.2 times as many",
        reported="45,194 and about 372,000 [recalled, unverified], with a batch norm after the circuits",
        source=RECALLED,
        rules=_everywhere(
            all_of(
                every_seed("parameters", "4x5-post-bn", at_least=45_194, at_most=45_194),
                every_seed("parameters", "classical-372k", at_least=372_234, at_most=372_234),
            ),
            PARALLEL,
        ),
        counterexample=table_of(
            **{"4x5_post_bn": {"parameters": [45_154]}, "classical_372k": {"parameters": [372_234]}}
        ),
        datasets=("mnist", "fashion_mnist"),
        stand_ins=MNIST_PARTS,
    ),
    Claim(
        id="P4-cifar10",
        statement="On CIFAR-10 the hybrid is about as good as the classical network",
        reported="82.8 against 82.6 % [recalled, unverified]; the networks are not known, these are ours",
        source=RECALLED,
        rules={
            **_everywhere(
                with_note(difference(ACCURACY, "4x5", minus="classical-372k", above=-0.01), SHORT), ("P", "P-full")
            ),
            "P-paper": all_of(
                mean_within(ACCURACY, "4x5", above=0.818, below=0.838),
                difference(ACCURACY, "4x5", minus="classical-372k", above=-0.01),
            ),
        },
        counterexample=_accuracies(**{"4x5": [0.70, 0.71, 0.70], "classical_372k": [0.83, 0.83, 0.82]}),
        datasets=("cifar10",),
    ),
    Claim(
        id="P4-medical",
        statement="On Medical MNIST the hybrid's accuracy is above 99.9 %",
        reported="more than 99.9 % [recalled, unverified]",
        source=RECALLED,
        rules={
            "P": with_note(mean_within(ACCURACY, "4x5", above=0.98), f"{SHORT} {SHORTCUT}"),
            **_everywhere(with_note(mean_within(ACCURACY, "4x5", above=0.999), SHORTCUT), ("P-full", "P-paper")),
        },
        counterexample=_accuracies(**{"4x5": [0.95, 0.96, 0.955]}),
        datasets=("medical_mnist",),
    ),
    Claim(
        id="P4-shortcut",
        statement="On Medical MNIST it is 5 points above a linear reader of brightness and JPEG quality",
        reported="not reported",
        source=OURS,
        rules=_everywhere(mean_within("test_minus_shortcut_accuracy", "4x5", above=0.05), PARALLEL),
        counterexample=table_of(**{"4x5": {"test_minus_shortcut_accuracy": [0.01, 0.02, 0.01]}}),
        datasets=("medical_mnist",),
    ),
    *(
        Claim(
            id=f"P5-{circuit}-{rival}",
            statement=f"HQNN-Quanv with circuit {circuit.upper()} is no worse than {rival.upper()} (by 3 points)",
            reported="about 67 against 66 % [recalled, unverified]; students: Quanv 70, CNN1 79, CNN4 67 %",
            source=RECALLED,
            rules=_everywhere(
                difference(ACCURACY, f"quanv-{circuit}", minus=rival.replace("cnn", "cnn-"), above=-0.03), FILTERS
            ),
            counterexample=_accuracies(
                **{f"quanv_{circuit}": [0.50, 0.51, 0.52], rival.replace("cnn", "cnn_"): [0.70, 0.72, 0.71]}
            ),
            datasets=("mnist", "fashion_mnist"),
            stand_ins=MNIST_PARTS,
        )
        for circuit in "ab"
        for rival in ("cnn1", "cnn4")
    ),
    Claim(
        id="P5-kernel",
        statement="The quanvolution has a quarter of the weights of CNN1's kernel, 4 against 16 and a bias",
        reported="four times fewer [recalled, unverified]; all in all 1,974 parameters against 2,038 of CNN4",
        source=DERIVED,
        rules=_everywhere(
            all_of(
                every_seed("filter_parameters", "quanv-a", at_least=4, at_most=4),
                every_seed("filter_parameters", "cnn-1", at_least=17, at_most=17),
                every_seed("parameters", "quanv-a", at_least=1_974, at_most=1_974),
                every_seed("parameters", "cnn-4", at_least=2_038, at_most=2_038),
            ),
            FILTERS,
        ),
        counterexample=table_of(
            quanv_a={"filter_parameters": [16], "parameters": [1_986]},
            cnn_1={"filter_parameters": [17], "parameters": [517]},
            cnn_4={"filter_parameters": [68], "parameters": [2_038]},
        ),
        datasets=("mnist", "fashion_mnist"),
        stand_ins=MNIST_PARTS,
    ),
    Claim(
        id="P6",
        statement="The accuracy of HQNN-Quanv swings by more than 10 points for step sizes from 0.0025 to 0.0035",
        reported="45 to 70 % (students) [recalled, unverified]",
        source=STUDENTS,
        rules=_everywhere(spread(ACCURACY, tuple(SWEEP), above=0.10), ("lr", "lr-paper")),
        counterexample=_accuracies(
            **{arm.replace("-", "_"): [0.60 + 0.01 * i, 0.61, 0.60] for i, arm in enumerate(SWEEP)}
        ),
        datasets=("mnist",),
        stand_ins=MNIST_PARTS,
    ),
    Claim(
        id="P7",
        statement="Removing the quantum layer changes accuracy by less than 0.3 points",
        reported="not reported",
        source=OURS,
        rules=_everywhere(difference(ACCURACY, "4x5", minus="removed", above=-0.003, below=0.003), PARALLEL),
        counterexample=_accuracies(**{"4x5": [0.95, 0.952, 0.951], "removed": [0.90, 0.901, 0.902]}),
    ),
    Claim(
        id="P8",
        statement="Four circuits of 5 qubits are faster than two of 10, and lose no accuracy (by 1 point)",
        reported="not reported",
        source=OURS,
        rules=_everywhere(
            all_of(
                ratio("layer_ms", "4x5", over="2x10", below=1),
                difference(ACCURACY, "4x5", minus="2x10", above=-0.01),
            ),
            GRID,
        ),
        counterexample=table_of(
            **{
                "4x5": {"layer_ms": [3.0, 3.1, 3.0], ACCURACY: [0.95, 0.95, 0.951]},
                "2x10": {"layer_ms": [1.0, 1.1, 1.0], ACCURACY: [0.95, 0.951, 0.95]},
            }
        ),
    ),
    _gain("P9-linear", "The circuits are better than as many small linear layers", "4x5", "linear-tanh", PARALLEL),
    _gain("P9-frozen", "Training the circuits helps", "4x5", "frozen", PARALLEL),
    _gain("P9-entangled", "Entangling the qubits helps", "4x5", "unentangled", PARALLEL),
    _gain("P10-frozen", "Training the quanvolution (A) helps", "quanv-a", "quanv-a-frozen", FILTERS),
    _gain(
        "P10-conv", "The quanvolution (A) is better than a convolution on the same patches", "quanv-a", "conv", FILTERS
    ),
)
