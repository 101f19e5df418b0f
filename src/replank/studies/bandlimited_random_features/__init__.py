"""Networks with bandlimited random weights: what can more nodes do if none of them lies outside of a box?"""

from __future__ import annotations

from replank.lab.study import Contrast, Study
from replank.lab.trial import Arm
from replank.parts.papers import LI2023BANDLIMITED
from replank.studies.bandlimited_random_features.claims import CLAIMS
from replank.studies.bandlimited_random_features.figures import FIGURES
from replank.studies.bandlimited_random_features.settings import SCALES
from replank.studies.bandlimited_random_features.trial import run

STUDY = Study(
    slug="bandlimited-random-features",
    title="What can a network with frozen random weights not do, however wide it is?",
    paper=LI2023BANDLIMITED,
    question=(
        "The hidden nodes of a network of depth two are drawn once and frozen; only its read-out is fitted. What they "
        "are drawn from is swapped: boxes of all sizes, other distributions, and one that looks at the data; and so is "
        "whether they are trained. Width, read-out and data stay as they are."
    ),
    arms=(
        Arm("mlp-adam", "The network of the same width, all of it trained by Adam.", "baseline"),
        Arm("mlp-lbfgs", "The same, trained by L-BFGS.", "control"),
        Arm("trained-adam", "Starts with nodes of a uniform band of 100, and trains them, too, by Adam.", "control"),
        Arm("trained-lbfgs", "The same by L-BFGS.", "control"),
        Arm("uniform", "Weights and offsets uniform in a box [-λ, λ]: the paper's."),
        Arm("kink", "Weights uniform in a box, every node has its middle among the data."),
        Arm("fourier", "Cosines of frequencies uniform in a box, with random phases."),
        Arm("normal", "Normal weights: nothing bounds them."),
        Arm("sobol", "The box of uniform, with a quasi-random draw.", "control"),
        Arm("disc", "Weights uniform in a ball."),
        Arm("orthogonal", "Orthogonal random features.", "control"),
        Arm("data-driven", "Nodes from pairs of data points, where the target is steep."),
        Arm("ridge", "uniform with a ridge read-out, α = 1e-8.", "control"),
        Arm("sgd", "uniform with a read-out by stochastic gradient descent.", "control"),
        Arm("kernel-ridge", "Ridge regression with a Gaussian kernel: no random features at all.", "control"),
        Arm("rbf-sampler", "scikit-learn's random features of that kernel with a ridge.", "control"),
        Arm("polynomial", "As many polynomials as a uniform band has independent nodes.", "control"),
        Arm("low-pass", "The ideal projection onto a band, by Fourier transforms on a long grid.", "control"),
    ),
    scales=SCALES,
    run=run,
    claims=CLAIMS,
    headline_metric="f2_error",
    contrast=Contrast(
        arm="uniform",
        same_size=(
            *("kink", "fourier", "normal", "sobol", "data-driven", "ridge", "sgd", "rbf-sampler", "polynomial"),
            *("mlp-adam", "mlp-lbfgs", "trained-adam", "trained-lbfgs"),
        ),
        others=("kernel-ridge",),
        says=(
            "A box of weights and offsets is one of the worst things to draw nodes from: 200 of them are off the "
            "complex curve by 0.16, cosines of a box of frequencies by 0.0003, logistic nodes whose middles lie among "
            "the data by 0.0005, and nodes that look at targets by 0.0003. They do better than a network of that width "
            "trained by Adam, at a two-hundredth of its CPU time, and worse than one that starts with such nodes and "
            "is trained by L-BFGS."
        ),
        protocol="curves",
    ),
    finding=(
        "The paper's own target functions and numbers were not available: all targets here are others. Errors are "
        "relative, and of read-outs whose singular values are cut off at 1e-10 of the largest, in double precision.",
        "In a small box more nodes bring nothing, because they repeat each other. At λ = 1 fifty nodes and 800 have "
        "eight independent directions and the same error on f2, 0.58; at λ = 10 it is 0.43 with 26 or 27. But an "
        "interval has no floor: with a cut-off of 1e-14 instead of 1e-3 the error at λ = 10 falls from 0.58 to 0.33, "
        "at the price of a read-out whose norm grows from 0.5 to 3e10. Cosines of the same band fall as well, by 8 % "
        "only, which misses our margin of a tenth. On the line there is a floor, and it is exactly what lies outside "
        "of the band; on intervals of growing length errors rise towards it.",
        "In a large box nodes fail for another reason: offsets fill [-λ, λ], so that three nodes out of four have "
        "their middle beside the data, whatever λ is, and the others are steep. The right side of the U is this, not "
        "the band: with offsets that put every middle among the data, the error on f2 with 200 nodes falls to 0.0005. "
        "Stochastic gradient descent of the read-out stops where singular values are small, and is a large cut-off.",
        "A kernel without any random features is off f2 by 7e-10, with as many coefficients as points. With noise in "
        "the targets all samplers are between 0.13 and 0.20. With two, ten and 64 inputs they differ little, once the "
        "size of weights is chosen on held-out samples.",
        "That errors of f2 are larger at both ends of the range of λ was inconclusive with ten seeds, for they scatter "
        "at λ = 400; with twenty it is told apart.",
    ),
    figures=FIGURES,
)
