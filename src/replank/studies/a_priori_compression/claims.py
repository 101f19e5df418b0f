"""The paper's statements, with the rules that judge them.

The abstract, which alone was available, has no numbers: "equivalent accuracy", "fewer parameters", "a lower memory
footprint", "less overfitting", "training and prediction time would be cut". Sizes, margins and data are ours, and no
number here is the paper's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from replank.lab.claim import Claim, Rule, all_of, difference, every_seed, mean_within, ratio, table_of, with_note
from replank.parts.papers import BOUKRAICHI2023
from replank.sources import Source

ABSTRACT = Source(BOUKRAICHI2023, "abstract", "paper")
IMPLIED = Source(BOUKRAICHI2023, "what “a priori” means, not said in so many words", "derived")
COUNTED = Source(BOUKRAICHI2023, "number of factors' entries; layers of our choice", "derived")
OURS = Source(None, "question that the paper leaves open", "ours")

QUALITATIVE = "qualitative: the abstract gives no number"
EQUIVALENT = 1.25
"""What the ratio of two errors may be to call them equivalent [ours]."""

ERROR, ROLLED = "test_l2_error", "rollout_l2_error"
GAP, GAP_AT_LEVEL = "test_minus_train_l2_error", "gap_error_at_level"
SHOTS = ("one-shot", "one-shot-32")
FIELDS = (*SHOTS, "few", "space-time")
FACTORISED = ("rank1", "cp", "spatial", "depthwise-separable")
SIZES = "Sizes are ours, not the paper's."


def _each(protocols: Iterable[str], rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(protocols, with_note(rule, SIZES))


def _beats_the_trivial(arms: Iterable[str], metric: str = ERROR) -> Rule:
    return all_of(*(difference(metric, arm, minus=other, below=0) for arm in arms for other in ("zero", "frame-mean")))


def _exactly(metric: str, weights: Mapping[str, int]) -> Rule:
    return all_of(*(every_seed(metric, arm, at_least=n, at_most=n) for arm, n in weights.items()))


def _equivalent(number: str, arm: str, words: str, source: Source) -> Claim:
    """Claim C1, for one reading of "one-way filters"."""
    rolled = ratio(ROLLED, arm, over="dense", below=EQUIVALENT)
    return Claim(
        id=number,
        statement=f"Networks with {words} are as accurate as with dense kernels: their error is less than 1.25 times "
        "as large",
        reported=QUALITATIVE,
        source=source,
        rules=_each(FIELDS, ratio(ERROR, arm, over="dense", below=EQUIVALENT)) | _each(("step",), rolled),
        counterexample=table_of(
            **{
                arm.replace("-", "_"): {ERROR: [0.7, 0.71, 0.72], ROLLED: [0.7, 0.71, 0.72]},
                "dense": {ERROR: [0.4, 0.41, 0.42], ROLLED: [0.4, 0.41, 0.42]},
            }
        ),
    )


def _less(
    number: str, metric: str, statement: str, *, arm: str = "rank1", protocols: tuple[str, ...] = SHOTS, note: str = "",
    source: Source = ABSTRACT,
) -> Claim:  # fmt: skip
    """A claim that something is less than with dense kernels, in a ratio."""
    rule = ratio(metric, arm, over="dense", below=1)
    return Claim(
        id=number,
        statement=statement,
        reported=QUALITATIVE,
        source=source,
        rules=_each(protocols, with_note(rule, note) if note else rule),
        counterexample=table_of(
            **{arm.replace("-", "_"): {metric: [3.0, 3.1, 3.2]}, "dense": {metric: [1.0, 1.1, 1.2]}}
        ),
    )


MORE_GAP = table_of(
    rank1={GAP: [0.3, 0.31, 0.32], GAP_AT_LEVEL: [0.3, 0.31, 0.32]},
    dense={GAP: [0.1, 0.11, 0.12], GAP_AT_LEVEL: [0.1, 0.11, 0.12]},
)
WRONG_COUNTS = table_of(
    **{
        arm: {"weights_of_64_to_64": [7.0, 7.0], "weights_of_16_to_32": [7.0, 7.0]}
        for arm in ("dense", "rank1", "cp", "spatial")
    }
)
WORSE_THAN_TRIVIAL = table_of(
    **{
        arm.replace("-", "_"): {ERROR: [1.2, 1.21, 1.22], ROLLED: [1.2, 1.21, 1.22]}
        for arm in ("dense", *FACTORISED, "low-rank", "dense-thin", "posthoc-cp-tuned")
    },
    zero={ERROR: [1.0, 1.0, 1.0], ROLLED: [1.0, 1.0, 1.0]},
    frame_mean={ERROR: [0.9, 0.9, 0.9], ROLLED: [0.9, 0.9, 0.9]},
)
SLOWER = table_of(
    **{
        arm.replace("-", "_"): {
            "time_over_dense_at_64_channels": [1.5, 1.6, 1.55],
            "training_time_over_dense_at_64_channels": [1.5, 1.6, 1.55],
            "speed_up_by_time_per_saved_mac": [2.0, 2.1, 2.05],
            "speed_up_by_training_time_per_saved_mac": [2.0, 2.1, 2.05],
        }
        for arm in FACTORISED
    }
)

CLAIMS = (
    _equivalent("C1", "rank1", "a product of one-way filters for each output channel", ABSTRACT),
    _equivalent("C1-cp", "cp", "a canonical decomposition of the whole kernel", ABSTRACT),
    _equivalent("C1-spatial", "spatial", "only the axes of space taken apart", OURS),
    _equivalent("C1-depthwise", "depthwise-separable", "depthwise-separable convolutions", OURS),
    _less("C2", "trainable_parameters", "The network has fewer trainable parameters", protocols=(*FIELDS, "step")),
    Claim(
        id="C2-counts",
        statement="From 64 to 64 channels with a window of 5x5 a layer has 102,400 weights dense, 4,736 by one-way "
        "filters, 2,208 by a decomposition of rank 16 and 40,960 by its axes; from 16 to 32 with 3x3 4,608, 704, 864",
        reported="qualitative; the counts follow from the definitions",
        source=COUNTED,
        rules={
            "cost": all_of(
                _exactly("weights_of_64_to_64", {"dense": 102_400, "rank1": 4736, "cp": 2208, "spatial": 40_960}),
                _exactly("weights_of_16_to_32", {"dense": 4608, "rank1": 704, "cp": 864}),
            )
        },
        counterexample=WRONG_COUNTS,
    ),
    _less("C3-parameters", "parameter_kib", "The parameters take less memory"),
    _less(
        "C3-prediction",
        "peak_predict_mib",
        "A prediction takes less memory at its peak",
        note="Resident memory above the level before, on a batch of 32; the dense kernel's work space is in it.",
    ),
    _less(
        "C3-training",
        "peak_train_mib",
        "A step of training takes less memory at its peak",
        note="Resident memory above the level before, on a batch of 32. Between the stages there are further maps.",
    ),
    _less(
        "C3-kept",
        "kept_mib",
        "A forward pass keeps less for the backward pass",
        note="Counted, not measured: bytes of what autograd keeps. Each stage keeps its own input.",
    ),
    Claim(
        id="C4-epochs",
        statement="It overfits less: after equally many epochs the test error is less far above the training error",
        reported=QUALITATIVE,
        source=ABSTRACT,
        rules=_each(FIELDS, difference(GAP, "rank1", minus="dense", below=0)),
        counterexample=MORE_GAP,
    ),
    Claim(
        id="C4-error",
        statement="It overfits less: so it is at the same training error, when each network first comes down to it",
        reported=QUALITATIVE,
        source=ABSTRACT,
        rules=_each((*SHOTS, "few"), difference(GAP_AT_LEVEL, "rank1", minus="dense", below=0)),
        counterexample=MORE_GAP,
    ),
    _less(
        "C5-training",
        "train_cpu_s_per_epoch",
        "Training is faster",
        protocols=(*FIELDS, "step"),
        note="CPU seconds of an epoch, on one thread.",
    ),
    _less(
        "C5-prediction",
        "prediction_ms",
        "Predicting is faster",
        protocols=(*FIELDS, "step"),
        note="Median of seven passes, on one thread.",
    ),
    _less("C5-macs", "macs", "A prediction takes fewer multiply-adds", protocols=(*FIELDS, "step")),
    *(
        Claim(
            id=f"C5-layer-{arm}",
            statement=f"A layer from 64 to 64 channels is faster by {arm} than dense, with a backward pass and without",
            reported=QUALITATIVE,
            source=ABSTRACT if arm in ("rank1", "cp") else OURS,
            rules={
                "cost": with_note(
                    all_of(
                        mean_within("time_over_dense_at_64_channels", arm, below=1),
                        mean_within("training_time_over_dense_at_64_channels", arm, below=1),
                    ),
                    "One thread of this machine.",
                )
            },
            counterexample=SLOWER,
        )
        for arm in FACTORISED
    ),
    Claim(
        id="C5-below-macs",
        statement="On a processor the one-way filters, which are bound by memory, save less time than multiply-adds",
        reported="–",
        source=OURS,
        rules={
            "cost": all_of(
                mean_within("speed_up_by_time_per_saved_mac", "rank1", below=1),
                mean_within("speed_up_by_training_time_per_saved_mac", "rank1", below=1),
            )
        },
        counterexample=SLOWER,
    ),
    Claim(
        id="C6",
        statement="Taken apart before training, kernels are more accurate than taken apart after it, at the same rank "
        "and without further training",
        reported="implied by “a priori”",
        source=IMPLIED,
        rules=_each(SHOTS, difference(ERROR, "cp", minus="posthoc-cp", below=0)),
        counterexample=table_of(cp={ERROR: [0.6, 0.61, 0.62]}, posthoc_cp={ERROR: [0.4, 0.41, 0.42]}),
    ),
    Claim(
        id="C6-tuned",
        statement="They are so even if the latter are trained further, for half as many epochs again",
        reported="–",
        source=OURS,
        rules=_each(SHOTS, difference(ERROR, "cp", minus="posthoc-cp-tuned", below=0)),
        counterexample=table_of(cp={ERROR: [0.6, 0.61, 0.62]}, posthoc_cp_tuned={ERROR: [0.4, 0.41, 0.42]}),
    ),
    Claim(
        id="same-size",
        statement="One-way filters are more accurate than a dense network with fewer channels and no more parameters",
        reported="–",
        source=OURS,
        rules=_each((*SHOTS, "few"), difference(ERROR, "rank1", minus="dense-thin", below=0)),
        counterexample=table_of(rank1={ERROR: [0.6, 0.61, 0.62]}, dense_thin={ERROR: [0.4, 0.41, 0.42]}),
    ),
    Claim(
        id="trivial",
        statement="Every network is better, after its last epoch, than the field at rest and than the mean of the "
        "training frames",
        reported="–",
        source=OURS,
        rules={
            **_each(SHOTS, _beats_the_trivial(("dense", *FACTORISED, "low-rank", "dense-thin", "posthoc-cp-tuned"))),
            **_each(("step",), _beats_the_trivial(("dense", "rank1"), ROLLED)),
            **_each(("few", "space-time"), _beats_the_trivial(("dense", "rank1"))),
        },
        counterexample=WORSE_THAN_TRIVIAL,
    ),
)
