"""One trial: which experiment it is, and what is measured when the training is over."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor

from replank.lab.training import predictions
from replank.lab.trial import Measurements, Trial
from replank.measure.flops import forward_flops
from replank.seeding import torch_stream
from replank.studies.magnitude_invariant_hypernetworks.cells import run_grid
from replank.studies.magnitude_invariant_hypernetworks.data import Feeds, feeds
from replank.studies.magnitude_invariant_hypernetworks.fitting import Fitted, fit, magnitudes, sensitivity, task_of
from replank.studies.magnitude_invariant_hypernetworks.model import Conditioned
from replank.studies.magnitude_invariant_hypernetworks.settings import HyperSettings
from replank.studies.magnitude_invariant_hypernetworks.start import run_start
from replank.studies.magnitude_invariant_hypernetworks.tasks import TERMS

N_MIXED = 16
SEPARATE = (0.1, 0.5, 0.9)


def run(trial: Trial) -> Measurements:
    """Train one arm, or look at it before training."""
    settings: HyperSettings = trial.settings
    sets = feeds(trial.dataset, settings, trial.seed, trial.device)
    match settings.problem:
        case "start":
            return run_start(settings, sets, trial.seed, trial.device)
        case "grid":
            return run_grid(settings, sets, trial.seed, trial.device, trial.progress)
    training = partial(fit, settings, sets, seed=trial.seed, device=trial.device, progress=trial.progress)
    if settings.parameters == "separate":
        return _separate({gamma: training(trained_at=gamma) for gamma in SEPARATE}, settings, sets)
    fitted = training()
    measured = fitted.measured
    measured.metrics |= {"sensitivity": sensitivity(fitted.model)} | _tested(fitted.model, settings, sets)
    return replace(measured, artefacts=_norms(fitted.model))


def final_gammas(settings: HyperSettings) -> Tensor:
    """Where a trained model is tested: 0, 0.1, ..., 1; or sixteen draws if hyper-inputs mean nothing."""
    if settings.problem == "gaussian":
        return torch.rand(N_MIXED, settings.d, generator=torch_stream(0, "mixture"))
    return torch.linspace(0, 1, 11)[:, None]


def _tested(model: Conditioned, settings: HyperSettings, sets: Feeds) -> dict[str, float]:
    """Test and validation metrics over all hyper-inputs, and at each of them."""
    task, gammas = task_of(settings), final_gammas(settings)
    model.gammas = gammas
    outputs, targets = predictions(model, sets.test)
    found = {f"test_{name}": value for name, value in task.metrics(outputs, targets).items()}
    if settings.problem == "gaussian":
        return found
    for number, gamma in enumerate(gammas[:, 0].tolist()):
        here = task.metrics(outputs[:, number : number + 1], targets)
        found |= {f"{name}_at_gamma_{gamma:.1f}": here[name] for name in ("loss", task.headline)}
    found["three_gammas_loss"] = float(np.mean([found[f"loss_at_gamma_{gamma}"] for gamma in SEPARATE]))
    if settings.problem == "registration":
        return found | _against_gamma(outputs)
    return found | _flops(model, sets)


def _against_gamma(outputs: Tensor) -> dict[str, float]:
    """Whether fields become smoother with gamma, and the terms at its ends."""
    terms = outputs.mean(0)[:, 1:].tolist()
    smoothness = [row[TERMS.index("smoothness")] for row in terms]
    # without any hyper-input all are equal, and there is no order
    order = spearmanr(range(len(terms)), smoothness).statistic if len(set(smoothness)) > 1 else 0.0
    ends = {f"{name}_at_gamma_{gamma}": terms[place][number] for number, name in enumerate(TERMS)
            for gamma, place in (("0.0", 0), ("1.0", -1))}  # fmt: skip
    return {"smoothness_order": float(order)} | ends


def _flops(model: Conditioned, sets: Feeds) -> dict[str, float]:
    """Operations for one image, hypernetwork included, at some hyper-inputs."""
    image = sets.test.x[:1]
    found = {}
    for gamma in (0.0, 0.5, 1.0):
        model.gammas = torch.tensor([[gamma]])
        found[f"flops_at_gamma_{gamma}"] = float(forward_flops(model, image))
    return found


def _separate(runs: dict[float, Fitted], settings: HyperSettings, sets: Feeds) -> Measurements:
    """Networks of their own for three hyper-inputs: no test metric over all eleven."""
    task = task_of(settings)
    found: dict[str, float] = {}
    for gamma, fitted in runs.items():
        fitted.model.gammas = torch.tensor([[gamma]])
        outputs, targets = predictions(fitted.model, sets.test)
        here = task.metrics(outputs, targets)
        found |= {f"{name}_at_gamma_{gamma}": here[name] for name in ("loss", task.headline)}
    found["three_gammas_loss"] = float(np.mean([found[f"loss_at_gamma_{gamma}"] for gamma in runs]))
    first = next(iter(runs.values())).measured.metrics
    kept = ("parameters", "trainable_parameters", "train_cpu_s_per_epoch")
    found |= {name: len(runs) * first[name] for name in kept}
    return Measurements(found)


def _norms(model: Conditioned) -> dict[str, np.ndarray]:
    """Norms of what is predicted, by hyper-input, if that is one number."""
    if model.hyper is None or model.gammas.shape[1] != 1:
        return {}
    return {"norms": magnitudes(model).norms.cpu().numpy()}
