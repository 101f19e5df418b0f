"""Let the quantum creep in: the layers of an image classifier are replaced by quantum ones, one by one."""

from __future__ import annotations

from replank.lab.study import Contrast, Study
from replank.lab.trial import Arm
from replank.parts.papers import WANG2024CREEP
from replank.studies.quantum_creep.claims import CLAIMS
from replank.studies.quantum_creep.figures import FIGURES
from replank.studies.quantum_creep.settings import SCALES
from replank.studies.quantum_creep.trial import ladder, run

STUDY = Study(
    slug="quantum-creep",
    title="What changes when quantum layers creep into an image classifier, one layer at a time?",
    paper=WANG2024CREEP,
    question=(
        "The host has two convolutions and a linear layer, with no activation in between. At level 1 both "
        "convolutions become flipped quanvolutions (a trained circuit prepares a state, the image patch is the "
        "observable). At level 2 the linear layer becomes a circuit, too, into which the whole feature vector "
        "is uploaded as a Hamiltonian, several times. Inputs and outputs of every layer keep their form, so "
        "that each replacement can be read off."
    ),
    arms=(
        Arm("level-0", "All layers classical: an affine model of the image.", "baseline"),
        Arm(
            "level-1", "Both convolutions flipped: still an affine model, with positive semidefinite kernels of rank 2."
        ),
        Arm(
            "level-2", "The linear layer is a unitary re-uploading circuit as well: the first model that is not affine."
        ),
        Arm(
            "level-1-complex",
            "Level 1 with complex angles, as the published PyTorch code has it: states lose their norm.",
        ),
        Arm(
            "level-2-complex", "Level 2 with complex angles, as published: the circuit stops being unitary in training."
        ),
        Arm(
            "1a-symmetric-psd",
            "Classical convolutions under the same constraint: is it the constraint, not the circuit?",
            "control",
        ),
        Arm("1b-mean-conv", "Classical convolutions that average over input channels: is it the mean?", "control"),
        Arm("1c-frozen-quanv", "Random flipped quanvolutions, never trained: does training them matter?", "control"),
        Arm("2a-head-only", "Only the linear layer replaced: what does it do without level 1?", "control"),
        Arm(
            "2b-softmax-linear", "Level 1 with classical logits bounded like probabilities: is it the bound?", "control"
        ),
        Arm(
            "2c-frozen-circuit",
            "Level 2 with random angles that are never trained: do the convolutions do the work?",
            "control",
        ),
        Arm("2d-logit-scale", "Level 2 with one learned factor on the logits: does lifting the bound help?", "control"),
        *(
            Arm(
                f"2e-reps-{n}", f"Level 2 with {n} upload{'s' if n > 1 else ''}: what does re-uploading add?", "control"
            )
            for n in (1, 2, 5, 10)
        ),
        Arm(
            "2f-same-size",
            "Level 1 with the strongest classical head that has no more parameters than level 2's.",
            "control",
        ),
    ),
    scales=SCALES,
    run=run,
    claims=CLAIMS,
    headline_metric="test_accuracy",
    contrast=Contrast(
        arm="level-2",
        same_size=("2f-same-size",),
        others=("2c-frozen-circuit", "2b-softmax-linear"),
        says=(
            "At the small scale the unitary head scores below the strongest classical head of no more parameters, in "
            "the mean on every data set: as a classifier it contributes nothing that its size would not buy. Training "
            "the circuit matters all the same: with frozen angles the convolutions can't do its work."
        ),
    ),
    finding=(
        "The published PyTorch configuration (T) is not unitary. It stores the angles as complex numbers, and "
        "the optimiser moves their imaginary parts, so that exp(i Σ θₖPₖ) stops being unitary and the outputs "
        "stop being probabilities. The published logs prove it: with probabilities pₖ in [0, 1] that sum to at "
        "most 1, the cross-entropy of p + b over ten balanced classes can't fall below ln(1 + 9/e) = 1.46115, "
        "yet (T) reports 0.076, 0.280 and 1.283. The JAX configuration (J) is unitary and reports 1.696, 1.752 "
        "and 2.154.",
        "So both run here: the arms ending in “-complex” as published in (T), the others with real angles. The "
        "floor, computed for the class frequencies of the training set in use, is drawn into the loss plot. "
        "Accuracy gained below the floor is not evidence about a quantum layer.",
        "Levels 0 and 1 are both affine models of the image, and level 1 is a constrained subset of level 0: "
        "each pair of channels gets 15 angles, but they reach only a six-parameter set of kernels. At the published "
        "size the quantum levels have more parameters than the classical host, not fewer.",
    ),
    figures=FIGURES,
    ladder=ladder,
)
