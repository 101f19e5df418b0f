"""Layers made of Hankel matrices in the place of dense ones, in networks that forecast dynamical systems."""

from __future__ import annotations

from replank.lab.study import Contrast, Study
from replank.lab.trial import Arm
from replank.parts.papers import ALUVIHARE2025
from replank.studies.structured_hankel_network.claims import CLAIMS
from replank.studies.structured_hankel_network.figures import FIGURES
from replank.studies.structured_hankel_network.settings import SCALES, VALID_TIME
from replank.studies.structured_hankel_network.trial import run

STUDY = Study(
    slug="structured-hankel-network",
    title="Are layers of diagonals and Fourier transforms as good as dense ones, and cheaper, where states are "
    "forecast?",
    paper=ALUVIHARE2025,
    question=(
        "A network reads a window of past states and tells the next one. Its two hidden layers are swapped for "
        "products of diagonals, padding and Fourier transforms, the factors of Hankel matrices. What is lost in "
        "accuracy, what is saved in parameters, operations and time, and what do methods do that need no network?"
    ),
    arms=(
        Arm("dense", "Dense hidden layers.", "baseline"),
        Arm("stnn", "Four structured sub-matrices in each hidden layer: the paper's, in our reading."),
        Arm("stnn-hankel", "The same with pure Hankel matrices, without diagonals.", "control"),
        Arm("low-rank", "Layers of the largest rank that has no more parameters than stnn's.", "control"),
        Arm("dense-matched", "A dense network that is narrower and has no more parameters than stnn.", "control"),
        Arm("pointwise-mlp", "The textbooks' network, which sees one state alone.", "control"),
        Arm("sindy", "Sparse equations of motion: on Lorenz the true ones are among them.", "control"),
        Arm("dmd", "Dynamic mode decomposition of single states.", "control"),
        Arm("hankel-dmd", "The same of windows.", "control"),
        Arm("havok", "A linear model in delay coordinates, without its forcing.", "control"),
        Arm("autoregression", "The next state as a linear function of the window, by least squares.", "control"),
        Arm("leads", "A common law and a correction for each environment, as differential equations.", "control"),
        Arm("persistence", "Nothing changes.", "control"),
    ),
    scales=SCALES,
    run=run,
    claims=CLAIMS,
    headline_metric=VALID_TIME,
    contrast=Contrast(
        arm="stnn",
        same_size=("dense-matched", "low-rank"),
        others=("dense", "stnn-hankel", "pointwise-mlp", "sindy", "hankel-dmd", "autoregression", "persistence"),
        says=(
            "On Lorenz the structured network's forecasts are valid for longer than those of a narrower dense network "
            "of its size, can't be told from those with layers of low rank, and are valid for a third of the time of "
            "the dense network that it is cut down from. SINDy, which finds the terms of the true equations, is "
            "more than twice as good as any network."
        ),
        protocol="lorenz*",
    ),
    finding=(
        "Of the paper its abstracts alone were available. The layer is our reading of them, all sizes are ours, and no "
        "number here is the paper's.",
        "Fewer parameters and operations are no shorter times. At 48 inputs a call of the structured network takes "
        "five times as long as that of the dense one, for one window and for thousands: products of matrices run near "
        "the processor's peak, short Fourier transforms do not. A single layer of four sub-matrices needs fewer "
        "operations than a dense one from about 190 nodes on, and less time from about 1,000 on. Layers of low rank "
        "with as many parameters take less time from 85 nodes on in batches of 64, and from 280 on for one input.",
        "One step ahead and over a long roll-out are two things. A linear autoregression has by far the least one-step "
        "error on clean data, and its forecasts are valid for a seventh of a structured network's time.",
        "On Lotka-Volterra SINDy's error is more than a hundred times smaller than any other's. The networks are not "
        "told the environment, LEADS is; it was trained for 300 steps at the small scale, which have not converged.",
        "Fifteen epochs are few: which network keeps how much of its accuracy after three hundred is for the paper "
        "scale, which has not been run.",
    ),
    figures=FIGURES,
)
