"""One trial with several inputs: sizes of weights and penalties are chosen on held-out training samples."""

from __future__ import annotations

from torch import Tensor

from replank.lab.feed import TensorFeed
from replank.lab.task import Classification, Regression, Task
from replank.lab.training import train
from replank.lab.trial import Measurements, Trial
from replank.measure import accuracy, r2
from replank.seeding import torch_stream
from replank.studies.bandlimited_random_features.chosen import chosen_features, kernel_ridge
from replank.studies.bandlimited_random_features.networks import budget, network
from replank.studies.bandlimited_random_features.nodes import held_out
from replank.studies.bandlimited_random_features.settings import RandomFeatureSettings
from replank.studies.bandlimited_random_features.targets import Problem, several


def with_several_inputs(trial: Trial) -> Measurements:
    """Approximate a function of several variables with one arm."""
    settings: RandomFeatureSettings = trial.settings
    problem = several(settings, trial.dataset, trial.seed)
    if settings.model == "mlp":
        return _trained(trial, problem)
    build = kernel_ridge if settings.model == "kernel-ridge" else chosen_features
    found = build(settings, problem.x, problem.y, trial.seed)
    metrics = {
        **_scores("train", problem, found.predict(problem.x), test=False),
        **_scores("test", problem, found.predict(problem.test_x), test=True),
        "strength": found.strength,
        "alpha": found.alpha,
        "norm": found.norm,
        "trainable_parameters": float(found.fitted),
    }
    return Measurements(metrics)


def _scores(prefix: str, problem: Problem, outputs: Tensor, *, test: bool) -> dict[str, float]:
    targets = problem.test_y if test else problem.y
    scores = {f"{prefix}_r2": r2(outputs, targets)}
    if problem.labels is not None:
        scores[f"{prefix}_accuracy"] = accuracy(outputs, problem.labels[test])
    return scores


def _trained(trial: Trial, problem: Problem) -> Measurements:
    """Of the epochs the one that predicts held-out samples best counts."""
    settings: RandomFeatureSettings = trial.settings
    fitted, kept = held_out(problem.x, settings.held_out, torch_stream(trial.seed, "held out"))
    y, test_y = problem.labels or (problem.y[:, None], problem.test_y[:, None])
    task: Task = Regression() if problem.labels is None else Classification()
    n_outputs = 1 if problem.labels is None else problem.y.shape[1]
    model = network(settings, problem.x[fitted], n_outputs, trial.seed)
    training, validation, test = (
        TensorFeed(inputs, targets, batch_size=settings.batch_size)
        for inputs, targets in (
            (problem.x[fitted], y[fitted]), (problem.x[kept], y[kept]), (problem.test_x, test_y),
        )
    )  # fmt: skip
    measured = train(
        model, task, training, test, budget(settings), seed=trial.seed, progress=trial.progress, validation=validation
    )
    headline = task.headline
    metrics = measured.metrics | {
        f"test_{headline}": measured.metrics[f"test_{headline}_at_best_validation"],
        f"last_test_{headline}": measured.metrics[f"test_{headline}"],
    }
    return Measurements(metrics, measured.curves)
