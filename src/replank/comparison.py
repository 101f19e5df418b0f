"""Swap, train and measure on the user's own model and data: the library's main job."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
import torch
from rich import progress as bars
from rich.console import Console
from torch import Tensor, nn

from replank.errors import InterfaceMismatch, UnknownName, UsageError
from replank.lab.feed import Feed, make_feed
from replank.lab.recording import recorded
from replank.lab.records import Records
from replank.lab.task import TASKS, Task
from replank.lab.training import Budget, OptimiserBuilder, train
from replank.lab.trial import Measurements, Progress, TrialKey
from replank.measure.robustness import adversarial_accuracy, noise_accuracy
from replank.parts.controls import control
from replank.slots import Ladder, Swap, as_swaps

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Arms = Mapping[str, Swap | Sequence[Swap] | None]


@dataclass(frozen=True)
class Robustness:
    """Optional measurements on disturbed test inputs, of classifiers.

    Args:
        noise: standard deviations of Gaussian noise added to the inputs, in units of the inputs.
        attack: radii in the maximum norm of a projected-gradient attack.
        bounds: least and greatest value an input may take; needed for attacks.
    """

    noise: tuple[float, ...] = ()
    attack: tuple[float, ...] = ()
    bounds: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.attack and self.bounds is None:
            raise UsageError("Robustness: an attack needs `bounds`, the range of the inputs, got None.")

    def measure(self, model: nn.Module, test: Feed, seed: int) -> dict[str, float]:
        """Accuracies by name, e.g. ``test_accuracy_noise_0.1``."""
        if not self.noise and not self.attack:
            return {}
        x, y = (torch.cat(parts) for parts in zip(*test.ordered(), strict=True))
        found = {f"test_accuracy_noise_{level:g}": value for level, value in self._noise(model, x, y, seed).items()}
        return found | {
            f"test_accuracy_attack_{radius:g}": value for radius, value in self._attack(model, x, y, seed).items()
        }

    def _noise(self, model: nn.Module, x: Tensor, y: Tensor, seed: int) -> dict[float, float]:
        return noise_accuracy(model, x, y, sigmas=self.noise, seed=seed) if self.noise else {}

    def _attack(self, model: nn.Module, x: Tensor, y: Tensor, seed: int) -> dict[float, float]:
        if not self.attack or self.bounds is None:
            return {}
        return adversarial_accuracy(model, x, y, epsilons=self.attack, bounds=self.bounds, attack="pgd", seed=seed)


class Comparison:
    """What :func:`compare` found. Print it for the table, or take the numbers out.

    Args:
        ladder: what was compared.
        records: one row for each arm and seed, with curves.
        metric: the metric that tables lead with.
    """

    def __init__(self, ladder: Ladder, records: Records, metric: str):
        self.ladder, self.records, self.metric = ladder, records, metric

    @property
    def baseline(self) -> str:
        """The arm that the others are compared with: the first."""
        return next(iter(self.ladder.rungs))

    @property
    def frame(self) -> pd.DataFrame:
        """Tidy table: one row for each arm and seed, one column for each metric."""
        return self.records.table

    @property
    def curves(self) -> pd.DataFrame:
        """Tidy table of the epochs: columns ``arm``, ``seed``, ``epoch``, ``name``, ``value``."""
        return self.records.curves

    @property
    def failures(self) -> dict[str, str]:
        """The trials that failed, with their errors."""
        failed = self.frame[self.frame["status"] == "failed"]
        return {f"{row.arm} seed {row.seed}": str(row.error) for row in failed.itertuples()}

    def summary(self) -> pd.DataFrame:
        """One row an arm: mean and interval of the headline metric, paired difference to the baseline, resources."""
        from replank.lab.report.tables import arms_table

        return arms_table(self.records.table, baseline=self.baseline, metric=self.metric)

    def plot(self, metric: str | None = None) -> Figure:
        """Learning curves with bands over seeds; ``metric`` is a curve's name such as ``"train_loss"``."""
        from replank.lab.report.figures import learning_curves

        return learning_curves(self.records, metric or self.metric)

    def to_html(self, path: str | Path) -> Path:
        """Write a self-contained page: table, ladder, learning curves, environment."""
        from replank.lab.report.comparison_report import comparison_page
        from replank.lab.report.page import render

        path = Path(path)
        path.write_text(
            render(comparison_page(self.ladder, self.records, self.baseline, self.metric)), encoding="utf-8"
        )
        return path

    def __str__(self) -> str:
        from replank.lab.report.tables import arms_text

        return arms_text(self.summary(), self.metric, self.failures)

    __repr__ = __str__


def compare(
    host: Callable[[], nn.Module],
    arms: Arms,
    data: tuple[Any, Any],
    *,
    task: Literal["classification", "regression"] | None = None,
    controls: Iterable[str] = (),
    seeds: int = 3,
    epochs: int = 10,
    batch_size: int = 64,
    lr: float = 1e-3,
    optimiser: OptimiserBuilder | None = None,
    robustness: Robustness | None = None,
    device: torch.device | str | None = None,
    progress: bool = True,
) -> Comparison:
    """Train a model with other parts in its slots, all else fixed, and measure what changed.

    Arms of one seed share the initial values outside their slots, the data order and the noise, so that differences
    are paired. The final epoch counts; nothing is selected on the test set.

    Args:
        host: builds the model; called once for each arm and seed, under the host's own random stream.
        arms: swaps by name, e.g. ``{"low rank": Swap("head", part(LowRankLinear, rank=4))}``. ``None`` is the host
            itself; it is added as the baseline ``"host"`` unless the first arm is it. A ladder's ``rungs`` will do.
        data: training and test set. Each is a pair ``(x, y)`` of tensors or arrays, or a DataLoader.
        task: ``"classification"`` (integer labels, cross-entropy) or ``"regression"`` (mean squared error); guessed
            from the targets' type if not given.
        controls: added for every arm by name: ``"frozen"`` (the part with its parameters fixed), ``"same-size"`` (the
            strongest classical part with no more parameters), ``"unentangled"`` (the same circuit without gates on
            two qubits; for parts that hold a circuit).
        seeds: number of seeds, at least 1; intervals need at least 2.
        epochs: passes over the training set, at least 1.
        batch_size: of tensors and arrays; a DataLoader has its own.
        lr: learning rate of Adam.
        optimiser: from parameters to a torch optimiser, instead of Adam.
        robustness: also measure on disturbed test inputs.
        device: where to compute; default: where the host's parameters are.
        progress: show a bar when attached to a terminal.

    Raises:
        UsageError: seeds or epochs below 1, an unknown control or task, a host that builds no module.
        DataError: data are empty, not finite, or labels do not fit the model's outputs.
        SlotError, InterfaceMismatch: a swap does not fit; nothing has been trained then.
    """
    _check_counts(seeds=seeds, epochs=epochs, batch_size=batch_size)
    ladder = Ladder(_checked_host(host), _with_controls(_with_baseline(arms), controls))
    baseline = next(iter(ladder.rungs))
    model = ladder.model(baseline)
    place = torch.device(device) if device is not None else _device_of(model)
    training, test = (
        make_feed(part, name=name, batch_size=batch_size, device=place)
        for part, name in zip(_pair(data), ("training", "test"), strict=True)
    )
    goal = _task(task, training)
    _check_fit(model.to(place), goal, training, test)
    ladder.example = next(training.ordered())[0][:2].to(_device_of(ladder.model(baseline)))
    for _ in ladder.models():  # every swap must fit before anything is trained
        pass
    budget = Budget(epochs, optimiser or functools.partial(torch.optim.Adam, lr=lr))
    measured = functools.partial(_measured, ladder, goal, training, test, budget, robustness or Robustness(), place)
    trials = [(arm, seed) for seed in range(seeds) for arm in ladder.rungs]
    with _progress(len(trials) * epochs, progress) as of_trial:
        records = [
            recorded(_key(arm, seed), functools.partial(measured, of_trial(f"{arm}, seed {seed}"), arm, seed), place)
            for arm, seed in trials
        ]
    return Comparison(ladder, Records.of(records), f"test_{goal.headline}")


def _measured(
    ladder: Ladder,
    task: Task,
    training: Feed,
    test: Feed,
    budget: Budget,
    robustness: Robustness,
    device: torch.device,
    progress: Progress,
    arm: str,
    seed: int,
) -> Measurements:
    model = ladder.model(arm, seed=seed).to(device)
    measured = train(model, task, training, test, budget, seed=seed, progress=progress)
    measured.metrics |= robustness.measure(model, test, seed)
    return measured


def _key(arm: str, seed: int) -> TrialKey:
    """What identifies a trial on the user's own code and data, of which nothing more is known."""
    return TrialKey("compare", "own", "own", "own data", arm, seed, "{}", "", "", torch.get_num_threads())


def _check_counts(**counts: int) -> None:
    for name, value in counts.items():
        if not isinstance(value, int) or value < 1:
            raise UsageError(f"compare: `{name}` must be a whole number of at least 1, got {value!r}.")


def _checked_host(host: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    if isinstance(host, nn.Module) or not callable(host):
        raise UsageError(
            "compare: `host` must be a function that builds the model anew for each seed, got "
            f"{type(host).__name__}. Pass e.g. `lambda: copy.deepcopy(model)` to start from a trained one."
        )
    return host


def _with_baseline(arms: Arms) -> Arms:
    if not arms:
        raise UsageError("compare: `arms` must name at least one swap, got none.")
    first = next(iter(arms.values()))
    return {"host": None, **arms} if first else arms


def _with_controls(arms: Arms, names: Iterable[str]) -> dict[str, tuple[Swap, ...]]:
    """Each arm, followed by its controls."""
    makers = {name: control(name) for name in names}
    complete: dict[str, tuple[Swap, ...]] = {}
    for arm, swaps in arms.items():
        complete[arm] = as_swaps(arm, swaps)
        for name, make in makers.items() if complete[arm] else ():
            complete[f"{arm}, {name}"] = tuple(Swap(each.slots, make(each.replacement)) for each in complete[arm])
    return complete


def _pair(data: Any) -> tuple[Any, Any]:
    if not isinstance(data, list | tuple) or len(data) != 2:
        raise UsageError(
            "compare: `data` must be a pair (training, test), each a pair (x, y) or a DataLoader, got "
            f"{type(data).__name__} of {len(data) if hasattr(data, '__len__') else 'unknown'} items."
        )
    return data[0], data[1]


def _device_of(model: nn.Module) -> torch.device:
    devices = {parameter.device for parameter in model.parameters()} or {torch.device("cpu")}
    if len(devices) > 1 or next(iter(devices)).type == "meta":
        raise UsageError(
            f"compare: the host must be on one real device, got {', '.join(sorted(map(str, devices)))}. "
            "Build it on one device, or say `device=`."
        )
    return next(iter(devices))


def _task(name: str | None, training: Feed) -> Task:
    if name is None:
        _, y = next(training.ordered())
        name = "regression" if y.is_floating_point() else "classification"
    if name not in TASKS:
        raise UnknownName("task", name, TASKS)
    return TASKS[name]()


def _check_fit(model: nn.Module, task: Task, training: Feed, test: Feed) -> None:
    """The host must take the data, and the targets must fit its output."""
    for name, feed in (("training", training), ("test", test)):
        x, _ = next(feed.ordered())
        try:
            with torch.no_grad():
                output = model.eval()(x[:2])
        except Exception as error:
            raise InterfaceMismatch(
                f"compare: the host must accept the {name} inputs, got a batch of shape {tuple(x.shape)}: {error}"
            ) from error
        for _, y in feed.ordered():
            task.check(output, y, name)


@contextmanager
def _progress(n_epochs: int, shown: bool) -> Iterator[Callable[[str], Progress]]:
    """A bar over all epochs of all trials, with the running arm, on a terminal."""
    with bars.Progress(
        "{task.description}",
        bars.BarColumn(),
        bars.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not (shown and sys.stderr.isatty()),
    ) as bar:
        total = bar.add_task("", total=n_epochs)

        def of_trial(name: str) -> Progress:
            def tell(epoch: int, epochs: int, values: Mapping[str, float]) -> None:
                loss = values["train_loss"]
                bar.update(total, advance=1, description=f"{name}: epoch {epoch}/{epochs}, train loss {loss:.4g}")

            return tell

        yield of_trial
