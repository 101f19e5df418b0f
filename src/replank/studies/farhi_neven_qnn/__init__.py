"""Classification with one readout qubit: what do 17 qubits learn that a sine of a linear function does not?"""

from __future__ import annotations

from replank.lab.study import Contrast, Study
from replank.lab.trial import Arm
from replank.parts.papers import FARHI2018
from replank.studies.farhi_neven_qnn.claims import CLAIMS
from replank.studies.farhi_neven_qnn.figures import FIGURES
from replank.studies.farhi_neven_qnn.settings import SCALES, SHOTS, SIZES
from replank.studies.farhi_neven_qnn.trial import run

STUDY = Study(
    slug="farhi-neven-qnn",
    title="What does a readout qubit learn about strings of bits that a sine of a linear function does not?",
    paper=FARHI2018,
    question=(
        "Data qubits hold a string of bits, a superposition or a state; one readout qubit takes part in trained gates "
        "and is measured, and the sign of its expectation value is the label. Gates, update rule, loss, gradient and "
        "input are swapped, and so is the whole circuit, for classical models of the same bits. Each protocol is one "
        "experiment of the paper."
    ),
    arms=(
        Arm("logistic", "Logistic regression of the same bits, or of what Z gives on each qubit.", "baseline"),
        Arm("qnn", "The circuit: for images 3 + 3 layers of Z X and X X gates, 96 weights on 17 qubits."),
        Arm("qnn-zx", "One layer of Z X gates: does the rest of the circuit do anything?", "control"),
        Arm("sine-linear", "sin(φ·z) with a phase for each bit: the closed form of the circuit.", "control"),
        Arm("mlp", "Two hidden units, the tutorial's “fair” network: 37 parameters for 16 bits.", "control"),
        Arm("vote", "A table of majority votes per string, and no idea of other strings.", "control"),
        Arm("qnn-hinge", "The circuit with a hinge loss at half of the largest score."),
        Arm("qnn-logistic", "The circuit with the logistic loss of its score."),
        Arm("rule-farhi", "The circuit, trained by the paper's rule, one sample at a time."),
        Arm("rule-sgd", "The circuit, trained by plain gradient steps, one sample at a time."),
        Arm("rule-spsa", "The circuit, trained without gradients, by simultaneous perturbation."),
        Arm("xx-zz", "The tutorial's circuit: X X, then Z Z gates, the readout starts in - and X is measured."),
        Arm("xx-zz-3", "Its two layers three times: now nothing on the readout is conserved."),
        Arm("zzx", "Gates on pairs of data qubits and the readout besides."),
        Arm("shift", "One layer of each kind, gradients by the parameter-shift rule, exact values."),
        *(Arm(f"shots-{n}", f"The same with {n} shot{'s' if n > 1 else ''} for each value.") for n in SHOTS),
        *(Arm(f"parity-{n}", f"The parity's own circuit on {n} bits, trained by the paper's rule.") for n in SIZES),
        Arm(
            "adam-parity-10",
            "The same on 10 bits with exact gradients over many strings and steps of fixed size: flat, or rugged?",
            "control",
        ),
        Arm("logistic-edges", "Logistic regression of what ZZ gives on each edge: it knows the graph, too.", "control"),
        Arm("exact-energy", "The paper's circuit exp(i β/2 H X) with β = 0.1 and no training.", "control"),
        Arm("exact-parity", "The paper's construction of parities, untrained."),
        Arm("exact-majority", "The paper's construction of majorities, untrained."),
        Arm("exact-function", "The paper's construction of arbitrary functions, untrained."),
    ),
    scales=SCALES,
    run=run,
    claims=CLAIMS,
    headline_metric="test_accuracy",
    contrast=Contrast(
        arm="qnn",
        same_size=("sine-linear", "logistic"),
        others=("qnn-zx", "mlp", "vote"),
        says=(
            "Nothing: on strings of bits the 96-weight circuit on 17 qubits is, exactly, a sine of a linear function "
            "without a bias, and 16 phases trained directly reach its loss and its accuracy. A logistic regression "
            "with 17 parameters is more accurate wherever 4x4 bits leave more than a few dozen distinct strings."
        ),
        protocol="block-0.25",
    ),
    finding=(
        "The circuit for images has a closed form. Every gate holds X of the readout, which is therefore conserved, "
        "and 17 qubits fall apart into single ones: f = -R sin(Σ φᵢzᵢ) with R ≤ 1 and signs zᵢ = ±1. Layers of X X "
        "gates can only shrink R. So one layer of 16 gates reaches the loss of all six, a sine of a linear function "
        "is the same model, and there is no bias in it: f(-z) = -f(z).",
        "Accuracies are on all test samples, those called clean on the strings that occur with one label in the test "
        "set, which is how the paper counts. The ceiling next to each is what the best function of the strings could "
        "reach there: equal strings have different labels.",
        "The paper's loss 1 - l f is what limits the circuit most: with a hinge at half of the largest score the very "
        "same weights tell many more strings apart. The tutorial's own hinge, max(0, 1 - l f), is the paper's loss "
        "again, since |f| ≤ 1.",
        "The tutorial's circuit has a closed form, too: X X gates on a readout in - turn each data qubit by itself, "
        "Z Z gates then conserve Z of the readout, and X of the readout is a cosine of a linear function. However "
        "often its layers are repeated, it gives a string and its complement the same score.",
        "How images are reduced to 4x4 bits is not specified in the paper; all encodings here are ours or the "
        "tutorial's.",
    ),
    figures=FIGURES,
)
