"""The paper's statements, with the rules that judge them.

Of the paper its abstract alone was available: it has no layer sizes and no errors. All sizes and margins are ours, and
no number here is the paper's.
"""

from __future__ import annotations

from collections.abc import Iterable

from replank.lab.claim import Claim, Rule, all_of, difference, every_seed, mean_within, ratio, table_of, with_note
from replank.parts.papers import ALUVIHARE2025
from replank.sources import Source
from replank.studies.structured_hankel_network.settings import ROLLOUT_ERROR, SCALES, VALID_TIME

ABSTRACT = Source(ALUVIHARE2025, "abstract", "paper")
SECOND_ABSTRACT = Source(ALUVIHARE2025, "abstract of version 2", "paper")
OURS = Source(None, "a comparison that the paper does not have", "ours")

UNKNOWN = "qualitative: the paper's numbers were unavailable"
NOTE = "The paper's own numbers were unavailable; sizes are ours."
KEPT = 0.8
"""What part of a dense network's valid time counts as kept."""
LORENZ = tuple(
    dict.fromkeys(
        name
        for scale in SCALES.values()
        for name, protocol in scale.protocols.items()
        if name.startswith("lorenz") and name != "lorenz-rho" and protocol.is_for_arm("sindy")
    )
)
LINEAR = ("dmd", "hankel-dmd", "havok")
RIVALS = ("sindy", *LINEAR)


def _under(protocols: Iterable[str], rule: Rule, note: str = NOTE) -> dict[str, Rule]:
    return dict.fromkeys(protocols, with_note(rule, note))


def _cheaper(number: str, metric: str, words: str) -> Claim:
    """A claim that a cost is less than that of every rival."""
    return Claim(
        id=number,
        statement=f"The structured network is an alternative to SINDy, HAVOK and DMD with lower complexity: {words}",
        reported=UNKNOWN,
        source=ABSTRACT,
        rules=_under(LORENZ, all_of(*(ratio(metric, "stnn", over=rival, below=1) for rival in RIVALS))),
        counterexample=table_of(
            stnn={metric: [30.0, 31.0, 32.0]},
            **{rival.replace("-", "_"): {metric: [10.0, 10.1, 10.2]} for rival in RIVALS},
        ),
    )


def _valid_longer(number: str, rivals: tuple[str, ...], statement: str, source: Source) -> Claim:
    return Claim(
        id=number,
        statement=statement,
        reported=UNKNOWN,
        source=source,
        rules=_under(LORENZ, all_of(*(difference(VALID_TIME, "stnn", minus=rival, above=0) for rival in rivals))),
        counterexample=table_of(
            stnn={VALID_TIME: [1.0, 1.1, 1.2]},
            **{rival.replace("-", "_"): {VALID_TIME: [5.0, 5.2, 5.1]} for rival in rivals},
        ),
    )


CLAIMS = (
    Claim(
        id="C1",
        statement="The structured network needs fewer parameters than a dense one: at most a tenth in the layers that "
        "are swapped, with 48 inputs",
        reported=UNKNOWN,
        source=ABSTRACT,
        rules=_under(("lorenz",), every_seed("hidden_parameters_over_dense", "stnn", at_most=0.1)),
        counterexample=table_of(stnn={"hidden_parameters_over_dense": [0.4, 0.4, 0.4]}),
    ),
    Claim(
        id="C2",
        statement="Its complexity is lower, O(p M log M) for a layer of M nodes instead of O(M²): its time grows with "
        "a power of at most 1.3, that of a dense layer with about 2",
        reported="O(p L M log M) for L layers; no measurement is known",
        source=ABSTRACT,
        rules=_under(
            ("cost",),
            all_of(
                every_seed("flops_slope", "stnn", at_most=1.3),
                mean_within("time_slope_batch_64", "stnn", below=1.3),
                mean_within("time_slope_batch_64", "dense", above=1.6, below=2.4),
            ),
        ),
        counterexample=table_of(
            stnn={"flops_slope": [1.9, 1.9, 1.9], "time_slope_batch_64": [1.9, 1.8, 1.95]},
            dense={"time_slope_batch_64": [1.9, 1.8, 1.95]},
        ),
    ),
    Claim(
        id="C3",
        statement="Accuracy is kept: forecasts of Lorenz are valid for at least 0.8 of the time of a dense network's",
        reported=UNKNOWN,
        source=ABSTRACT,
        rules=_under(LORENZ, ratio(VALID_TIME, "stnn", over="dense", above=KEPT)),
        counterexample=table_of(stnn={VALID_TIME: [1.0, 1.1, 1.2]}, dense={VALID_TIME: [3.0, 3.1, 3.2]}),
    ),
    Claim(
        id="C3-one-step",
        statement="One step ahead its error on Lorenz is below 0.02 of the spread and a fifth of persistence's",
        reported=UNKNOWN,
        source=OURS,
        rules=_under(
            LORENZ,
            all_of(
                mean_within("one_step_error", "stnn", below=0.02),
                ratio("one_step_error", "stnn", over="persistence", below=0.2),
            ),
        ),
        counterexample=table_of(
            stnn={"one_step_error": [0.2, 0.21, 0.19]}, persistence={"one_step_error": [0.1, 0.11, 0.12]}
        ),
    ),
    _valid_longer(
        "C3-size",
        ("dense-matched", "low-rank"),
        "It is not the size alone: forecasts are valid for longer than those of a narrower dense network and of layers "
        "of low rank with no more parameters",
        OURS,
    ),
    Claim(
        id="C4",
        statement="On Lotka-Volterra it is at least as good as LEADS: the mean squared error over the horizon is not "
        "larger",
        reported=UNKNOWN,
        source=ABSTRACT,
        rules=_under(
            ("lotka-volterra",),
            difference(ROLLOUT_ERROR, "stnn", minus="leads", below=0),
            NOTE + " The network sees states every 0.05, LEADS every 0.5 and is told the environment.",
        ),
        counterexample=table_of(stnn={ROLLOUT_ERROR: [0.5, 0.6, 0.7]}, leads={ROLLOUT_ERROR: [-1.0, -1.1, -1.2]}),
    ),
    _valid_longer(
        "C5-sindy",
        ("sindy",),
        "It is an alternative to SINDy: forecasts of Lorenz are valid for longer, although SINDy's polynomials hold "
        "the very equations",
        ABSTRACT,
    ),
    _valid_longer(
        "C5-linear",
        LINEAR,
        "It is an alternative to DMD, Hankel-DMD and HAVOK: forecasts are valid for longer",
        ABSTRACT,
    ),
    _cheaper("C5-parameters", "parameters", "fewer parameters"),
    _cheaper("C5-fit", "fit_s", "it is fitted in less time"),
    _cheaper("C5-step", "step_us_of_1", "a step takes less time"),
    Claim(
        id="C6",
        statement="Inference takes less time than with a dense network of the same widths, for one window and "
        "for 4,096",
        reported=UNKNOWN,
        source=SECOND_ABSTRACT,
        rules=_under(
            ("cost",),
            all_of(*(mean_within(f"network_time_over_dense_of_{n}", "stnn", below=1) for n in (1, 4096))),
        ),
        counterexample=table_of(
            stnn={
                "network_time_over_dense_of_1": [2.0, 2.1, 2.2],
                "network_time_over_dense_of_4096": [3.0, 3.1, 3.2],
            }
        ),
    ),
)
