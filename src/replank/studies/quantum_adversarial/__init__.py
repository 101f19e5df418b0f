"""Adversaries of quantum classifiers: who is deceived, by what, and what training against it is worth."""

from __future__ import annotations

from replank.lab.study import Contrast, Study
from replank.lab.trial import Arm
from replank.parts.papers import REN2022
from replank.studies.quantum_adversarial.claims import CLAIMS
from replank.studies.quantum_adversarial.figures import FIGURES
from replank.studies.quantum_adversarial.settings import COMPARED, SCALES
from replank.studies.quantum_adversarial.trial import run

_HEADS = {
    "logistic": "Logistic regression of the pixels, 257 parameters.",
    "interleaved": "10 qubits, 9 blocks, 270 angles, to which the pixels are added; Adam at the published step size.",
    "amplitude": "The pixels as amplitudes of 8 qubits, then 9 blocks without data, 216 angles.",
    "mlp": "One hidden unit, 261 parameters.",
    "mlp-16": "16 hidden units, 4,146 parameters: not of the circuit's size.",
    "cnn": "LeNet's layers, 10,862 parameters: not of the circuit's size.",
}
_TRAININGS = {
    "": "",
    "-adversarial": " Half of each training batch attacked.",
    "-augmented": " Half of each training batch with random signs as large as the attack.",
}


def _image_arm(head: str, suffix: str) -> Arm:
    name, about = f"{head}{suffix}", _HEADS[head] + _TRAININGS[suffix]
    if name == "logistic":
        return Arm(name, about, "baseline")
    is_rung = head in ("interleaved", "amplitude") and suffix != "-augmented"
    return Arm(name, about, "rung" if is_rung else "control")


STUDY = Study(
    slug="quantum-adversarial",
    title="Who deceives a quantum classifier, and is it harder than to deceive a classical one of its size?",
    paper=REN2022,
    question=(
        "Two classes of images go into a circuit of ten qubits by block encoding, each pixel added to a trained angle, "
        "or as amplitudes. Adversarial examples are made with the classifier's own gradient, through encoding and "
        "normalisation. The classifier is swapped for classical ones of its size, and its training for adversarial "
        "training and for training with noise. A second experiment does the same with states of a chain of qubits."
    ),
    arms=(
        *(
            _image_arm(head, suffix)
            for head in _HEADS
            for suffix in _TRAININGS
            if suffix != "-augmented" or head in COMPARED
        ),
        Arm("interleaved-tuned", "The circuit at the step size of least training loss: is it the recipe?", "control"),
        Arm(
            "interleaved-tuned-adversarial",
            "The same, half of each training batch attacked.",
            "control",
        ),
        Arm(
            "interleaved-forgetful",
            "The circuit with Adam as published: it forgets its averages, each step is 0.005 times a sign.",
        ),
        Arm("interleaved-forgetful-adversarial", "The same, half of each training batch attacked.", "control"),
        Arm(
            "interleaved-depolarised",
            "The circuit trained and tested under global depolarising noise: simulated noise, not hardware.",
        ),
        Arm(
            "interleaved-depolarised-adversarial",
            "The same, half of each training batch attacked: simulated noise, not hardware.",
        ),
        Arm("transfer", "All six heads, each attacked with the examples made against every other.", "control"),
        Arm("states-logistic", "Logistic regression of ⟨Z⟩ of each qubit.", "control"),
        Arm("states-logistic-adversarial", "The same, half of each training batch attacked.", "control"),
        Arm("states", "Blocks of trained gates on the states, one qubit measured."),
        Arm("states-adversarial", "The same, half of each training batch attacked."),
        Arm("states-augmented", "The same, half of each training batch turned at random by as much.", "control"),
        Arm("states-mlp", "A network of ⟨Z⟩ of each qubit with no more parameters than the circuit.", "control"),
        Arm("states-mlp-adversarial", "The same, half of each training batch attacked.", "control"),
    ),
    scales=SCALES,
    run=run,
    claims=CLAIMS,
    headline_metric="test_accuracy",
    contrast=Contrast(
        arm="interleaved-adversarial",
        same_size=("logistic-adversarial", "mlp-adversarial"),
        others=("interleaved", "interleaved-augmented", "interleaved-tuned-adversarial"),
        says=(
            "After adversarial training the circuit withstands the attack on 29 to 36 test images fewer of a hundred "
            "than logistic regression of its size after the same, on handwriting and on easy scans. "
            "Adversarial training brings the circuit no more there than a larger step size does without it, and "
            "logistic regression three to six times as much."
        ),
        metric="test_accuracy_attack_pgd",
        protocol="images*",
    ),
    finding=(
        "The attack is white-box and goes through encoding and normalisation: pixels in [0, 1], divided by the image's "
        "norm, multiplied by 2, added to angles. A change by random signs of the same size stands beside every attack.",
        "Global depolarising noise can't protect a classifier by itself. Probabilities p become λp + (1 - λ)/2, whose "
        "order is that of p, so that predictions and the signs of all gradients stay; with the paper's gate fidelities "
        "λ is 0.52 for this circuit. Only training sees another loss. Rows with noise are simulated, not hardware.",
        "The published code gives its optimiser a fresh copy of the angles at each step. Flux keeps Adam's averages by "
        "array, so they are always empty, and each angle moves by 0.005 whatever its gradient. Arms with “forgetful” "
        "in their names do that, all others have Adam as it is meant.",
        "39 of the 270 angles are not seen by the measured qubit, and the pixels that are added to them neither.",
        "The chain conserves the number of ones, so turning single qubits changes ⟨Z⟩ to second order only: what reads "
        "⟨Z⟩ alone is nearly immune to the attack that deceives the circuit. A gradient from the states themselves is "
        "then zero, and attacks on states are made from random angles, too.",
        "Where two classes of scans differ in brightness, border or JPEG quality, high accuracy means little: a linear "
        "reader of these three numbers is shown as test_shortcut_accuracy.",
    ),
    figures=FIGURES,
)
