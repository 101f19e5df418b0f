"""A priori compression: one-way filters in the place of dense kernels, in a surrogate of waves."""

from __future__ import annotations

from replank.lab.study import Contrast, Study
from replank.lab.trial import Arm
from replank.parts.papers import BOUKRAICHI2023
from replank.studies.a_priori_compression.claims import CLAIMS
from replank.studies.a_priori_compression.figures import FIGURES
from replank.studies.a_priori_compression.settings import SCALES
from replank.studies.a_priori_compression.trial import run

STUDY = Study(
    slug="a-priori-compression",
    title="Are kernels that are products of one-way filters from the beginning as good as dense ones, and cheaper?",
    paper=BOUKRAICHI2023,
    question=(
        "A convolutional network predicts waves that a finite-element solver computed. The convolutions of its "
        "residual blocks are swapped for ones whose kernels are products of one-way filters from the beginning, in "
        "three readings of the abstract, and for what the abstract leaves out: depthwise-separable ones, trained "
        "kernels that are decomposed afterwards, and smaller dense networks. What is lost in accuracy, and what is "
        "saved in parameters, multiply-adds, memory and time?"
    ),
    arms=(
        Arm("dense", "Dense kernels.", "baseline"),
        Arm("rank1", "Each output channel's kernel is a product of one filter per axis: the primary reading."),
        Arm("cp", "All kernels of a layer share a canonical decomposition: the second reading."),
        Arm("spatial", "Only the axes of space are taken apart, channels stay mixed: the third reading."),
        Arm(
            "depthwise-separable",
            "A window for each channel, then across the channels, as is usual.",
            "control",
        ),
        Arm("low-rank", "Dense kernels through as few channels as rank1's parameters pay for.", "control"),
        Arm("dense-thin", "The dense network with fewer channels and no more parameters than rank1.", "control"),
        Arm("posthoc-cp", "Trained dense, then decomposed at cp's rank: a posteriori.", "control"),
        Arm("posthoc-cp-tuned", "The same, then trained for half as many epochs again.", "control"),
        Arm("zero", "The field at rest, always.", "control"),
        Arm("frame-mean", "The mean of the training frames, always.", "control"),
    ),
    scales=SCALES,
    run=run,
    claims=CLAIMS,
    headline_metric="test_l2_error",
    contrast=Contrast(
        arm="rank1",
        same_size=("depthwise-separable", "cp", "dense-thin", "low-rank"),
        others=("dense", "spatial", "posthoc-cp", "posthoc-cp-tuned", "frame-mean"),
        says=(
            "At the small scale one-way filters need a tenth of the parameters and multiply-adds of dense kernels, and "
            "their error is about a quarter larger. They do better than a dense network of their size, but "
            "depthwise-separable convolutions and a shared canonical decomposition do a little better still, and "
            "training keeps twice the memory, as every stage keeps its own input."
        ),
        protocol="one-shot*",
    ),
    finding=(
        "All architecture sizes, margins and data here are ours: the paper's abstract alone was available, it has no "
        "numbers, and no official code was found. FE data generated here with our parameters: bilinear elements, "
        "consistent mass, Newmark's average acceleration; not the paper's data.",
        "Which product of one-way filters the paper means its abstract leaves open. Three readings run: one outer "
        "product for each output channel (rank1, the primary one), a canonical decomposition of the whole kernel (cp), "
        "and only the axes of space taken apart (spatial).",
        "Trained dense kernels are far from low rank: decomposed afterwards, without further training, the network is "
        "no better than the mean of the training frames (posthoc-cp, which the claim on trivial references leaves "
        "out), and half as many epochs again make it better than a decomposition trained from the beginning.",
    ),
    figures=FIGURES,
)
