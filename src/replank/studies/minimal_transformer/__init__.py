"""The transformer reduced to a minimum: how much of attention and of the network behind it is needed?"""

from __future__ import annotations

from replank.lab.study import Contrast, Study
from replank.parts.papers import BERMEITINGER2024
from replank.studies.minimal_transformer.arms import ARMS, FULL, FULL_MLP, MINIMUM, NARROW
from replank.studies.minimal_transformer.claims import CLAIMS
from replank.studies.minimal_transformer.figures import FIGURES
from replank.studies.minimal_transformer.settings import SCALES
from replank.studies.minimal_transformer.trial import run

STUDY = Study(
    slug="minimal-transformer",
    title="How many of a transformer encoder's matrices does a classifier of images need?",
    paper=BERMEITINGER2024,
    question=(
        "The paper removes parts of each encoder of a small vision transformer: the network behind the attention, one "
        "of the matrices for queries and keys, values and their projection. What is left is a tenth of the "
        "parameters, said to classify about as well. Here each reduction is a swap, all else stays, and the minimum is "
        "compared with full attention that has as few parameters because its heads are narrow."
    ),
    arms=ARMS,
    scales=SCALES,
    run=run,
    claims=CLAIMS,
    headline_metric="test_accuracy",
    contrast=Contrast(
        arm=MINIMUM,
        same_size=(NARROW,),
        others=(FULL, FULL_MLP, "novo", "wqk-novo-frozen"),
        says="At the small scale the minimum can't be told from full attention whose narrow heads have no more "
        "parameters, and on digits it is two and a half points below full attention of the full width. Training its "
        "similarity is worth as much, and time falls far less than parameters do.",
        protocol="[!c]*",
    ),
    finding=(
        "Numbers in the cells of the paper's tables could not be obtained, nor batch size, step size, width, patches "
        "and augmentation: those are ours. With width 64 and a network four times as wide the paper's shares of "
        "parameters come out. Its absolute counts contradict each other: from 287,686 and 101,470 (6 encoders) a "
        "network has 31,036 parameters, from 563,242 and 198,100 (12 encoders) 30,428.5. Ours are 304,906, 105,610, "
        "604,810 and 206,218.",
        "Keys that are queries make similarity positive semidefinite from the first step: with Xavier's start and "
        "N = 64, a token's score with itself is about sqrt(N) = 8, with another 0 give or take 1.4. Untied it is 0 "
        "give or take 1 for all. A triangular factor with entries of variance 1 makes it 256: the softmax is one-hot.",
        "The small run has 474 steps: no arm is trained to the end, and full models of three seeds differ by more than "
        "the reductions cost. What it tells apart are the minimum from full attention without networks, the untrained "
        "similarity, and the factor of variance 1.",
        "A replication by others (100 epochs, single runs) finds on CIFAR-10: full 68 %, without networks 57 %, the "
        "minimum 47 %. It counts a norm of unused networks: 768 parameters more at 6 encoders.",
    ),
    figures=FIGURES,
)
