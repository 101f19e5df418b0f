"""Activate while pruning: a few negative weights go in the place of small ones. A swap in time."""

from __future__ import annotations

from replank.lab.study import Contrast, Study
from replank.parts.papers import LIU2023ACTIVATE
from replank.studies.activating_while_pruning.arms import AP, ARMS, CONTROLS
from replank.studies.activating_while_pruning.claims import CLAIMS
from replank.studies.activating_while_pruning.figures import FIGURES
from replank.studies.activating_while_pruning.settings import SCALES
from replank.studies.activating_while_pruning.trial import run

STUDY = Study(
    slug="activating-while-pruning",
    title="Do pruned ReLU networks get better if some of the weights that go are negative ones that hardly moved?",
    paper=LIU2023ACTIVATE,
    question=(
        "A network is trained, pruned, reset and trained again, many times. What is swapped is the step that chooses "
        "the weights: the host method alone, or the host with a little less and, in its place, negative weights that "
        "moved least. All arms remove the same number of weights in each cycle."
    ),
    arms=ARMS,
    scales=SCALES,
    run=run,
    claims=CLAIMS,
    headline_metric="test_accuracy",
    contrast=Contrast(
        arm=AP,
        same_size=("magnitude", *CONTROLS),
        says="At the small scale AP is as accurate as its host with the same number of weights, and as rules that take "
        "positive weights, or those of either sign, that moved least. Taking negative weights that moved most costs "
        "two points: small movement does no harm, and no gain from the sign is seen.",
        protocol="[!n]*",
    ),
    finding=(
        "The official script has quirks, which run only under the protocol “quirks”: normalisation scales are pruned, "
        "the add-on removes a weight too many, test images are augmented, the last partial batch counts as wrong, and "
        "the best epoch on test images is kept.",
        "At low sparsity no effect is to be expected, and BatchNorm centres again what the removal of negative weights "
        "has shifted: under “normalised” AP raises the dynamic rate by a little, where it should lower it.",
        "Where the host removes weights at random, AP on top of it is better in the mean, by 12 points: part of what "
        "goes is then chosen by movement and not by chance. That is no host that anybody uses.",
    ),
    figures=FIGURES,
)
