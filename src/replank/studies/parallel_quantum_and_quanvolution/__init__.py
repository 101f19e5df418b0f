"""Small quantum circuits side by side, and a quantum convolution, in image classifiers."""

from __future__ import annotations

from replank.lab.study import Contrast, Study
from replank.lab.trial import Arm
from replank.parts.papers import SENOKOSOV2024
from replank.studies.parallel_quantum_and_quanvolution.claims import CLAIMS
from replank.studies.parallel_quantum_and_quanvolution.figures import FIGURES
from replank.studies.parallel_quantum_and_quanvolution.settings import SCALES, SWEEP
from replank.studies.parallel_quantum_and_quanvolution.trial import ladder, run

STUDY = Study(
    slug="parallel-quantum-and-quanvolution",
    title="What do small parallel circuits, or a trained quantum convolution, add to an image classifier?",
    paper=SENOKOSOV2024,
    question=(
        "HQNN-Parallel: convolutions press the image into twenty features, four circuits of five qubits take five "
        "each, and a linear layer reads the expectation values. HQNN-Quanv: one trained circuit of four qubits looks "
        "at each 2x2 patch, a channel for each qubit, and a linear layer reads them. What stands in the place of the "
        "circuits is swapped, all else is kept."
    ),
    arms=(
        Arm(
            "removed", "No quantum layer: the features pass through tanh, as bounded as expectation values.", "baseline"
        ),
        Arm("4x5", "HQNN-Parallel as recalled: 4 circuits of 5 qubits, 3 strongly entangling layers, Y on each qubit."),
        Arm("4x5-post-bn", "With a batch norm after the circuits: the recalled total of 45,194 parameters."),
        Arm(
            "linear-tanh",
            "Four parallel Linear(5, 5) with tanh in place of the circuits: is it the grouping?",
            "control",
        ),
        Arm("frozen", "The same circuits, never trained: does training them matter?", "control"),
        Arm("unentangled", "The same circuits without gates on two qubits: does entanglement matter?", "control"),
        Arm(
            "classical-372k", "The classical rival: dense layers of 216 and 88, eight times the parameters.", "control"
        ),
        Arm("2x10", "Two circuits of 10 qubits."),
        Arm("5x4", "Five circuits of 4 qubits."),
        Arm("10x2", "Ten circuits of 2 qubits."),
        Arm("20x1", "Twenty circuits of 1 qubit: there is nothing to entangle."),
        Arm("depth-0", "Circuits without layers: minus the sine of each feature, nothing is trained.", "control"),
        Arm("depth-1", "One layer."),
        Arm("depth-6", "Six layers."),
        Arm("observable-x", "X is measured."),
        Arm("observable-z", "Z is measured."),
        Arm("tanh-angles", "Angles are π/2 times tanh of the features: they can't wrap round."),
        Arm("sigmoid-angles", "Angles are π times the sigmoid of the features."),
        Arm("student", "The students' circuit: layers of RX and a ring of CNOTs, Z is measured."),
        Arm("1x20", "One circuit of 20 qubits: what parallel circuits avoid."),
        Arm("cnn-4", "A classical 4x4 convolution with four channels and a linear layer.", "baseline"),
        Arm("cnn-1", "The same with one channel.", "control"),
        Arm("quanv-a", "HQNN-Quanv, circuit A: 4 angles, as one re-implementation reads the published figure."),
        Arm("quanv-b", "HQNN-Quanv, circuit B: 16 angles, the students'."),
        Arm("quanv-a-frozen", "Circuit A, never trained.", "control"),
        Arm("quanv-b-frozen", "Circuit B, never trained.", "control"),
        Arm("quanv-random", "A random circuit, never trained, as quanvolutions were first proposed.", "control"),
        Arm(
            "flipped",
            "A flipped quanvolution, where the patch is the observable: a constrained convolution.",
            "control",
        ),
        Arm("conv", "Conv2d(1, 4, 2, 2) on the same patches: is it the window?", "control"),
        Arm("conv-tanh", "The same with tanh: is it the bounded nonlinearity?", "control"),
        Arm("random-features", "Four random cosines of each patch, never trained.", "control"),
        *(Arm(arm, f"Circuit B at step size {lr:g}.") for arm, lr in SWEEP.items()),
    ),
    scales=SCALES,
    run=run,
    claims=CLAIMS,
    headline_metric="test_accuracy",
    contrast=Contrast(
        arm="4x5",
        same_size=("linear-tanh", "removed"),
        others=("frozen", "unentangled", "classical-372k"),
        says=(
            "What the circuits contribute can't be told from zero: with tanh alone, or 120 classical weights, in their "
            "place the network reaches about the same accuracy, and its loss falls faster. Without entanglement the "
            "circuits do no worse."
        ),
        protocol="P*",
    ),
    finding=(
        "The paper's text was not at hand: but for the abstract's “more than 99 %” its numbers and its architecture "
        "are recalled, and were cross-checked with two re-implementations by third parties. They are marked [recalled, "
        "unverified] wherever they appear.",
        "The comparison that is missing from the paper is the one with nothing in the place of the circuits. The "
        "layers before them hold 44,764 of 45,154 parameters; twenty bounded features are enough for ten classes with "
        "or without 180 angles in between.",
        "In the low-data comparison the quanvolution's 4 angles replace 16 kernel weights, but nearly all parameters "
        "are in the linear layer behind: 1,974 in all, against 2,038 with four classical channels and 517 with one.",
    ),
    figures=FIGURES,
    ladder=ladder,
)
