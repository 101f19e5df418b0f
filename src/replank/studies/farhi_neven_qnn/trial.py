"""One trial: make the problem, train the starts side by side, and judge the one of least training loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from replank.lab.feed import TensorFeed
from replank.lab.training import Budget, OptimiserBuilder, predictions, train
from replank.lab.trial import Measurements, Trial
from replank.measure.ceiling import label_counts, majority_vote_ceiling
from replank.parts.optimiser.farhi_neven import FarhiNevenSGD
from replank.parts.optimiser.spsa import SPSA
from replank.seeding import isolated
from replank.studies.farhi_neven_qnn.classifier import ReadoutClassifier
from replank.studies.farhi_neven_qnn.factorised import FactorisedReadout
from replank.studies.farhi_neven_qnn.model import ansatz, build, trained
from replank.studies.farhi_neven_qnn.parity_gradient import gradient_square_ratio
from replank.studies.farhi_neven_qnn.problems import DTYPE, Labelled, Problem, all_strings, make_problem
from replank.studies.farhi_neven_qnn.representation import measure_representation
from replank.studies.farhi_neven_qnn.settings import ReadoutSettings
from replank.studies.farhi_neven_qnn.task import SignedLabels

N_EVALUATIONS = 6
SCORE_OF_A_STATE = 0.9
Judged = Mapping[str, tuple[Tensor, Tensor]]
"""Scores and labels of each set, by the prefix of its metrics."""


def run(trial: Trial) -> Measurements:
    """Train one arm on one problem."""
    settings: ReadoutSettings = trial.settings
    if settings.problem == "representation":
        return measure_representation(trial.arm.name, settings.n_bits, trial.seed)
    problem = _on(make_problem(settings, trial.dataset, trial.seed), trial.device)
    with isolated(trial.seed, "part", "classifier"):
        model = build(settings, problem).to(trial.device)
    feeds = {"train_": _feed(problem.train, settings), **{k: _feed(v, settings) for k, v in problem.test.items()}}
    task = SignedLabels(settings.loss)
    for name, feed in feeds.items():
        task.check(feed.x.new_zeros(len(feed.x), 1), feed.y, name)
    budget = Budget(settings.epochs, _optimiser(settings), evaluate_every=-(-settings.epochs // N_EVALUATIONS))
    at_work = trained(model, settings)
    measured = train(at_work, task, feeds["train_"], feeds["test_"], budget, seed=trial.seed, progress=trial.progress)
    judged = {prefix: predictions(model, feed) for prefix, feed in feeds.items()}
    best = int(task.losses(*judged["train_"]).argmin())
    metrics = (
        _per_start(measured.metrics, settings.starts)
        | _of_start(task, judged, best)
        | _of_all_starts(task, judged, settings)
        | _ceilings(problem)
        | _closed_form(model, settings, problem, best)
        | problem.facts
        | {"data_qubits": float(problem.n_data)}
        | ({"shots": float(settings.shots)} if settings.shots else {})
    )
    if settings.gradient_draws and settings.model == "circuit":
        metrics["gradient_square_ratio"] = gradient_square_ratio(settings.n_bits, settings.gradient_draws, trial.seed)
    return replace(measured, metrics=metrics, artefacts=_wave(model, problem, best))


def _on(problem: Problem, device: torch.device) -> Problem:
    train, *tests = (Labelled(x.to(device), y.to(device)) for x, y in (problem.train, *problem.test.values()))
    return replace(problem, train=train, test=dict(zip(problem.test, tests, strict=True)))


def _feed(part: Labelled, settings: ReadoutSettings) -> TensorFeed:
    return TensorFeed(*part, batch_size=settings.batch_size or len(part.x))


def _optimiser(settings: ReadoutSettings) -> OptimiserBuilder:
    match settings.rule:
        case "adam":
            return partial(torch.optim.Adam, lr=settings.lr)
        case "sgd":
            return partial(torch.optim.SGD, lr=settings.lr)
        case "farhi":
            return partial(FarhiNevenSGD, r=settings.lr)
        case "spsa":
            return partial(SPSA, lr=settings.lr)


# -- what is measured --------------------------------------------------------------------------------------------------


def _per_start(metrics: Mapping[str, float], starts: int) -> dict[str, float]:
    """Sizes and gradients of one start; norms are the root mean squares of the starts'."""
    scales = {"parameters": starts, "trainable_parameters": starts, "forward_flops": starts}
    return {
        name: value / (starts**0.5 if name.startswith("initial_gradient_norm") else scales.get(name, 1))
        for name, value in metrics.items()
        if not name.startswith("least_")
    }


def _of_start(task: SignedLabels, judged: Judged, start: int) -> dict[str, float]:
    """Loss and accuracy of the start that is judged, on every set."""
    found = {
        prefix + name: value
        for prefix, (scores, labels) in judged.items()
        for name, value in task.metrics(scores[:, start : start + 1], labels).items()
    }
    return {**found, "train_minus_test_accuracy": found["train_accuracy"] - found["test_accuracy"]}


def _of_all_starts(task: SignedLabels, judged: Judged, settings: ReadoutSettings) -> dict[str, float]:
    """How the starts did together; of two superpositions, also the scores of the best."""
    losses, accuracies = task.losses(*judged["train_"]), task.accuracies(*judged["test_"])
    success = accuracies >= settings.least_accuracy
    metrics = {"mean_start_accuracy": float(accuracies.mean()), "mean_start_loss": float(losses.mean())}
    if settings.problem.startswith("superposition"):
        plus, minus = judged["train_"][0]
        best = int(losses.argmin())
        success = (plus > SCORE_OF_A_STATE) & (minus < -SCORE_OF_A_STATE)
        metrics |= {"score_of_plus": float(plus[best]), "score_of_minus": float(minus[best])}
    return metrics | {"success_rate": float(success.double().mean())}


def _ceilings(problem: Problem) -> dict[str, float]:
    """For each accuracy what the best function of the samples reaches, under nearly the same name."""
    parts = {"train_": problem.train, **problem.test}
    return {f"{prefix}ceiling_accuracy": majority_vote_ceiling(x, (y > 0).long()) for prefix, (x, y) in parts.items()}


@torch.no_grad()
def _closed_form(model: nn.Module, settings: ReadoutSettings, problem: Problem, start: int) -> dict[str, float]:
    """The factor R of the sine that a circuit amounts to; of the simulator how far its scores are from that sine."""
    if isinstance(model, FactorisedReadout):
        return {"sine_amplitude": float(model.sine()[0][start])}
    if not isinstance(model, ReadoutClassifier) or problem.is_state or settings.readout_init != "0":
        return {}
    try:
        twin = FactorisedReadout(problem.n_data, ansatz(settings, problem), n_starts=settings.starts, dtype=DTYPE)
    except ValueError:  # the gates have no closed form
        return {}
    twin.theta.copy_(model.theta.cpu())
    amplitude, phases, offset = (value[start] for value in twin.sine())
    strings = all_strings(problem.n_data)
    scores = model(strings.to(model.theta.device))[:, start].cpu()
    defect = (scores + amplitude * torch.sin((1 - 2 * strings) @ phases + offset)).abs().max()
    return {"sine_amplitude": float(amplitude), "sine_residual": float(defect)}


@torch.no_grad()
def _wave(model: nn.Module, problem: Problem, start: int) -> dict[str, np.ndarray]:
    """Of each distinct training string: the sine's argument, the score, the mean label and how often it occurs."""
    if not isinstance(model, FactorisedReadout):
        return {}
    strings, counts = label_counts(problem.train.x, (problem.train.y > 0).long())
    _, phases, offset = (value[start] for value in model.sine())
    totals = counts.sum(1)
    labels = 2 * counts[:, -1] / totals - 1
    argument = -((1 - 2 * strings) @ phases + offset)
    columns = (argument, model(strings)[:, start], labels.to(argument), totals.to(argument))
    return {"wave": torch.stack(columns, 1).cpu().numpy()}
