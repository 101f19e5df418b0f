"""How accuracy falls when inputs are disturbed, at random or on purpose."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from replank import seeding
from replank.measure._disturbance import Normalised, check_inside, check_levels
from replank.measure._predictions import checked_logits
from replank.measure.attacks import fgsm, pgd
from replank.measure.classification import accuracy
from replank.measure.evaluation import evaluating, predict

_BATCH_SIZE = 256  # bounds memory; results do not depend on it

Attack = Callable[[nn.Module, Tensor, Tensor], Tensor]
"""From a model, inputs and labels to inputs that are to mislead it: ``partial(pgd, eps=0.1, alpha=0.02, steps=10)``."""

_PGD_STEPS = 40  # of 2.5 epsilon in all, so that every corner of the ball can be reached from every start


def noise_accuracy(model: nn.Module, x: Tensor, y: Tensor, sigmas: Sequence[float], *, seed: int) -> dict[float, float]:
    """Accuracy on inputs with Gaussian noise ``x + sigma * z``, where ``z`` is the same for all levels and models.

    Args:
        model: from inputs to logits; it is left as it was.
        x: inputs, shape ``(n, ...)``.
        y: class numbers, shape ``(n,)``.
        sigmas: standard deviations in units of ``x`` as the model takes it, i.e. after normalisation.
        seed: of the noise, which has a stream of its own.

    Returns:
        Accuracy in [0, 1] for each sigma.

    Raises:
        TypeError: inputs are not floating point.
        ValueError: there is no sigma, or one is negative or not finite, or the model's outputs do not fit ``y``.
    """
    check_levels("noise_accuracy", "sigmas", sigmas, x)
    # drawn on the CPU, so that every device sees the same noise
    stream = seeding.torch_stream(seed, "robustness", "noise")
    noise = torch.randn(x.shape, generator=stream, dtype=x.dtype).to(x.device)
    return {sigma: accuracy(predict(model, x + sigma * noise, batch_size=_BATCH_SIZE), y) for sigma in sigmas}


def adversarial_accuracy(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    epsilons: Sequence[float],
    *,
    bounds: tuple[float, float],
    attack: Literal["fgsm", "pgd"] = "fgsm",
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    seed: int = 0,
) -> dict[float, float]:
    """Accuracy when an attacker who knows the model may move each input by epsilon, in the largest of its numbers.

    A sample counts as right if the model is right on it and on its attacked version: an upper bound of the accuracy
    under the strongest attack. The attacks are :func:`fgsm`, and :func:`pgd` with 40 steps of epsilon/16 from a random
    start, which can cross the ball.

    Args:
        model: from inputs to logits; it is left as it was.
        x: inputs, shape ``(n, ...)``, inside the bounds.
        y: class numbers, shape ``(n,)``.
        epsilons: distances in units of ``x``.
        bounds: least and greatest value that an entry of ``x`` can have. The attacker stays inside.
        attack: how to look for the worst input.
        mean: of each channel, for a model that takes normalised inputs.
        std: likewise, the standard deviations.
        seed: of the random starts.

    Returns:
        Accuracy in [0, 1] for each epsilon.

    Raises:
        TypeError: inputs are not floating point.
        ValueError: there is no epsilon, or one is negative or not finite, inputs lie outside the bounds, the attack is
            unknown, or the model's outputs do not fit ``y``.
    """
    caller = "adversarial_accuracy"
    check_levels(caller, "epsilons", epsilons, x)
    if attack not in ("fgsm", "pgd"):
        raise ValueError(f"{caller}: `attack` must be one of fgsm, pgd, got attack={attack!r}.")
    victim = Normalised.of(caller, model, x, mean, std)
    _, labels = checked_logits(caller, predict(victim, x, batch_size=_BATCH_SIZE), y)
    check_inside(caller, x, bounds)
    labels = labels.to(x.device)

    def right(inputs: Tensor) -> Tensor:
        return predict(victim, inputs, batch_size=_BATCH_SIZE).argmax(dim=1) == labels

    def attacked(epsilon: float) -> Tensor:
        if attack == "fgsm":
            return fgsm(victim, x, labels, eps=epsilon, bounds=bounds)
        alpha = 2.5 * epsilon / _PGD_STEPS or 1.0  # without a radius nothing moves
        return pgd(victim, x, labels, eps=epsilon, alpha=alpha, steps=_PGD_STEPS, bounds=bounds, seed=seed)

    clean = right(x)
    with evaluating(model):
        return {epsilon: float((clean & right(attacked(epsilon))).double().mean()) for epsilon in epsilons}


def robust_accuracy(model: nn.Module, x: Tensor, y: Tensor, attack: Attack) -> float:
    """Accuracy under an attack of one's own: a sample counts if the model is right on it, attacked and not.

    Args:
        model: from inputs to logits; it is left as it was.
        x: inputs, shape ``(n, ...)``.
        y: class numbers, shape ``(n,)``.
        attack: is given the model, ``x`` and ``y``.

    Returns:
        Accuracy in [0, 1].

    Raises:
        ValueError: the model's outputs do not fit ``y``.
    """
    _, labels = checked_logits("robust_accuracy", predict(model, x, batch_size=_BATCH_SIZE), y)
    labels = labels.to(x.device)
    with evaluating(model):
        attacked = attack(model, x, labels)
    right = [predict(model, inputs, batch_size=_BATCH_SIZE).argmax(dim=1) == labels for inputs in (x, attacked)]
    return float((right[0] & right[1]).double().mean())


def transfer_accuracy(model: nn.Module, source: nn.Module, x: Tensor, y: Tensor, attack: Attack) -> float:
    """Accuracy under an attack on another model, by someone who does not know this one.

    Args:
        model: what is measured.
        source: what the attacker knows and attacks.
        x: inputs, shape ``(n, ...)``.
        y: class numbers, shape ``(n,)``.
        attack: is given the source, ``x`` and ``y``.

    Returns:
        Accuracy in [0, 1], see :func:`robust_accuracy`.
    """

    def from_source(_: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        with evaluating(source):
            return attack(source, x, y)

    return robust_accuracy(model, x, y, from_source)


def gradient_masking(fgsm: Mapping[float, float], pgd: Mapping[float, float], tolerance: float = 0.02) -> float:
    """By how much a single step does more harm than many do, at worst: a sign that gradients hide the way uphill.

    Args:
        fgsm: accuracy by radius, as of :func:`adversarial_accuracy`.
        pgd: likewise, at the same radii.
        tolerance: from which on it is worth a warning.

    Returns:
        The largest accuracy under PGD minus that under FGSM; negative if PGD does more harm everywhere.

    Warns:
        UserWarning: it is more than the tolerance.

    Raises:
        ValueError: the radii differ, or there is none.
    """
    if not fgsm or set(fgsm) != set(pgd):
        raise ValueError(f"gradient_masking: needs the same radii, got fgsm={sorted(fgsm)} and pgd={sorted(pgd)}.")
    excess = {epsilon: pgd[epsilon] - fgsm[epsilon] for epsilon in fgsm}
    worst = max(excess, key=lambda epsilon: excess[epsilon])
    if excess[worst] > tolerance:
        warnings.warn(
            f"gradient_masking: many steps must do as much harm as one, got an accuracy under PGD that is "
            f"{excess[worst]:.3g} above that under FGSM at eps={worst:g}. Take more steps, smaller ones, or several "
            "random starts.",
            stacklevel=2,
        )
    return excess[worst]
