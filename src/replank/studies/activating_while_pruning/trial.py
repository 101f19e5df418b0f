"""One trial: a network is trained, pruned and trained again, cycle by cycle, and measured after each training."""

from __future__ import annotations

import math
from functools import partial

import torch
from scipy.stats import spearmanr
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from replank.datasets.augment import random_crop, random_flip
from replank.datasets.tensors import tensors
from replank.lab.feed import TensorFeed
from replank.lab.task import Classification
from replank.lab.training import Budget, train
from replank.lab.trial import Measurements, Trial
from replank.measure.dead_neurons import dead_neuron_rate
from replank.parts.pruning import Pruner
from replank.parts.pruning.masking import masked
from replank.seeding import isolated, stream_seed, torch_stream
from replank.studies.activating_while_pruning.arms import host_of, pruner
from replank.studies.activating_while_pruning.cycles import Pruning, Tensors, loss_gradients
from replank.studies.activating_while_pruning.model import build, published_initial_values
from replank.studies.activating_while_pruning.settings import PruningSettings

SHARES = (0.2, 0.1, 0.05, 0.02)
"""Shares left at which the paper compares accuracies."""
PUBLISHED_WARM_UP = 20_000
_NEAR = math.log(math.sqrt(2))


def run(trial: Trial) -> Measurements:
    """Arms of one seed share images, first values and the order of the data in every cycle."""
    settings: PruningSettings = trial.settings
    data = trial.dataset.subset(settings.n_train, settings.n_test, seed=trial.seed)
    (train_x, train_y), (test_x, test_y) = tensors(data, trial.device)
    mean, std = train_x.mean(), train_x.std()
    train_x, test_x = (train_x - mean) / std, (test_x - mean) / std
    training = TensorFeed(
        train_x, train_y, batch_size=settings.batch_size,
        augment=partial(cropped_and_flipped, fill=float(-mean / std)) if settings.augment else None,
    )  # fmt: skip
    test = TensorFeed(test_x, test_y, batch_size=settings.batch_size)
    quirky = _published_test(test, settings, trial.seed, float(-mean / std)) if settings.official_quirks else None

    def fresh(cycle: int) -> nn.Module:
        with isolated(trial.seed, "host", cycle):
            model = build(settings.network, data.card.shape, len(data.card.classes), batch_norm=settings.batch_norm)
            if settings.published_start:
                published_initial_values(model)
        return model.to(trial.device)

    model, task = fresh(0), Classification()
    probe = train_x[: settings.n_probed], train_y[: settings.n_probed]
    state = Pruning.begin(model, every_weight=settings.official_quirks)
    curves: list[dict[str, float]] = []
    while True:
        redrawn = fresh(state.cycle).state_dict() if settings.reset == "reinit" else None
        weights = state.place(model, fresh=redrawn)
        start = {name: weight.detach().clone() for name, weight in weights.items()}
        measured = train(
            model, task, training, test, _budget(settings, weights, state.masks, quirky is not None),
            seed=stream_seed(trial.seed, "cycle", state.cycle), progress=lambda *_: None, validation=quirky,
        )  # fmt: skip
        row = _measured(model, measured, state, probe[0]) | _as_published(measured, test, settings)
        curves.append({"epoch": float(state.cycle), **row})
        trial.progress(state.cycle + 1, settings.cycles + 1, row)
        if state.cycle == settings.cycles:
            break
        chooser = _chooser(trial.arm.name, settings, trial.seed, last=state.cycle + 1 == settings.cycles)
        gradients = loss_gradients(model, task, *probe, dict(weights)) if chooser.needs_gradients else None
        state = state.next(chooser, dict(weights), start, settings.p, gradients, exact=not settings.official_quirks)
    metrics = measured.metrics | {name: value for name, value in curves[-1].items() if name != "epoch"}
    return Measurements(metrics | at_shares(curves) | _trend(curves), curves)


def _chooser(arm: str, settings: PruningSettings, seed: int, *, last: bool) -> Pruner:
    """The pruner of a cycle: the host alone where the add-on waits for the last one."""
    name = host_of(arm) if settings.apply == "last" and not last else arm
    return pruner(name, settings.q, seed=seed, published_threshold=settings.official_quirks)


def _budget(settings: PruningSettings, weights: dict[str, nn.Parameter], masks: Tensors, every_epoch: bool) -> Budget:
    sgd = partial(torch.optim.SGD, lr=settings.lr, momentum=0.9, weight_decay=settings.weight_decay)

    def schedule(optimiser: torch.optim.Optimizer, n_steps: int) -> LambdaLR:
        per_epoch = n_steps // settings.epochs
        if settings.schedule == "published":
            return LambdaLR(optimiser, partial(published_factor, per_epoch=per_epoch))
        return LambdaLR(optimiser, partial(cosine_factor, warm_up=max(1, per_epoch // 2), n_steps=n_steps))

    return Budget(
        settings.epochs, masked(sgd, weights, masks), schedule, evaluate_every=1 if every_epoch else settings.epochs
    )


def cosine_factor(step: int, *, warm_up: int, n_steps: int) -> float:
    """Straight up to 1, then down to 0 along half a cosine."""
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, n_steps - warm_up)))


def published_factor(step: int, *, per_epoch: int) -> float:
    """Straight up over 20,000 steps; a tenth from epoch 25 on, a hundredth from epoch 32 on."""
    epoch = step // max(1, per_epoch)
    if epoch >= 25:
        return 0.1 if epoch < 32 else 0.01
    return min(1.0, step / PUBLISHED_WARM_UP)


def cropped_and_flipped(images: Tensor, generator: torch.Generator, *, fill: float) -> Tensor:
    """Four pixels around, a random window, and perhaps a mirror."""
    return random_flip(random_crop(images, generator, padding=4, fill=fill), generator)


def _published_test(test: TensorFeed, settings: PruningSettings, seed: int, fill: float) -> TensorFeed:
    """Test images as the official script sees them: augmented, and without the last partial batch."""
    n = max(1, len(test.x) // settings.batch_size) * settings.batch_size
    x = cropped_and_flipped(test.x[:n], torch_stream(seed, "augmented test images"), fill=fill)
    return TensorFeed(x, test.y[:n], batch_size=settings.batch_size)


def _as_published(measured: Measurements, test: TensorFeed, settings: PruningSettings) -> dict[str, float]:
    """The best epoch on augmented test images, over all images, those that were left out among them."""
    best = measured.metrics.get("best_validation_accuracy")
    if best is None:
        return {}
    n = len(test.x)
    counted = min(n, max(1, n // settings.batch_size) * settings.batch_size)
    return {"test_accuracy_as_published": best * counted / n}


def _measured(model: nn.Module, measured: Measurements, state: Pruning, probed: Tensor) -> dict[str, float]:
    rates = dead_neuron_rate(model, torch.split(probed, 500))
    return {
        **{name: measured.metrics[name] for name in ("train_loss", "train_accuracy", "test_loss", "test_accuracy")},
        "share_left": state.share_left,
        "weights_left": float(state.n_left),
        "total_dnr": rates.total,
        "static_dnr": rates.static,
        "dynamic_dnr": rates.dynamic,
        **{f"dynamic_dnr_of_{name}": layer.dynamic for name, layer in rates.per_layer.items()},
        "network_disconnected": float(state.is_disconnected),
        "removed_too_few": float(state.shortfall),
    }


def at_shares(curves: list[dict[str, float]]) -> dict[str, float]:
    """Accuracy and dynamic rate at the paper's shares: of the cycle that is nearest, within a factor of root 2."""
    found: dict[str, float] = {}
    for share in SHARES:
        nearest = min(curves, key=lambda row: abs(math.log(row["share_left"] / share)))
        if abs(math.log(nearest["share_left"] / share)) <= _NEAR:
            found |= {f"{name}_at_share_{share}": nearest[name] for name in ("test_accuracy", "dynamic_dnr")}
    return found


def _trend(curves: list[dict[str, float]]) -> dict[str, float]:
    """Rank correlation over cycles of the share left and the dynamic rate, where there is one."""
    rates = [row["dynamic_dnr"] for row in curves]
    if len(set(rates)) < 2:
        return {}
    return {"share_dnr_correlation": float(spearmanr([row["share_left"] for row in curves], rates).statistic)}
