"""The shared training loop, of every supervised study and of ``compare``: trains a model on a task and measures it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor, nn

from replank.errors import TrialError
from replank.lab.feed import Feed
from replank.lab.task import Task
from replank.lab.trial import Measurements, Progress
from replank.measure.evaluation import evaluating
from replank.measure.flops import forward_flops
from replank.measure.gradients import gradient_norms
from replank.measure.parameters import count_parameters
from replank.measure.timing import Stopwatch
from replank.seeding import isolated

OptimiserBuilder = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]
ScheduleBuilder = Callable[[torch.optim.Optimizer, int], torch.optim.lr_scheduler.LRScheduler]


@dataclass(frozen=True)
class Budget:
    """What every arm is given.

    Args:
        epochs: passes over the training set.
        optimiser: from the trainable parameters to a torch optimiser. Its ``step`` is given a closure that computes the
            loss with its gradients and returns it, as torch's convention is.
        schedule: from the optimiser and the number of all steps to a schedule of the step size; it moves on after each
            batch, not after each epoch.
        limit_gradients: called with the parameters between backward pass and step, e.g.
            ``partial(nn.utils.clip_grad_norm_, max_norm=1.0)``.
        evaluate_every: epochs from one evaluation to the next; the last epoch is always evaluated.
    """

    epochs: int
    optimiser: OptimiserBuilder
    schedule: ScheduleBuilder | None = None
    limit_gradients: Callable[[Sequence[nn.Parameter]], object] | None = None
    evaluate_every: int = 1


@dataclass
class _Clock:
    """Training time alone, without the evaluations."""

    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class _Steps:
    """What moves the parameters of one model."""

    parameters: Sequence[nn.Parameter]
    optimiser: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler | None
    budget: Budget


def train(
    model: nn.Module,
    task: Task,
    training: Feed,
    test: Feed,
    budget: Budget,
    *,
    seed: int,
    progress: Progress,
    validation: Feed | None = None,
) -> Measurements:
    """Train a model and measure it.

    The final epoch counts: nothing is selected on the test set.

    Args:
        model: already on the device of the feeds; trained in place.
        task: loss and metrics.
        training: training batches, in the order of the seed.
        test: held-out batches.
        budget: epochs and optimiser.
        seed: of the data order.
        progress: told after each evaluation.
        validation: further held-out batches, on which an epoch may be chosen.

    Returns:
        Metrics ``train_*`` and ``test_*`` of the final epoch, the least training loss of all evaluated epochs,
        resources, and a curve row for each of these. With validation data also ``validation_*``, the best value of the
        task's headline there, e.g. ``best_validation_accuracy``, and ``test_accuracy_at_best_validation``, the test
        value of the first epoch that reached it.

    Raises:
        TrialError: the loss is no longer finite.
    """
    metrics = at_initialisation(model, task, training)
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    steps = _steps(parameters, budget, training) if parameters else None
    feeds = {"train_": training, "test_": test} | ({"validation_": validation} if validation else {})
    curves: list[dict[str, float]] = []
    clock = _Clock()
    for epoch in range(1, budget.epochs + 1):
        with Stopwatch(_device(model)) as watch:
            _one_epoch(model, task, training, steps, seed=seed, epoch=epoch)
        clock.wall_s.append(watch.wall_s)
        clock.cpu_s.append(watch.cpu_s)
        if epoch % budget.evaluate_every and epoch != budget.epochs:
            continue
        row = {"epoch": float(epoch)}
        for prefix, feed in feeds.items():
            row |= evaluate(model, task, feed, prefix)
        curves.append(row)
        progress(epoch, budget.epochs, row)
    return Measurements(metrics | _final(task, curves) | _speed(clock, training.n_samples), curves)


def at_initialisation(model: nn.Module, task: Task, training: Feed) -> dict[str, float]:
    """What can be said before training: parameters, operations of one forward pass, gradient norms."""
    x, y = next(training.ordered())
    counts = count_parameters(model)
    norms = gradient_norms(model, lambda: task.loss(model(x), y))
    return {
        "parameters": float(counts.total),
        "trainable_parameters": float(counts.trainable),
        "forward_flops": float(forward_flops(model, x[:1])),
        **{f"initial_gradient_norm.{name}": norm for name, norm in norms.items()},
    }


def evaluate(model: nn.Module, task: Task, feed: Feed, prefix: str = "") -> dict[str, float]:
    """The task's metrics on a whole set, in evaluation mode."""
    outputs, targets = predictions(model, feed)
    return {prefix + name: value for name, value in task.metrics(outputs, targets).items()}


def predictions(model: nn.Module, feed: Feed) -> tuple[Tensor, Tensor]:
    """Outputs and targets of a whole set, in evaluation mode."""
    with evaluating(model):
        pairs = [(model(x), y) for x, y in feed.ordered()]
    return torch.cat([output for output, _ in pairs]), torch.cat([target for _, target in pairs])


def _steps(parameters: Sequence[nn.Parameter], budget: Budget, training: Feed) -> _Steps:
    optimiser = budget.optimiser(parameters)
    schedule = budget.schedule(optimiser, budget.epochs * training.n_batches) if budget.schedule else None
    return _Steps(parameters, optimiser, schedule, budget)


def _one_epoch(model: nn.Module, task: Task, training: Feed, steps: _Steps | None, *, seed: int, epoch: int) -> None:
    model.train()
    if steps is None:  # nothing can be trained: a wholly frozen control
        return
    with isolated(seed, "noise", epoch):  # dropout and the like: the same for all arms
        for x, y in training.shuffled(seed, epoch):
            steps.optimiser.step(partial(_loss, model, task, x, y, steps, epoch))
            if steps.schedule is not None:
                steps.schedule.step()


def _loss(model: nn.Module, task: Task, x: Tensor, y: Tensor, steps: _Steps, epoch: int) -> float:
    """The loss of a batch, with its gradients left in the parameters."""
    steps.optimiser.zero_grad(set_to_none=True)
    loss = task.loss(model(x), y)
    if not torch.isfinite(loss):
        raise TrialError(f"the training loss became {loss.item()} in epoch {epoch}; try a smaller step size.")
    torch.autograd.backward(loss)
    if steps.budget.limit_gradients is not None:
        steps.budget.limit_gradients(steps.parameters)
    return loss.item()


def _final(task: Task, curves: list[dict[str, float]]) -> dict[str, float]:
    last: Mapping[str, float] = {name: value for name, value in curves[-1].items() if name != "epoch"}
    gap = last[f"train_{task.headline}"] - last[f"test_{task.headline}"]
    return {
        **last,
        f"train_minus_test_{task.headline}": gap,
        "least_train_loss": min(row["train_loss"] for row in curves),
        **_at_best_validation(task.headline, curves),
    }


def _at_best_validation(headline: str, curves: list[dict[str, float]]) -> dict[str, float]:
    """The first epoch that is best on validation data, if there are any."""
    name = f"validation_{headline}"
    if name not in curves[0]:
        return {}
    best = max(curves, key=lambda row: row[name])
    return {f"best_{name}": best[name], f"test_{headline}_at_best_validation": best[f"test_{headline}"]}


def _speed(clock: _Clock, n_samples: int) -> dict[str, float]:
    epochs, wall = len(clock.wall_s), sum(clock.wall_s)
    return {
        "train_wall_s_per_epoch": wall / epochs,
        "train_cpu_s_per_epoch": sum(clock.cpu_s) / epochs,
        "train_samples_per_s": n_samples * epochs / wall,
    }


def _device(model: nn.Module) -> torch.device:
    parameter = next(model.parameters(), None)
    return parameter.device if parameter is not None else torch.device("cpu")
