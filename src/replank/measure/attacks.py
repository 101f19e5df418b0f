"""Inputs that are changed on purpose so that a classifier errs.

Radius, step and bounds are in the units of the inputs as they are given, say pixels in [0, 1]. A model that takes
normalised inputs is given their mean and standard deviation here: the normalisation is done inside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from replank import seeding
from replank.measure._disturbance import Channels, Normalised, check_inside, check_levels
from replank.measure.evaluation import evaluating

Norm = Literal["linf", "l2"]
"""How far an attacker may go: so far in each number, or so far in all in the Euclidean sense."""

_BATCH_SIZE = 256  # bounds memory; results do not depend on it


def fgsm(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    eps: float,
    bounds: tuple[float, float] = (0.0, 1.0),
    mean: Channels = None,
    std: Channels = None,
) -> Tensor:
    """Inputs after one step of length ``eps`` against the sign of the gradient (Goodfellow et al., arXiv 1412.6572).

    Arguments and errors are those of :func:`pgd`.
    """
    return pgd(model, x, y, eps=eps, alpha=eps or 1.0, steps=1, bounds=bounds, mean=mean, std=std, random_start=False)


def pgd(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    eps: float,
    alpha: float,
    steps: int,
    norm: Norm = "linf",
    bounds: tuple[float, float] = (0.0, 1.0),
    mean: Channels = None,
    std: Channels = None,
    random_start: bool = True,
    legacy_clamp: bool = False,
    seed: int = 0,
) -> Tensor:
    """Inputs that an attacker has moved by up to ``eps`` uphill in the cross-entropy, a step of ``alpha`` at a time.

    Projected gradient descent of Madry et al. (arXiv 1706.06083): after each step back into the ball around the input
    and into the bounds. Some published code attacks *normalised* inputs and clamps them to the bounds of pixels all the
    same, which disturbs them far more than the attack: ``legacy_clamp`` does that, to see what its numbers mean.

    Args:
        model: from inputs, normalised if ``mean`` and ``std`` are given, to logits; it is left as it was.
        x: inputs before normalisation, shape ``(n, channels, ...)`` or ``(n, features)``, inside the bounds.
        y: class numbers, shape ``(n,)``.
        eps: radius of the ball in units of ``x``; with ``legacy_clamp`` in units of the normalised input.
        alpha: length of a step, likewise; in the maximum norm each entry moves by it.
        steps: number of steps.
        norm: of ball and step.
        bounds: least and greatest value that an entry of ``x`` can have.
        mean: of each channel (of each feature without further dimensions); for a model that takes ``x`` itself, none.
        std: standard deviations, likewise.
        random_start: whether to begin at a random point of the ball.
        legacy_clamp: attack the normalised input and clamp it to the bounds, as if it were not normalised.
        seed: of the random starts.

    Returns:
        Attacked inputs in units of ``x``, inside ball and bounds; with ``legacy_clamp`` inside neither.

    Raises:
        TypeError: inputs are not floating point.
        ValueError: a negative or infinite radius, a step that is not positive, inputs outside the bounds, a mean
            without a standard deviation, or one that does not fit the channels.
    """
    check_levels("pgd", "eps", [eps], x)
    if not 0 < alpha < float("inf") or steps < 1:
        raise ValueError(f"pgd: needs at least one step of positive length, got alpha={alpha}, steps={steps}.")
    if norm not in get_args(Norm):
        raise ValueError(f"pgd: `norm` must be one of {', '.join(get_args(Norm))}, got norm={norm!r}.")
    victim = Normalised.of("pgd", model, x, mean, std)
    check_inside("pgd", x, bounds)
    centre = victim.normalised(x) if legacy_clamp else x
    start = centre + _random_offset(centre, eps, norm, seed) if random_start and eps else centre
    ball = _BALLS[norm]
    attacked = []
    with evaluating(model):
        for middle, at, labels in zip(*(torch.split(each, _BATCH_SIZE) for each in (centre, start, y)), strict=True):
            moved = at.clamp(*bounds)
            for _ in range(steps):
                uphill = _gradient(victim.model if legacy_clamp else victim, moved, labels)
                moved = ball.into(middle, moved + alpha * ball.direction(uphill), eps).clamp(*bounds)
            attacked.append(moved)
    found = torch.cat(attacked)
    return victim.pixels(found) if legacy_clamp else found


def clamp_only(
    x: Tensor, *, bounds: tuple[float, float] = (0.0, 1.0), mean: Sequence[float], std: Sequence[float]
) -> Tensor:
    """Inputs whose normalised values were clamped to the bounds: what ``legacy_clamp`` does before any attack.

    Args:
        x: inputs before normalisation, shape ``(n, channels, ...)``.
        bounds: of inputs before normalisation, applied to normalised ones.
        mean: of each channel.
        std: of each channel.

    Returns:
        Clamped inputs in units of ``x``.

    Raises:
        ValueError: mean or standard deviation do not fit the channels.
    """
    victim = Normalised.of("clamp_only", nn.Identity(), x, mean, std)
    return victim.pixels(victim.normalised(x).clamp(*bounds))


class _Cube:
    """The ball of the maximum norm."""

    @staticmethod
    def direction(gradient: Tensor) -> Tensor:
        """The step of length one that climbs most."""
        return gradient.sign()

    @staticmethod
    def into(centre: Tensor, x: Tensor, eps: float) -> Tensor:
        """The nearest point of the ball."""
        return torch.clamp(x, centre - eps, centre + eps)


class _Ball:
    """The ball of the Euclidean norm."""

    @staticmethod
    def direction(gradient: Tensor) -> Tensor:
        """The step of length one that climbs most; none where the loss is flat."""
        length = _lengths(gradient)
        return gradient / torch.where(length > 0, length, torch.ones_like(length))

    @staticmethod
    def into(centre: Tensor, x: Tensor, eps: float) -> Tensor:
        """The nearest point of the ball."""
        length = _lengths(x - centre)
        return torch.where(length > eps, centre + (x - centre) * (eps / length.clamp_min(eps or 1.0)), x)


_BALLS: dict[Norm, _Cube | _Ball] = {"linf": _Cube(), "l2": _Ball()}


def _lengths(x: Tensor) -> Tensor:
    """Euclidean length of each sample, with dimensions to broadcast by."""
    return x.flatten(1).norm(dim=1).view(-1, *[1] * (x.ndim - 1))


def _random_offset(x: Tensor, eps: float, norm: Norm, seed: int) -> Tensor:
    """A random point of the ball around zero for each sample, drawn on the CPU so that every device sees the same."""
    stream = seeding.torch_stream(seed, "robustness", "pgd")
    if norm == "linf":
        return (eps * (2 * torch.rand(x.shape, generator=stream, dtype=x.dtype) - 1)).to(x.device)
    towards = _Ball.direction(torch.randn(x.shape, generator=stream, dtype=x.dtype))
    reach = torch.rand(len(x), *[1] * (x.ndim - 1), generator=stream, dtype=x.dtype) ** (1 / max(1, x[0].numel()))
    return (eps * reach * towards).to(x.device)


def _gradient(victim: Callable[[Tensor], Tensor], x: Tensor, y: Tensor) -> Tensor:
    """Gradient of each sample's cross-entropy; parameters get none."""
    with torch.enable_grad():
        inputs = x.detach().requires_grad_()
        # a sum, not a mean: a sample's gradient must not depend on how many others there are
        loss = functional.cross_entropy(victim(inputs), y, reduction="sum")
        return torch.autograd.grad(loss, inputs)[0]
