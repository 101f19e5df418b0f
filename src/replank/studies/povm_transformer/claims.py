"""The paper's statements, what is derived from its definitions, and our own questions, with the rules that judge them.

Of the paper the official code was at hand; its figures and sizes are recalled. Margins: 0.05 for an observable between
-1 and 1, which is what a curve's width hides in a figure; 0.02 between two densities.
"""

from __future__ import annotations

from replank.lab.claim import Claim, Rule, all_of, difference, every_seed, mean_within, ratio, table_of, with_note
from replank.parts.papers import LUO2022
from replank.sources import Source

FIGURES = Source(LUO2022, "figures of steady states and of dynamics", "recalled")
STRINGS = Source(LUO2022, "string states", "recalled")
DERIVED = Source(LUO2022, "derived from the definitions", "derived")
OURS = Source(None, "a control that the paper does not have", "ours")

ERROR, SPREAD = "observable_error", "site_spread"
CLOSE, ALIKE = 0.05, 0.02
ON_STATES = ("tfim", "tfim-6")
EXPERIMENTS = (*ON_STATES, "xyz", "xyz-3x3")


def _same(rule: Rule, *protocols: str) -> dict[str, Rule]:
    return dict.fromkeys(protocols or EXPERIMENTS, rule)


def _less(arm: str, *, than: str, metric: str = ERROR) -> Rule:
    return difference(metric, arm, minus=than, below=0)


def _alike(arm: str, other: str) -> Rule:
    return difference(ERROR, arm, minus=other, above=-ALIKE, below=ALIKE)


# On this table the transformer is far from everything that is claimed of it.
BAD = table_of(
    **{
        arm: {ERROR: [value, value + 0.01, value + 0.02], SPREAD: [spread, spread + 0.01, spread]}
        for arm, value, spread in (
            ("transformer", 0.40, 0.01),
            ("transformer_strings", 0.70, 0.20),
            ("transformer_norm", 0.10, 0.01),
            ("transformer_mcmc", 0.10, 0.01),
            ("transformer_euler", 0.10, 0.01),
            ("transformer_full_sum", 0.10, 0.01),
            ("rbm", 0.10, 0.01),
            ("rbm_full_sum", 0.40, 0.01),
            ("gru", 0.10, 0.01),
            ("made", 0.10, 0.01),
            ("product", 0.10, 0.01),
        )
    }
)

CLAIMS = (
    Claim(
        id="C1",
        statement="The transformer's steady-state observables follow the exact ones over all fields",
        reported="a figure; judged as an error of ⟨X⟩, ⟨Y⟩, ⟨Z⟩ of at most 0.05 at every field",
        source=FIGURES,
        rules=_same(mean_within(ERROR, "transformer", below=CLOSE), *ON_STATES),
        counterexample=BAD,
    ),
    Claim(
        id="C2",
        statement="The transformer's dynamics follow the exact ones",
        reported="a figure; judged as an error of ⟨Z⟩ of at most 0.05 at every time",
        source=FIGURES,
        rules=_same(mean_within(ERROR, "transformer", below=CLOSE), "xyz", "xyz-3x3"),
        counterexample=BAD,
    ),
    Claim(
        id="C3-rbm",
        statement="It is closer to the exact solution than a restricted Boltzmann machine with Markov chains",
        reported="a figure, with numbers from the literature",
        source=FIGURES,
        rules=_same(
            with_note(
                _less("transformer", than="rbm"),
                "The rival here is a machine over the same outcomes; the literature's is one of the density matrix, "
                "which was not run.",
            )
        ),
        counterexample=BAD,
    ),
    Claim(
        id="C3-sampler",
        statement="Exact samples train the same network better than as many evaluations of Markov chains",
        reported="an advantage that the paper names; judged by the sign",
        source=OURS,
        rules=_same(_less("transformer", than="transformer-mcmc")),
        counterexample=BAD,
    ),
    Claim(
        id="C3-chains",
        statement="Without Markov chains, with sums over all strings, the Boltzmann machine has half of the error",
        reported="not stated; says whether its chains or the machine are at fault",
        source=OURS,
        rules=_same(ratio(ERROR, "rbm-full-sum", over="rbm", below=0.5), *ON_STATES),
        counterexample=BAD,
    ),
    Claim(
        id="C4-spread",
        statement="String states restore the lattice's symmetry: ⟨Z⟩ is the same on all sites",
        reported="a figure; judged as less spread than without strings",
        source=STRINGS,
        rules=_same(
            with_note(
                _less("transformer-strings", than="transformer", metric=SPREAD),
                "On these lattices the orders are a whole symmetry group, so that the spread is 0 by construction.",
            )
        ),
        counterexample=BAD,
    ),
    Claim(
        id="C4-error",
        statement="String states bring observables closer to the exact ones",
        reported="a figure; judged by the sign",
        source=STRINGS,
        rules=_same(_less("transformer-strings", than="transformer")),
        counterexample=BAD,
    ),
    Claim(
        id="C5-product",
        statement="Correlations matter: the transformer is closer than mean field",
        reported="not stated",
        source=OURS,
        rules=_same(_less("transformer", than="product")),
        counterexample=BAD,
    ),
    Claim(
        id="C5-gru",
        statement="A recurrent network of the same size does as well",
        reported="not stated; judged as a difference of at most 0.02",
        source=OURS,
        rules=_same(_alike("transformer", "gru")),
        counterexample=BAD,
    ),
    Claim(
        id="C5-made",
        statement="A masked layer of the same size does as well",
        reported="not stated; judged as a difference of at most 0.02",
        source=OURS,
        rules=_same(_alike("transformer", "made")),
        counterexample=BAD,
    ),
    Claim(
        id="C6-order",
        statement="The trapezoid is of second order in tau, Euler's step of first",
        reported="halving tau divides the error by 4 ± 0.3 and by 2 ± 0.2",
        source=DERIVED,
        rules={
            "order": all_of(
                every_seed("order_ratio", "exact-trapezoid", at_least=3.7, at_most=4.3),
                every_seed("order_ratio", "exact-euler", at_least=1.8, at_most=2.2),
            )
        },
        counterexample=table_of(
            exact_trapezoid={"order_ratio": [4.0, 4.0, 2.0]}, exact_euler={"order_ratio": [2.0, 2.0, 2.0]}
        ),
    ),
    Claim(
        id="C6-network",
        statement="A network that is advanced by the trapezoid is closer than one that is advanced by Euler's step",
        reported="not stated; judged by the sign",
        source=OURS,
        rules=_same(
            with_note(
                _less("transformer", than="transformer-euler"),
                "Euler's step of that length is unstable, whatever makes it.",
            ),
            "xyz",
            "xyz-3x3",
        ),
        counterexample=BAD,
    ),
    Claim(
        id="C7",
        statement="The tetrahedron estimates ⟨Z⟩ with smaller standard errors than 4pauli, the code's default",
        reported="coefficients (3, -1, -1, -1) against (5, -1, -1, -1)",
        source=DERIVED,
        rules=_same(
            _less("transformer", than="transformer-4pauli", metric="z_standard_error"), *EXPERIMENTS, "tfim-16"
        ),
        counterexample=table_of(
            transformer={"z_standard_error": [0.02, 0.021, 0.02]},
            transformer_4pauli={"z_standard_error": [0.01, 0.011, 0.01]},
        ),
    ),
    Claim(
        id="C8",
        statement="The published code skips its layer norm and loses nothing: with one the error is not 0.02 smaller",
        reported="not stated; the code's layer norm returns its input",
        source=OURS,
        rules=_same(difference(ERROR, "transformer-norm", minus="transformer", above=-ALIKE)),
        counterexample=BAD,
    ),
)
