"""Inputs that are changed on purpose so that a classifier errs.

Radius, step and bounds are in the units of the inputs as they are given, say pixels in [0, 1]. A model that takes
normalised inputs is given their mean and standard deviation here: the normalisation is done inside.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from replank import seeding
from replank.measure._balls import BALLS, Ball, Norm, lengths, random_offset
from replank.measure._disturbance import Channels, Normalised, check_classes, check_inside, check_levels
from replank.measure.evaluation import evaluating

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
    targeted: bool = False,
) -> Tensor:
    """Inputs after one step of length ``eps`` against the sign of the gradient (Goodfellow et al., arXiv 1412.6572).

    Arguments and errors are those of :func:`pgd`.
    """
    return pgd(
        model, x, y, eps=eps, alpha=eps or 1.0, steps=1, bounds=bounds, mean=mean, std=std, random_start=False,
        targeted=targeted,
    )  # fmt: skip


def bim(
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
    targeted: bool = False,
) -> Tensor:
    """Inputs after several small steps of :func:`fgsm` (Kurakin et al., arXiv 1607.02533): :func:`pgd` from the input.

    Arguments and errors are those of :func:`pgd`.
    """
    return pgd(
        model, x, y, eps=eps, alpha=alpha, steps=steps, norm=norm, bounds=bounds, mean=mean, std=std,
        random_start=False, targeted=targeted,
    )  # fmt: skip


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
    targeted: bool = False,
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
        y: class numbers, shape ``(n,)``: the true ones, or those that the attacker wants if ``targeted``.
        eps: radius of the ball in units of ``x``; with ``legacy_clamp`` in units of the normalised input.
        alpha: length of a step, likewise; in the maximum norm each entry moves by it.
        steps: number of steps.
        norm: of ball and step.
        bounds: least and greatest value that an entry of ``x`` can have.
        mean: of each channel (of each feature without further dimensions); for a model that takes ``x`` itself, none.
        std: standard deviations, likewise.
        random_start: whether to begin at a random point of the ball.
        targeted: whether to go downhill instead, towards the classes ``y``.
        legacy_clamp: attack the normalised input and clamp it to the bounds, as if it were not normalised.
        seed: of the random starts.

    Returns:
        Attacked inputs in units of ``x``, inside ball and bounds; with ``legacy_clamp`` inside neither.

    Warns:
        UserWarning: the model is in training mode and has dropout; it is attacked in evaluation mode all the same.

    Raises:
        TypeError: inputs are not floating point, or the model is not differentiable.
        ValueError: a negative or infinite radius, a step that is not positive, inputs outside the bounds, a mean
            without a standard deviation, or one that does not fit the channels; labels that are not the model's.
    """
    check_levels("pgd", "eps", [eps], x)
    if not 0 < alpha < float("inf") or steps < 1:
        raise ValueError(f"pgd: needs at least one step of positive length, got alpha={alpha}, steps={steps}.")
    if norm not in get_args(Norm):
        raise ValueError(f"pgd: `norm` must be one of {', '.join(get_args(Norm))}, got norm={norm!r}.")
    victim = Normalised.of("pgd", model, x, mean, std)
    check_inside("pgd", x, bounds)
    if not eps and not legacy_clamp:
        return x.clone()
    centre = victim.normalised(x) if legacy_clamp else x
    start = centre + random_offset(centre, eps, norm, seed, "pgd") if random_start and eps else centre
    ball, sense = BALLS[norm], -1.0 if targeted else 1.0
    _warn_of_dropout(model)
    attacked = []
    with evaluating(model):
        for middle, at, labels in zip(*(torch.split(each, _BATCH_SIZE) for each in (centre, start, y)), strict=True):
            moved = at.clamp(*bounds)
            for _ in range(steps):
                uphill = _gradient(victim.model if legacy_clamp else victim, moved, labels)
                moved = ball.into(middle, moved + sense * alpha * ball.direction(uphill), eps).clamp(*bounds)
            attacked.append(moved)
    found = torch.cat(attacked)
    return victim.pixels(found) if legacy_clamp else found


def random_noise_like(delta: Tensor, *, norm: Norm = "linf", seed: int = 0) -> Tensor:
    """Noise of no direction that is as large as a perturbation, sample by sample: the control of every attack.

    In the maximum norm each entry gets a random sign, so that noise and a step of :func:`fgsm` have the same Euclidean
    length, too; in the Euclidean norm all directions are alike.

    Args:
        delta: what an attack has added to inputs, shape ``(n, ...)``.
        norm: in which they are equally large.
        seed: of the noise, drawn on the CPU so that every device sees the same.

    Raises:
        TypeError: ``delta`` is not floating point.
        ValueError: no such norm.
    """
    check_levels("random_noise_like", "delta", [0.0], delta)
    if norm not in get_args(Norm):
        raise ValueError(f"random_noise_like: `norm` must be one of {', '.join(get_args(Norm))}, got norm={norm!r}.")
    stream = seeding.torch_stream(seed, "robustness", "noise like", norm)
    if norm == "linf":
        signs = 2.0 * torch.randint(0, 2, delta.shape, generator=stream).to(delta) - 1
        return signs * delta.abs().flatten(1).amax(1).view(-1, *[1] * (delta.ndim - 1))
    towards = Ball.direction(torch.randn(delta.shape, generator=stream, dtype=delta.dtype))
    return towards.to(delta.device) * lengths(delta)


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


def _gradient(victim: Callable[[Tensor], Tensor], x: Tensor, y: Tensor) -> Tensor:
    """Gradient of each sample's cross-entropy; parameters get none."""
    with torch.enable_grad():
        inputs = x.detach().requires_grad_()
        logits = victim(inputs)
        if not logits.requires_grad:
            raise TypeError(
                "pgd: `model` must be differentiable, got outputs that do not depend on the input by autograd. Attack "
                "another model and see what its examples do to this one."
            )
        check_classes("pgd", y, logits.shape[1])
        # a sum, not a mean: a sample's gradient must not depend on how many others there are
        loss = functional.cross_entropy(logits, y, reduction="sum")
        return torch.autograd.grad(loss, inputs)[0]


def _warn_of_dropout(model: nn.Module) -> None:
    kinds = nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout
    if any(isinstance(each, kinds) and each.training and each.p for each in model.modules()):
        warnings.warn(
            "pgd: the model is in training mode and has dropout. It is attacked in evaluation mode; call .eval() first "
            "if that is what you want.",
            stacklevel=3,
        )
