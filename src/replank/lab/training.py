"""The shared training loop, of every supervised study and of ``compare``: trains a model on a task and measures it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

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


@dataclass(frozen=True)
class Budget:
    """What every arm is given.

    Args:
        epochs: passes over the training set.
        optimiser: from the trainable parameters to a torch optimiser.
    """

    epochs: int
    optimiser: OptimiserBuilder


@dataclass
class _Clock:
    """Training time alone, without the evaluations."""

    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)


def train(
    model: nn.Module, task: Task, training: Feed, test: Feed, budget: Budget, *, seed: int, progress: Progress
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
        progress: told after each epoch.

    Returns:
        Metrics ``train_*`` and ``test_*`` of the final epoch, the least training loss of all epochs, resources, and
        a curve row for each epoch.

    Raises:
        TrialError: the loss is no longer finite.
    """
    metrics = at_initialisation(model, task, training)
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = budget.optimiser(parameters) if parameters else None
    curves: list[dict[str, float]] = []
    clock = _Clock()
    for epoch in range(1, budget.epochs + 1):
        with Stopwatch(_device(model)) as watch:
            _one_epoch(model, task, training, optimiser, seed=seed, epoch=epoch)
        clock.wall_s.append(watch.wall_s)
        clock.cpu_s.append(watch.cpu_s)
        row = {
            "epoch": float(epoch),
            **evaluate(model, task, training, "train_"),
            **evaluate(model, task, test, "test_"),
        }
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


def _one_epoch(
    model: nn.Module, task: Task, training: Feed, optimiser: torch.optim.Optimizer | None, *, seed: int, epoch: int
) -> None:
    model.train()
    if optimiser is None:  # nothing can be trained: a wholly frozen control
        return
    with isolated(seed, "noise", epoch):  # dropout and the like: the same for all arms
        for x, y in training.shuffled(seed, epoch):
            optimiser.zero_grad(set_to_none=True)
            loss = task.loss(model(x), y)
            if not torch.isfinite(loss):
                raise TrialError(f"the training loss became {loss.item()} in epoch {epoch}; try a smaller step size.")
            torch.autograd.backward(loss)
            optimiser.step()


def _final(task: Task, curves: list[dict[str, float]]) -> dict[str, float]:
    last: Mapping[str, float] = {name: value for name, value in curves[-1].items() if name != "epoch"}
    gap = last[f"train_{task.headline}"] - last[f"test_{task.headline}"]
    return {
        **last,
        f"train_minus_test_{task.headline}": gap,
        "least_train_loss": min(row["train_loss"] for row in curves),
    }


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
