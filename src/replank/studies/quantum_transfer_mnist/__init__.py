"""Quantum transfer learning for MNIST: a frozen encoder, five principal components, a fixed circuit, a classifier."""

from __future__ import annotations

from replank.lab.study import Contrast, Study
from replank.lab.trial import Arm
from replank.parts.papers import SARKAR2024
from replank.studies.quantum_transfer_mnist.claims import CLAIMS
from replank.studies.quantum_transfer_mnist.figures import FIGURES
from replank.studies.quantum_transfer_mnist.model import SHOTS
from replank.studies.quantum_transfer_mnist.settings import SCALES
from replank.studies.quantum_transfer_mnist.trial import run

_HADAMARDS = {"none": "no Hadamard", "first": "a Hadamard on qubit 0", "all": "a Hadamard on every qubit"}

STUDY = Study(
    slug="quantum-transfer-mnist",
    title="Is it the circuit or the bottleneck? Five principal components through a fixed circuit",
    paper=SARKAR2024,
    question=(
        "An autoencoder turns an image into 64 features, principal components turn these into five angles, a fixed "
        "circuit turns the angles into 32 probabilities, and a classical network classifies them. Nothing quantum is "
        "trained. What is swapped is the map from 64 features to the classifier's input: the circuit in its three "
        "readings, its closed form, other maps of the same five numbers, the five numbers themselves, all 64."
    ),
    arms=(
        Arm("latents", "The classifier on all 64 latent features: the paper's classical network.", "baseline"),
        *(
            Arm(f"quantum-{mode}", f"Five angles through the circuit with {words}: 32 exact probabilities.")
            for mode, words in _HADAMARDS.items()
        ),
        Arm("v1-reupload", "All 64 features uploaded in 13 blocks of five qubits, after the abstract of version 1."),
        Arm("pca", "The five principal components as they are: is it the bottleneck?", "control"),
        Arm("product-none", "The closed form of quantum-none, a product of five sines: is it a circuit?", "control"),
        *(
            Arm(f"no-cnots-{mode}", f"quantum-{mode} without its CNOTs: does entanglement matter?", "control")
            for mode in _HADAMARDS
        ),
        *(
            Arm(
                f"shots-{shots}", f"quantum-first by frequencies in {shots:,} shots: what does a device see?", "control"
            )
            for shots in SHOTS
        ),
        Arm("fourier", "32 random Fourier features of the five angles: would any expansion do?", "control"),
        Arm("relu", "32 random ReLU features of the five angles: would any expansion do?", "control"),
        Arm(
            "trained-circuit", "quantum-first with trained layers behind it: does training the circuit help?", "control"
        ),
        Arm(
            "trained-angles",
            "quantum-first whose angles are a trained map of the 64 features: end to end through the circuit.",
            "control",
        ),
        Arm(
            "trained-five", "The same trained five numbers, without a circuit: what did training the map do?", "control"
        ),
    ),
    scales=SCALES,
    run=run,
    claims=CLAIMS,
    headline_metric="test_accuracy",
    contrast=Contrast(
        arm="quantum-none",
        same_size=("pca", "product-none"),
        others=("no-cnots-none", "fourier", "relu", "trained-five", "latents"),
        says=(
            "Nothing that five principal components do not give: a classifier on these five numbers alone reaches the "
            "hybrid's accuracy. What the circuit computes is a product of five sines and cosines: its CNOTs permute "
            "the outcomes, and its Hadamards hide information from the measurement."
        ),
    ),
    finding=(
        "Before the Hadamards the five qubits are in a product state, a Hadamard keeps them in one, and the cascade of "
        "CNOTs is a permutation of basis states. So the 32 probabilities are p(c) = Πₖ qₖ(cₖ xor cₖ₋₁) with "
        "qₖ(1) = sin²(θₖ/2), or (1 − sin θₖ)/2 behind a Hadamard. Entanglement does not enter, and a Hadamard makes θ "
        "and π − θ alike: it folds the component. The sign is still in the amplitudes, but no longer in the outcomes; "
        "trained layers before the measurement can bring it back.",
        "Where the numbers are from: about 75 % and about 98 % stand in the abstract of version 2 (July 2025), which "
        "also names the 64 features, five components, RY angles and the exact 32 probabilities. The abstract of "
        "version 1 (August 2024) names 64 features, five qubits, and a hybrid below the classical network, without a "
        "number; batch normalisation and dropout are from there. Layer sizes, epochs, step sizes and the scaling of "
        "angles are ours. Version 2 speaks of “a Hadamard gate”, version 1 of gates on the qubits: all three readings "
        "run. A summary by others that quotes 94.2 % against 96.7 % contradicts version 2 and is not used.",
    ),
    figures=FIGURES,
)
