"""Train an arm's network, decompose it if it is one of those, and measure what it costs."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from replank.lab.feed import TensorFeed
from replank.lab.training import Budget, at_initialisation, evaluate, train
from replank.lab.trial import Measurements, Trial
from replank.measure.kept_bytes import kept_bytes
from replank.measure.scaling import cost
from replank.studies.a_priori_compression.arms import decomposed, network, swapped_weights
from replank.studies.a_priori_compression.network import Known, Shape
from replank.studies.a_priori_compression.settings import CompressionSettings
from replank.studies.a_priori_compression.task import WaveFields

MIB = 2**20
PAGE = 4096
"""Bytes in which memory is handed out: what is less can't be seen."""
LARGEST_BATCH = 32
TIMINGS = ("train_wall_s_per_epoch", "train_cpu_s_per_epoch", "train_samples_per_s")


class Feeds(NamedTuple):
    """Batches of a trial."""

    train: TensorFeed
    validation: TensorFeed
    test: TensorFeed


class Fitted(NamedTuple):
    """A trained network and what was measured of it."""

    model: nn.Module
    measured: Measurements


def fit(trial: Trial, shape: Shape, feeds: Feeds, mean_fields: Tensor) -> Fitted:
    """The arm's network, trained.

    Args:
        trial: with the arm.
        shape: of input and output.
        feeds: training, validation and test data. Nothing is selected on any of them.
        mean_fields: what the trivial reference answers, one sample.
    """
    settings: CompressionSettings = trial.settings
    if settings.kind in ("zero", "frame-mean"):
        return _trivial(settings, feeds, mean_fields)
    example = feeds.train.x[:1].cpu()  # networks are built there
    if settings.kind == "posthoc":
        return _decomposed(trial, shape, feeds, example)
    model = network(settings, shape, example, trial.seed).to(trial.device)
    measured = _trained(model, trial, feeds, settings.epochs, settings.lr)
    measured.metrics |= _gap_at_level(measured.curves, settings.gap_level)
    return Fitted(model, _with_costs(model, measured, feeds, settings))


def _trained(model: nn.Module, trial: Trial, feeds: Feeds, epochs: int, lr: float) -> Measurements:
    settings: CompressionSettings = trial.settings
    budget = Budget(
        epochs,
        functools.partial(torch.optim.Adam, lr=lr),
        schedule=lambda optimiser, n_steps: torch.optim.lr_scheduler.CosineAnnealingLR(
            optimiser, n_steps, settings.last_lr
        ),
        limit_gradients=functools.partial(nn.utils.clip_grad_norm_, max_norm=1.0),
        evaluate_every=settings.evaluate_every,
    )
    task = WaveFields(settings.world.n)
    return train(model, task, feeds.train, feeds.test, budget, seed=trial.seed, progress=trial.progress)


def _decomposed(trial: Trial, shape: Shape, feeds: Feeds, example: Tensor) -> Fitted:
    """Trained as the dense arm, then decomposed, then trained further or not."""
    settings: CompressionSettings = trial.settings
    host = network(replace(settings, kind="dense"), shape, example, trial.seed).to(trial.device)
    before = _trained(host, trial, feeds, settings.epochs, settings.lr)
    replaced = decomposed(host, settings, example.to(trial.device))
    model, task = replaced.model, WaveFields(settings.world.n)
    now = at_initialisation(model, task, feeds.train) | {
        "projection_error": float(replaced.layers["projection_error"].mean()),
        "training_s": before.metrics["train_wall_s_per_epoch"] * settings.epochs,
    }
    if settings.tuning_epochs:
        after = _trained(model, trial, feeds, settings.tuning_epochs, settings.tuning_lr)
        after.metrics["training_s"] = (
            now["training_s"] + after.metrics["train_wall_s_per_epoch"] * settings.tuning_epochs
        )
        measured = Measurements(
            now | after.metrics,
            [*before.curves, *({**row, "epoch": row["epoch"] + settings.epochs} for row in after.curves)],
        )
    else:
        final = evaluate(model, task, feeds.train, "train_") | evaluate(model, task, feeds.test, "test_")
        measured = Measurements(
            now | {name: before.metrics[name] for name in TIMINGS} | final,
            [*before.curves, {"epoch": settings.epochs + 1.0, **final}],
        )
    return Fitted(model, _with_costs(model, measured, feeds, settings))


def _trivial(settings: CompressionSettings, feeds: Feeds, mean_fields: Tensor) -> Fitted:
    model = Known(torch.zeros_like(mean_fields) if settings.kind == "zero" else mean_fields)
    task = WaveFields(settings.world.n)
    metrics = {"parameters": 0.0, "trainable_parameters": 0.0}
    for prefix, feed in (("train_", feeds.train), ("validation_", feeds.validation), ("test_", feeds.test)):
        metrics |= evaluate(model, task, feed, prefix)
    return Fitted(model, Measurements(metrics | _gap(metrics)))


def _gap(metrics: dict[str, float]) -> dict[str, float]:
    return {"test_minus_train_l2_error": metrics["test_l2_error"] - metrics["train_l2_error"]}


def _with_costs(model: nn.Module, measured: Measurements, feeds: Feeds, settings: CompressionSettings) -> Measurements:
    """The measurements with sizes, memory and times of the network."""
    batch = feeds.train.x[:LARGEST_BATCH]
    predicting, training = cost(model, batch), cost(model, batch, backward=True)
    parameters = list(model.parameters())
    for parameter in parameters:
        parameter.grad = None
    metrics = {
        "training_s": measured.metrics["train_wall_s_per_epoch"] * settings.epochs,
        **measured.metrics,
        **_gap(measured.metrics),
        **evaluate(model, WaveFields(settings.world.n), feeds.validation, "validation_"),
        "swapped_weights": float(swapped_weights(model)),
        "parameter_kib": sum(each.numel() * each.element_size() for each in parameters) / 1024,
        "macs": predicting.flops / 2 / len(batch),
        "kept_mib": kept_bytes(model, batch) / MIB,
        "peak_train_mib": max(training.peak_bytes, PAGE) / MIB,
        "peak_predict_mib": max(predicting.peak_bytes, PAGE) / MIB,
        "prediction_ms": 1e3 * predicting.seconds / len(batch),
        "training_step_ms": 1e3 * training.seconds,
    }
    return replace(measured, metrics=metrics)


def _gap_at_level(curves: list[dict[str, float]], level: float) -> dict[str, float]:
    """The gap where the training error first falls to a level, between two evaluations; none if it does not."""
    gaps = [row["test_l2_error"] - row["train_l2_error"] for row in curves]
    for k in range(1, len(curves)):
        before, after = curves[k - 1]["train_l2_error"], curves[k]["train_l2_error"]
        if before > level >= after:
            share = (before - level) / (before - after)
            return {"gap_error_at_level": gaps[k - 1] + share * (gaps[k] - gaps[k - 1])}
    return {}
