"""How metrics are named and printed: one place, so that tables, pictures and the terminal agree."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

MISSING = "–"


@dataclass(frozen=True)
class Metric:
    """How one metric is shown.

    Args:
        name: column of the records.
        words: what people call it.
        unit: shown behind the words.
        scale: factor from the recorded unit to the shown one.
        digits: digits after the point; ``None`` shows four significant ones.
        compact: show large counts as 12.3 M.
        less_is_better: whether a smaller value is the better one, as of a loss.
    """

    name: str
    words: str
    unit: str = ""
    scale: float = 1.0
    digits: int | None = None
    compact: bool = False
    less_is_better: bool = False

    @property
    def label(self) -> str:
        """Words with the unit, for axes and headings."""
        return f"{self.words} ({self.unit})" if self.unit else self.words

    @property
    def difference_unit(self) -> str:
        """Unit of a difference of two values: per cent differ by points."""
        return "points" if self.unit == "%" else self.unit

    def is_better(self, difference: float) -> bool:
        """Whether a value is better than another one, by their difference."""
        return difference < 0 if self.less_is_better else difference > 0

    def show(self, value: Any) -> str:
        """A value as text; a dash if there is none."""
        if not _is_finite(value):
            return MISSING
        shown = float(value) * self.scale
        if self.compact:
            return _compact(shown)
        text = f"{shown:.4g}" if self.digits is None else f"{shown:,.{self.digits}f}"
        return _typeset(text)

    def show_signed(self, value: Any) -> str:
        """A difference as text, always with its sign."""
        text = self.show(value)
        return text if text == MISSING or text.startswith("−") else f"+{text}"

    def show_half(self, low: Any, high: Any) -> str:
        """Half the width of an interval, to be set behind a mean; nothing if it is not bounded."""
        return f" ± {self.show((high - low) / 2)}" if _is_finite(low) and _is_finite(high) else ""

    def show_interval(self, low: Any, high: Any, *, signed: bool = False) -> str:
        """An interval as text; a dash if it is not bounded, as with a single seed."""
        if not (_is_finite(low) and _is_finite(high)):
            return MISSING
        show = self.show_signed if signed else self.show
        return f"[{show(low)}, {show(high)}]"


_KNOWN = {
    metric.name: metric
    for metric in (
        Metric("parameters", "parameters", digits=0),
        Metric("trainable_parameters", "trainable", digits=0),
        Metric("forward_flops", "FLOPs", "a sample", compact=True),
        Metric("train_wall_s_per_epoch", "training time", "s an epoch", digits=2),
        Metric("train_cpu_s_per_epoch", "CPU time", "s an epoch", digits=2),
        Metric("train_samples_per_s", "throughput", "samples a second", digits=0),
        Metric("peak_memory_mib", "peak memory", "MiB", digits=0),
        Metric("least_train_loss", "least train loss"),
        Metric("macs", "multiply-adds", "a sample", compact=True),
        Metric("swapped_weights", "swapped weights", digits=0),
        Metric("parameter_kib", "parameters", "KiB", digits=1),
        Metric("kept_mib", "kept for the backward pass", "MiB", digits=1),
        Metric("peak_train_mib", "peak in training", "MiB", digits=1),
        Metric("peak_predict_mib", "peak in prediction", "MiB", digits=1),
        Metric("prediction_ms", "prediction", "ms a sample", digits=3),
        Metric("valid_time", "valid time", "Lyapunov times", digits=2),
    )
}

_ENDINGS = {
    "accuracy": Metric("", "accuracy", "%", scale=100, digits=2),
    "ece": Metric("", "ECE", "%", scale=100, digits=2, less_is_better=True),
    "loss": Metric("", "loss", digits=3, less_is_better=True),
    "r2": Metric("", "R²", digits=3),
    "mae": Metric("", "MAE", less_is_better=True),
    "mcc": Metric("", "MCC", digits=3),
    "mse": Metric("", "MSE", less_is_better=True),
    "nmse": Metric("", "NMSE", less_is_better=True),
    "log10nmse": Metric("", "log₁₀ NMSE", digits=2, less_is_better=True),
    "nll": Metric("", "NLL", less_is_better=True),
    "error": Metric("", "error", less_is_better=True),
    "distance": Metric("", "distance", less_is_better=True),
}

_CIRCUMSTANCE = re.compile("_(at|attack|noise)_")
"""What follows says where a metric was measured: ``test_accuracy_noise_0.1``."""


def metric(name: str) -> Metric:
    """How the metric of that name is shown; an unknown one is shown under its own name."""
    if name in _KNOWN:
        return _KNOWN[name]
    circumstance = _CIRCUMSTANCE.search(name)
    end = circumstance.start() if circumstance else len(name)
    *before, last = name[:end].split("_")
    if last in _ENDINGS:
        known = _ENDINGS[last]
        return replace(known, name=name, words=" ".join([*before, known.words]) + name[end:].replace("_", " "))
    return Metric(name, name.replace("_", " "))


def number(value: Any) -> str:
    """Any number with four significant digits; a dash if there is none."""
    return _typeset(f"{float(value):.4g}") if _is_finite(value) else MISSING


def duration(seconds: float) -> str:
    """A time span for people: ``4.2 s``, ``3 min 20 s``, ``2 h 5 min``, ``3 days 4 h``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s".removesuffix(" 0 s")
    if whole >= 48 * 3600:
        return f"{whole // 86400} days {whole % 86400 // 3600} h".removesuffix(" 0 h")
    return f"{whole // 3600} h {whole % 3600 // 60} min".removesuffix(" 0 min")


def _is_finite(value: Any) -> bool:
    return value is not None and bool(np.isfinite(float(value)))


def _compact(value: float) -> str:
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return _typeset(f"{value / size:.3g} {letter}")
    return _typeset(f"{value:.3g}")


def _typeset(text: str) -> str:
    return text.replace("-", "−")
