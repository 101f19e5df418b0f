"""One arm on images: train it, attack it, and disturb it at random as strongly."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from replank.lab.disturbed_feed import Disturb
from replank.lab.feed import TensorFeed
from replank.lab.shortcut_baseline import shortcut_accuracy
from replank.lab.trial import Measurements, Trial
from replank.measure.attacks import bim, fgsm, pgd, random_noise_like
from replank.measure.evaluation import predict
from replank.measure.robustness import robust_accuracy
from replank.parts.linear.interleaved_quantum import InterleavedQuantumLinear
from replank.studies.quantum_adversarial.data import feeds, pair
from replank.studies.quantum_adversarial.heads import GlobalDepolarising, image_classifier, kept_by_noise
from replank.studies.quantum_adversarial.settings import ImageSettings
from replank.studies.quantum_adversarial.training import REACH, fitted

N_SHOWN = 5


def run_images(trial: Trial) -> Measurements:
    """Arms of one seed share images and their order; heads of one kind share their initial values."""
    settings: ImageSettings = trial.settings
    data = pair(trial.dataset, settings, trial.seed)
    sets = feeds(data, settings, trial.device)
    model = image_classifier(settings, trial.seed).to(trial.device)
    measured = fitted(model, sets, settings, disturbance(model, settings), seed=trial.seed, progress=trial.progress)
    test = sets[1]
    attacked = strongest(model, test.x, test.y, eps=settings.eps, settings=settings)
    measured.metrics |= robustness(model, test, attacked, settings, trial.seed)
    measured.metrics |= _laws(model, test.x, attacked, settings)
    if settings.shortcut_baseline:
        reached = shortcut_accuracy(data)
        measured.metrics |= {
            "test_shortcut_accuracy": reached,
            "test_minus_shortcut_accuracy": measured.metrics["test_accuracy"] - reached,
        }
    return replace(measured, artefacts=_examples(test.x, attacked))


def disturbance(model: nn.Module, settings: ImageSettings) -> Disturb | None:
    """What half of each training batch goes through: an attack on the model as it is then, or noise as large."""

    def attacked(x: Tensor, y: Tensor, seed: int) -> Tensor:
        alpha = REACH * settings.eps / settings.attack_steps
        return pgd(model, x, y, eps=settings.eps, alpha=alpha, steps=settings.attack_steps, seed=seed)

    def noisy(x: Tensor, y: Tensor, seed: int) -> Tensor:
        return (x + random_noise_like(torch.full_like(x, settings.eps), seed=seed)).clamp(0, 1)

    return {"standard": None, "adversarial": attacked, "augmented": noisy}[settings.training]


def strongest(model: nn.Module, x: Tensor, y: Tensor, *, eps: float, settings: ImageSettings) -> Tensor:
    """Inputs after the strongest attack here, iterated from the input itself, so that no seed makes a difference."""
    return bim(model, x, y, eps=eps, alpha=REACH * eps / settings.test_steps or 1.0, steps=settings.test_steps)


def robustness(
    model: nn.Module, test: TensorFeed, attacked: Tensor, settings: ImageSettings, seed: int
) -> dict[str, float]:
    """Accuracies under attacks of all strengths, and under random signs of the same.

    Args:
        model: what is attacked.
        test: images and labels.
        attacked: the images after the strongest attack at ``settings.eps``.
        settings: the strengths.
        seed: of the random signs.
    """
    x, y = test.x, test.y
    single, many, noise = {}, {}, {}
    for eps in settings.levels:
        single[eps] = robust_accuracy(model, x, y, partial(fgsm, eps=eps))
        attack = partial(strongest, eps=eps, settings=settings)
        many[eps] = robust_accuracy(model, x, y, attack if eps != settings.eps else lambda *_: attacked)
        noise[eps] = robust_accuracy(model, x, y, partial(_noisy, eps=eps, seed=seed))
    clean, eps = many[0.0], settings.eps
    moved = (attacked - x).flatten(1)
    radius = eps * moved.shape[1] ** 0.5
    alpha = REACH * radius / settings.test_steps
    euclidean = partial(bim, eps=radius, alpha=alpha, steps=settings.test_steps, norm="l2")
    found = {
        **{f"test_accuracy_attack_fgsm_{eps:g}": value for eps, value in single.items()},
        **{f"test_accuracy_attack_pgd_{eps:g}": value for eps, value in many.items()},
        **{f"test_accuracy_noise_{eps:g}": value for eps, value in noise.items()},
        "test_accuracy_attack_pgd": many[eps],
        "test_accuracy_attack_pgd_l2": robust_accuracy(model, x, y, euclidean),
        "drop_in_accuracy_attack_pgd": clean - many[eps],
        "drop_in_accuracy_noise_equal": clean - noise[eps],
        "attack_relative_l2": float((moved.norm(dim=1) / x.flatten(1).norm(dim=1)).mean()),
    }
    return found | consistency(single, many)


def consistency(single: dict[float, float], many: dict[float, float]) -> dict[str, float]:
    """Whether attacks are as strong as they should be: many steps as one, a wide ball as a narrow one."""
    by_level = [many[eps] for eps in sorted(many)]
    return {
        "pgd_minus_fgsm_accuracy": max(many[eps] - single[eps] for eps in many),
        "rise_with_level_accuracy": max((wide - narrow for narrow, wide in pairwise(by_level)), default=0.0),
    }


def _noisy(_: nn.Module, x: Tensor, y: Tensor, *, eps: float, seed: int) -> Tensor:
    return (x + random_noise_like(torch.full_like(x, eps), seed=seed)).clamp(0, 1)


@torch.no_grad()
def _laws(model: nn.Sequential, x: Tensor, attacked: Tensor, settings: ImageSettings) -> dict[str, float]:
    """What must hold for interleaved circuits: the bound on their slope, and that global noise moves no prediction."""
    head = model.get_submodule("head")
    if not isinstance(head, InterleavedQuantumLinear):
        return {}
    noiseless = nn.Sequential(model.get_submodule("flatten"), model.get_submodule("norm"), head)
    features, moved = (noiseless[:2](each).double() for each in (x, attacked))
    p, p_moved = (copy.deepcopy(head).double().probabilities(each)[:, 0] for each in (features, moved))
    bound = settings.scale / 2 * (moved - features).abs().sum(1)
    kept = kept_by_noise(head.circuit())
    logs = predict(noiseless, torch.cat((x, attacked)), batch_size=256).double()
    changed = GlobalDepolarising(kept)(logs).argmax(1) != logs.argmax(1)
    return {
        "slope_over_bound": float(((p_moved - p).abs() / bound.clamp_min(1e-12)).max()),
        "predictions_changed_by_noise": float(changed.sum()),
        "kept_by_noise": kept,
        "angles_unseen": float(head.layer.plan.n_parameters - _n_seen(head)),
    }


def _n_seen(head: InterleavedQuantumLinear) -> int:
    """How many of the circuit's weights the measured qubit depends on."""
    angles = [angle for part in head.layer.plan.components for angle in part.program.angles]
    return len({variable for angle in angles for variable in angle.variables() if variable.kind == "theta"})


def _examples(x: Tensor, attacked: Tensor) -> dict[str, NDArray[np.float32]]:
    """The first test images, and by how much the attack changes each pixel: ``(2, n, side, side)``."""
    return {"attack": torch.stack((x, attacked - x))[:, :N_SHOWN, 0].cpu().numpy()}
