"""Open quantum systems as distributions of measurement outcomes: does it take a transformer?"""

from __future__ import annotations

from replank.lab.study import Contrast, Study
from replank.lab.trial import Arm
from replank.parts.papers import LUO2022
from replank.studies.povm_transformer.claims import CLAIMS
from replank.studies.povm_transformer.figures import FIGURES
from replank.studies.povm_transformer.settings import SCALES
from replank.studies.povm_transformer.trial import run

STUDY = Study(
    slug="povm-transformer",
    title="Open quantum systems as distributions of measurement outcomes: does it take a transformer?",
    paper=LUO2022,
    question=(
        "A density matrix of N qubits is, exactly, a distribution of strings of N outcomes, and Lindblad's equation a "
        "linear one for it. A small causal transformer stands for the distribution. What stands there is swapped, and "
        "so are the sampler, the measurement, the layer norm and the step in time."
    ),
    arms=(
        Arm("product", "Independent sites: mean field.", "baseline"),
        Arm("transformer", "The published network, without a layer norm, which the published code skips."),
        Arm("transformer-strings", "The same network averaged over orders of the sites: string states."),
        Arm("transformer-norm", "With the layer norm that the published code counts but does not apply."),
        Arm("transformer-4pauli", "In terms of the measurement that is the published code's default."),
        Arm("gru", "A recurrent network of the same size.", "control"),
        Arm("made", "One masked layer of the same size.", "control"),
        Arm("rbm", "A restricted Boltzmann machine of the same size, sampled by Markov chains.", "control"),
        Arm("rbm-full-sum", "The machine trained by sums over all strings: is it the chains?", "control"),
        Arm("transformer-mcmc", "The transformer sampled by Markov chains, one evaluation a sample.", "control"),
        Arm("transformer-full-sum", "The transformer trained by sums over all strings: is it the noise?", "control"),
        Arm("transformer-euler", "The transformer advanced by Euler's step: is it the trapezoid?", "control"),
        Arm("exact-trapezoid", "The trapezoid on all probabilities at once, nothing trained.", "control"),
        Arm("exact-euler", "Euler's step on all probabilities at once, nothing trained.", "control"),
    ),
    scales=SCALES,
    run=run,
    claims=CLAIMS,
    headline_metric="observable_error",
    contrast=Contrast(
        arm="transformer",
        same_size=("gru", "made"),
        others=("product", "rbm", "transformer-strings", "transformer-mcmc"),
        says=(
            "It takes a density that is autoregressive and no product, but not a transformer: a recurrent network and "
            "a single masked layer of its size come as close to the exact observables or closer. A Boltzmann machine "
            "of the same size is further off, above all in dynamics, and so is mean field."
        ),
    ),
    finding=(
        "Errors are the largest of all fields, of ⟨X⟩, ⟨Y⟩ and ⟨Z⟩, or of ⟨Z⟩ at all times, from sums over all strings "
        "of outcomes; every trial solves its system exactly beside. Those from samples have their standard errors.",
        "In steady states all autoregressive networks stay within 0.05. In dynamics a network begins each step with "
        "what the last one left, and its errors add up: with 80 updates a step the transformer's reach 0.05 and more, "
        "though the trapezoid itself is exact to 0.01.",
        "The Boltzmann machine is hardly better with sums over all strings than with Markov chains: it is the machine "
        "and its training that fall behind, not its samples. The transformer's errors are larger with Markov chains: "
        "plainly in dynamics, in steady states by less than a few seeds can tell.",
        "The published code's default layer norm returns its input. A network with a working one is no closer.",
        "What networks stand for is nearly, but not quite, a state: the least eigenvalues are a few hundredths below "
        "0. With Euler's step they are far below.",
    ),
    figures=FIGURES,
)
