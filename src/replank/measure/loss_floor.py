"""The loss that bounded logits can't go below."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import optimize
from torch import Tensor


def bounded_logit_floor(class_frequencies: Tensor | np.ndarray | Sequence[float]) -> float:
    """Least cross-entropy of logits ``p + b``, with ``p`` a sub-probability vector for each sample and ``b`` free.

    With ``p_k`` in [0, 1] and ``Σ p_k <= 1``, a logit can lead another by at most ``1 + b_y - b_j``, so that

        ``floor = min_b Σ_y f_y ln(1 + Σ_{j ≠ y} exp(b_j - b_y - 1))``

    over class frequencies ``f``; for K equally frequent classes it is ``ln(1 + (K - 1)/e)``, 1.46115 for K = 10. It is
    reached by ``p`` that puts all weight on the true class. A layer that prints measurement probabilities as logits
    can't do better, however long it is trained; one that does better does not print probabilities.

    The problem is convex. With ``w = softmax(b)`` the gradient vanishes where ``w_y (1 + (e - 1) w_y) = f_y / c`` for
    one constant ``c``: a quadratic for each class, and ``c`` is the root of ``Σ w_y(c) = 1``, which lies in [1/e, 1].
    An absent class has ``w_y = 0``: then the floor is approached as its ``b_y`` goes to minus infinity.

    Args:
        class_frequencies: frequencies or counts, shape ``(n_classes,)``; only their ratios matter.

    Returns:
        Nats per sample; 0 if there is one class only.

    Raises:
        ValueError: it is not a vector of finite numbers, none negative and not all zero.

    Source: derived here, for the bound used by Wang et al. (2024), arXiv 2409.17583.
    """
    if isinstance(class_frequencies, Tensor):
        class_frequencies = class_frequencies.detach().cpu().numpy()
    f = np.asarray(class_frequencies, dtype=float)
    if f.ndim != 1 or not np.isfinite(f).all() or (f < 0).any() or not f.any():
        raise ValueError(
            f"bounded_logit_floor: `class_frequencies` must be a vector of finite numbers, none negative and not all "
            f"zero, got {f.tolist()}."
        )
    f = f / f.sum()

    def weights(c: float) -> np.ndarray:
        # the positive root of the quadratic, in the form that does not cancel for small f
        return 2 * f / c / (1 + np.sqrt(1 + 4 * (math.e - 1) * f / c))

    # the bracket is a little wider than the proven one, so that rounding can't put the root outside
    c = optimize.brentq(lambda c: weights(c).sum() - 1, 0.9 / math.e, 1.1, xtol=1e-15, rtol=1e-14)
    present = f > 0
    w = weights(c)[present]
    w /= w.sum()  # exactly one, so that a single class gives exactly zero
    return float(np.sum(f[present] * np.log1p((1 - w) / (math.e * w))))
