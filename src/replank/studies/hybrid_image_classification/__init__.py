"""A hybrid image classifier against a classical one that differs in everything: the factors, one by one."""

from __future__ import annotations

from replank.lab.study import Contrast, Study
from replank.lab.trial import Arm
from replank.parts.papers import SHAHZAD2025
from replank.studies.hybrid_image_classification.claims import CLAIMS
from replank.studies.hybrid_image_classification.factors import CELLS, CLASSICAL, CORRECTED, HYBRID
from replank.studies.hybrid_image_classification.figures import FIGURES
from replank.studies.hybrid_image_classification.settings import SCALES
from replank.studies.hybrid_image_classification.trial import run
from replank.studies.hybrid_image_classification.unequal import difference_to, published_differences

_ABOUT = {
    "quantum": "The hybrid as published: 16 features are the amplitudes of 4 qubits, 8 trained angles, 4 expectations.",
    "linear-tanh": "Linear(16, 4) and a tanh, bounded like the quantum layer: what does the circuit add?",
    "linear": "Linear(16, 4): does the bottleneck need to be bent at all?",
    "frozen": "The quantum layer with random angles that are never trained: do the 8 angles matter?",
    "orthogonal-squares": "Squares of a fixed random rotation of the normalised features: is any such map as good?",
    "identity": "The first 4 of the 16 features, nothing else: does the bottleneck have to compute anything?",
    "none": "No bottleneck, the head sees all 16 features: what does the bottleneck cost?",
    "angle": "2 qubits and 2 features as RY angles, the published second variant.",
    "direct": "No neck, no bottleneck, no softmax: the classical network's head on the hybrid's convolutions.",
    "quantum-wide": "The hybrid on the classical network's convolutions.",
    "quantum-restarts": "The hybrid, trained like the classical network.",
    "quantum-wide-restarts": "The hybrid on the classical network's convolutions, trained like it.",
    "direct-restarts": "The classical network on the hybrid's convolutions.",
    "classical-onecycle": "The classical network with the hybrid's recipe.",
    "classical": "The classical network as published: coupled weight decay, and restarts every 5 batches.",
    "classical-undecayed": "The classical network as published, without its coupled weight decay.",
    "classical-epochwise": "The classical network as published, restarting every 5 epochs as meant.",
}


def _arm(name: str) -> Arm:
    """An arm whose description lists everything in which it differs from the hybrid as published."""
    if name == HYBRID:
        return Arm(name, _ABOUT[name], "baseline")
    about = f"{_ABOUT[name]} {difference_to(CELLS[name], CELLS[HYBRID])}"
    return Arm(name, about, "rung" if name == CLASSICAL or name in CORRECTED else "control")


STUDY = Study(
    slug="hybrid-image-classification",
    title="Is it the quantum layer that makes a hybrid image classifier better, or everything else that differs?",
    paper=SHAHZAD2025,
    question=(
        "The paper compares a convolutional network with four qubits in its bottleneck to a classical one, and finds "
        "the hybrid better in accuracy, speed, size and robustness. But the two also differ in convolutions, head, "
        "optimiser, schedule, weight decay and clipping. Here each factor is changed by itself, and the quantum layer "
        "is compared with a linear one in the same network under the same recipe."
    ),
    arms=tuple(_arm(name) for name in CELLS),
    scales=SCALES,
    run=run,
    claims=CLAIMS,
    headline_metric="test_accuracy",
    contrast=Contrast(
        arm=HYBRID,
        same_size=("linear-tanh", "linear"),
        others=("frozen", "orthogonal-squares", "identity", "angle", "none", "classical-onecycle", CLASSICAL),
        says="On 1,600 digits, in the same network under the same recipe, the quantum layer can't be told from "
        "Linear(16, 4) or from its own eight angles drawn at random and never trained, and a head that sees all 16 "
        "features beats it. What separates the published networks is everything around it: under the hybrid's recipe "
        "the classical network is the more accurate one.",
        protocol="[!dt]*",
    ),
    finding=(
        f"The two published networks are trained unequally. {published_differences()}",
        "Where the published code has a defect, both ways run. Coupled weight decay and restarts every five batches: "
        "the arms “classical”, “classical-undecayed”, “classical-epochwise”. The attack on normalised images that are "
        "clamped to [0, 1]: both attacks on every arm. Epochs chosen on augmented validation images, and for STL-10 on "
        "the test images: the protocols “published” and “proper”; what a choice on test images would have given is "
        "measured in every trial.",
        "The published attack moves normalised digits by 0.53 on average and by up to 1.82 before it begins: 84 % of "
        "the pixels lie below 0 and 13 % above 1. Its budget is 0.1. What it measures is mostly whether a network "
        "survives another brightness.",
        "Late epochs of the classical network take up to five times as long in the published logs. Subnormal numbers "
        "through its coupled weight decay would explain that, but there are none: they appear in the hybrid, whose "
        "decay is decoupled, and cost next to nothing. The protocol “timing” counts and times them.",
        "Published memory is that of the whole machine, and published CPU use a difference of two momentary loads: "
        "neither says anything about a network. Here memory and CPU time are the process's own.",
    ),
    figures=FIGURES,
)
