"""How accuracy falls when inputs are disturbed, at random or on purpose."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from replank import seeding
from replank.errors import MissingExtra
from replank.measure._predictions import checked_logits
from replank.measure.classification import accuracy
from replank.measure.evaluation import predict

if TYPE_CHECKING:
    from foolbox.attacks.base import Attack

_BATCH_SIZE = 256  # bounds memory; results do not depend on it, except through the random starts of "pgd"

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
    _check_levels("noise_accuracy", "sigmas", sigmas, x)
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
    seed: int = 0,
) -> dict[float, float]:
    r"""Accuracy when an attacker who knows the model may move each input by :math:`\ell_\infty` distance epsilon.

    A sample counts as right if the model is right on it and on its attacked version: an upper bound of the accuracy
    under the strongest attack. The attacks ascend the cross-entropy: ``"fgsm"`` takes one signed step (Goodfellow et
    al. 2015, arXiv 1412.6572); ``"pgd"`` takes 40 steps of epsilon/16 from a random start and projects each back (Madry
    et al. 2018, arXiv 1706.06083); with foolbox's default of epsilon/30 it could not cross the ball.

    Args:
        model: from inputs to logits; it is left as it was.
        x: inputs, shape ``(n, ...)``, inside the bounds.
        y: class numbers, shape ``(n,)``.
        epsilons: distances in units of ``x`` as the model takes it, i.e. after normalisation.
        bounds: least and greatest value that an input can have, after normalisation too: ``(-1, 1)`` for pixels scaled
            to [-1, 1]. The attacker stays inside.
        attack: how to look for the worst input.
        seed: of the random starts.

    Returns:
        Accuracy in [0, 1] for each epsilon.

    Raises:
        MissingExtra: foolbox is not installed.
        TypeError: inputs are not floating point.
        ValueError: there is no epsilon, or one is negative or not finite, inputs lie outside the bounds, the attack is
            unknown, or the model's outputs do not fit ``y``.
    """
    _check_levels("adversarial_accuracy", "epsilons", epsilons, x)
    attacker = _attack(attack)
    _, labels = checked_logits("adversarial_accuracy", predict(model, x, batch_size=_BATCH_SIZE), y)
    low, high = bounds
    if not (low <= float(x.min()) and float(x.max()) <= high):
        raise ValueError(
            f"adversarial_accuracy: `x` must lie in bounds={bounds}, got values in [{float(x.min()):.6g}, "
            f"{float(x.max()):.6g}]. Give the bounds of the input as the model takes it, after normalisation."
        )
    # foolbox calls backward: gradients must neither be left in the model's parameters nor computed for nothing
    model = copy.deepcopy(model).eval().requires_grad_(False)
    with seeding.isolated(seed, "robustness", attack):
        right = [
            _right_under_attack(attacker, model, inputs, truths, epsilons, bounds)
            for inputs, truths in zip(
                torch.split(x, _BATCH_SIZE), torch.split(labels.to(x.device), _BATCH_SIZE), strict=True
            )
        ]
    fractions = torch.cat(right, dim=1).double().mean(dim=1).tolist()
    return dict(zip(epsilons, fractions, strict=True))


def _check_levels(caller: str, name: str, levels: Sequence[float], x: Tensor) -> None:
    if not levels:
        raise ValueError(f"{caller}: `{name}` must hold at least one number, got {levels!r}.")
    for level in levels:
        if not 0 <= level < float("inf"):
            raise ValueError(f"{caller}: `{name}` must be finite and not negative, got {level}.")
    if not x.is_floating_point():
        raise TypeError(f"{caller}: `x` must be floating point to be disturbed, got dtype={x.dtype}.")


def _attack(name: str) -> Attack:
    try:
        with warnings.catch_warnings():
            # foolbox 3.3.4 imports SciPy by a path that SciPy has deprecated
            warnings.simplefilter("ignore", DeprecationWarning)
            from foolbox.attacks.fast_gradient_method import LinfFastGradientAttack
            from foolbox.attacks.projected_gradient_descent import LinfProjectedGradientDescentAttack
    except ModuleNotFoundError as error:
        raise MissingExtra("adversarial_accuracy", "robust") from error
    known: dict[str, Callable[[], Attack]] = {
        "fgsm": LinfFastGradientAttack,
        "pgd": partial(LinfProjectedGradientDescentAttack, rel_stepsize=2.5 / _PGD_STEPS, steps=_PGD_STEPS),
    }
    if name not in known:
        raise ValueError(f"adversarial_accuracy: `attack` must be one of {', '.join(known)}, got attack={name!r}.")
    return known[name]()


def _right_under_attack(
    attack: Attack,
    model: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    epsilons: Sequence[float],
    bounds: tuple[float, float],
) -> Tensor:
    """Whether each sample is right, clean and attacked: shape ``(n_epsilons, n_samples)``."""
    from foolbox.models.pytorch import PyTorchModel

    with torch.no_grad():
        clean = model(inputs).argmax(dim=1) == labels
    victim = PyTorchModel(model, bounds=bounds, device=inputs.device)
    _, _, fooled = attack(victim, inputs, labels, epsilons=list(epsilons))
    return clean & ~fooled
