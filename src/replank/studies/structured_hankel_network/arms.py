"""From an arm's kind to its forecaster."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from replank.lab.feed import TensorFeed
from replank.lab.task import Regression
from replank.lab.training import Budget, train
from replank.lab.trial import Measurements, Trial
from replank.parts.forecaster import Forecaster
from replank.parts.forecaster._interface import States
from replank.parts.forecaster._training import penalty_of
from replank.parts.forecaster.autoregression import AutoregressiveForecaster
from replank.parts.forecaster.dmd import DMDForecaster
from replank.parts.forecaster.havok import HAVOKForecaster
from replank.parts.forecaster.leads import LEADSForecaster
from replank.parts.forecaster.network import NetworkForecaster
from replank.parts.forecaster.per_context import PerContextForecaster
from replank.parts.forecaster.persistence import PersistenceForecaster
from replank.parts.forecaster.sindy import SINDyForecaster
from replank.studies.structured_hankel_network.data import ENVIRONMENTS, Split
from replank.studies.structured_hankel_network.networks import network
from replank.studies.structured_hankel_network.settings import HankelSettings

NETWORK_KINDS = ("dense", "scaled", "hankel", "low-rank", "matched", "pointwise")
TRAINED = (*NETWORK_KINDS, "leads")


class Penalised(Regression):
    """A regression whose loss a network may add to."""

    def __init__(self, model: nn.Module):
        self.model = model

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Mean squared error and penalty."""
        return F.mse_loss(output, target) + penalty_of(self.model)


@dataclass
class ByTheLab:
    """Trains a forecaster's network by the lab's loop.

    What the loop calls a test set are validation trajectories: test trajectories are not shown to it.
    """

    trial: Trial
    split: Split
    forecaster: Forecaster | None = None
    measured: Measurements = field(default_factory=lambda: Measurements({}))

    def __call__(self, model: nn.Module, x: Tensor, y: Tensor) -> None:
        """Train."""
        settings: HankelSettings = self.trial.settings
        held_out = (x, y)
        if isinstance(self.forecaster, NetworkForecaster):
            validation = self.split.validation
            held_out = self.forecaster.samples(list(validation.states), told(settings, validation.contexts))
        device, size = self.trial.device, settings.batch_size
        training, validation_feed = (
            TensorFeed(inputs.to(device), targets.to(device), batch_size=size, evaluation_batch_size=4096)
            for inputs, targets in ((x, y), held_out)
        )
        budget = Budget(
            settings.epochs,
            functools.partial(torch.optim.Adam, lr=settings.lr),
            schedule=lambda optimiser, n: torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, n),
            limit_gradients=functools.partial(nn.utils.clip_grad_norm_, max_norm=1.0),
            evaluate_every=max(1, settings.epochs // 15),
        )
        model.to(device)
        found = train(
            model, Penalised(model), training, validation_feed, budget,
            seed=self.trial.seed, progress=self.trial.progress,
        )  # fmt: skip
        model.cpu()
        self.measured = Measurements(_as_validation(found.metrics), [_as_validation(row) for row in found.curves])


def _as_validation(values: dict[str, float]) -> dict[str, float]:
    return {name.replace("test_", "validation_"): value for name, value in values.items()}


def told(settings: HankelSettings, contexts: States) -> States:
    """The contexts that a forecaster is told: networks must see in their window which environment it is."""
    if settings.problem == "lotka-volterra" and settings.kind in (*NETWORK_KINDS, "persistence"):
        return contexts[:, :0]
    return contexts


def forecaster_of(trial: Trial, trainer: ByTheLab) -> Forecaster:
    """The arm's forecaster, not fitted."""
    settings: HankelSettings = trial.settings
    if settings.kind in NETWORK_KINDS:
        build = functools.partial(_build, settings, trial.seed)
        history = 1 if settings.kind == "pointwise" else settings.q
        trainer.forecaster = NetworkForecaster(build=build, train=trainer, history=history, seed=trial.seed)
        return trainer.forecaster
    if settings.kind == "leads":
        n = len(ENVIRONMENTS)
        return LEADSForecaster(n_environments=n, hidden=settings.hidden, train=trainer, seed=trial.seed)
    build_one = functools.partial(_of_one_system, settings)
    several = settings.problem == "lotka-volterra" and settings.kind != "persistence"
    return PerContextForecaster(build=build_one) if several else build_one()


def _build(settings: HankelSettings, seed: int, n_in: int, n_out: int) -> nn.Module:
    return network(settings, n_in, n_out, seed)


def _of_one_system(settings: HankelSettings) -> Forecaster:
    match settings.kind:
        case "sindy":
            return SINDyForecaster(threshold=settings.threshold)
        case "dmd":
            return DMDForecaster(svd_rank=-1)
        case "hankel-dmd":
            return DMDForecaster(history=settings.q)
        case "havok":
            return HAVOKForecaster(history=settings.q, rank=settings.havok_rank)
        case "autoregression":
            return AutoregressiveForecaster(history=settings.q)
        case "persistence":
            return PersistenceForecaster()
        case _:
            raise ValueError(f"arms: a forecaster without a network must be known, got kind={settings.kind!r}.")
