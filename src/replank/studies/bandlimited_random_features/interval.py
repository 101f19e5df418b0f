"""One trial on [0, 1]: both curves, all boxes and numbers of nodes, and all cut-offs from one decomposition each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from replank.features import LeastSquares, RandomFeatureNet
from replank.lab.feed import TensorFeed
from replank.lab.task import Regression
from replank.lab.training import predictions, train
from replank.lab.trial import Measurements, Trial
from replank.measure import mexican_hat, relative_error, ridgelet_leakage, ridgelet_transform
from replank.measure.timing import Stopwatch
from replank.seeding import torch_stream
from replank.studies.bandlimited_random_features.chosen import chosen_features, kernel_ridge
from replank.studies.bandlimited_random_features.networks import budget, network
from replank.studies.bandlimited_random_features.nodes import held_out, random_net
from replank.studies.bandlimited_random_features.settings import RandomFeatureSettings
from replank.studies.bandlimited_random_features.targets import CURVES, F64, Problem, curves

N_MAP = 61
MAPPED = (10.0, 25.0, 100.0)
"""Bands whose surroundings are drawn."""

Problems = Mapping[str, Problem]


class Errors(NamedTuple):
    """How far one network is off one curve.

    Args:
        error: at test points, relative to the curve.
        train_error: at training points, likewise.
        max_error: the largest at test points, as it is.
        norm: of the read-out.
    """

    error: float
    train_error: float
    max_error: float
    norm: float


class Key(NamedTuple):
    """Which network: curve, band and number of nodes."""

    curve: str
    lam: float
    width: int


def on_interval(trial: Trial) -> Measurements:
    """Approximate both curves with one arm."""
    settings: RandomFeatureSettings = trial.settings
    problems = curves(settings, trial.seed)
    match settings.model:
        case "random":
            return _random(settings, problems, trial.seed)
        case "polynomial":
            return _polynomials(settings, problems, trial.seed)
        case "mlp" | "trained":
            return _trained(trial, problems)
        case _:
            return _with_choices(settings, problems, trial.seed)


# -- frozen nodes ------------------------------------------------------------------------------------------------------


def _random(settings: RandomFeatureSettings, problems: Problems, seed: int) -> Measurements:
    """All bands and widths; what tables lead with is of the band that held-out training points choose."""
    lams, widths = _lams(settings), settings.widths if settings.solve == "lstsq" else (settings.width,)
    found: dict[Key, Errors] = {}
    ranks: dict[tuple[float, int], float] = {}
    seconds: dict[tuple[float, int], float] = {}
    swept: dict[str, float] = {}
    for lam, width in itertools.product(lams, widths):
        for names, net in _nets(settings, problems, lam, width, seed):
            with Stopwatch(torch.device("cpu")) as watch:
                solver = LeastSquares(net.transform(problems[names[0]].x))
                weights = {name: _weight(settings, net, solver, problems[name]) for name in names}
            ranks[lam, width], seconds[lam, width] = float(solver.rank(settings.rcond)), watch.cpu_s
            for name, weight in weights.items():
                found[Key(name, lam, width)] = _off(problems[name], net, weight)
                if (lam, width) == (settings.swept_lam, settings.widest):
                    swept |= _by_cut_off(settings, name, problems[name], net, solver)
    chosen = {name: _chosen_lam(settings, name, problem, seed) for name, problem in problems.items()}
    metrics = _led(settings, found, chosen) | swept
    metrics |= {f"{name}_rank": ranks[lam, settings.width] for name, lam in chosen.items()}
    metrics |= {f"{name}_training_cpu_s": seconds[lam, settings.width] for name, lam in chosen.items()}
    metrics |= {"parameters": 3.0 * settings.width, "trainable_parameters": float(settings.width)}
    if len(lams) > 1:
        metrics |= {f"{name}_lambda": lam for name, lam in chosen.items()}
        metrics |= _by_lambda(settings, found)
        metrics |= {f"rank_at_lambda_{lam:g}_d_{width}": rank for (lam, width), rank in ranks.items()}
    artefacts = {"errors": _array(found, lams, widths)}
    if settings.sampler == "uniform" and not settings.sobol and settings.solve == "lstsq" and not settings.noise:
        metrics |= _leakages(lams)
        artefacts |= _maps(lams)
    return Measurements(metrics, artefacts=artefacts)


def _lams(settings: RandomFeatureSettings) -> Sequence[float]:
    """Points of the data tell a data-driven sampler how large weights are."""
    return settings.lams if settings.sampler != "data-driven" else (1.0,)


def _nets(
    settings: RandomFeatureSettings, problems: Problems, lam: float, width: int, seed: int
) -> Iterator[tuple[list[str], RandomFeatureNet]]:
    """Networks with drawn nodes, and the curves that share them: all, unless nodes depend on targets."""
    groups = [[name] for name in problems] if settings.sampler == "data-driven" else [list(problems)]
    for names in groups:
        first = problems[names[0]]
        yield names, random_net(settings, lam, first.x, width, seed).draw(first.x, first.y)


def _weight(settings: RandomFeatureSettings, net: RandomFeatureNet, solver: LeastSquares, problem: Problem) -> Tensor:
    match settings.solve:
        case "lstsq":
            return solver.solve(problem.y, settings.rcond)
        case "ridge":
            return solver.ridge(problem.y, settings.alpha)
        case "sgd":
            return net.fit(problem.x, problem.y).weight


def _off(problem: Problem, net: RandomFeatureNet, weight: Tensor) -> Errors:
    fitted, tested = (net.transform(x) @ weight for x in (problem.x, problem.test_x))
    return _errors(problem, fitted, tested, float(weight.norm()))


def _errors(problem: Problem, fitted: Tensor, tested: Tensor, norm: float = float("nan")) -> Errors:
    return Errors(
        relative_error(tested, problem.test_y),
        relative_error(fitted, problem.y),
        float((tested - problem.test_y).abs().max()),
        norm,
    )


def _by_cut_off(
    settings: RandomFeatureSettings, name: str, problem: Problem, net: RandomFeatureNet, solver: LeastSquares
) -> dict[str, float]:
    """Errors, norms and ranks at other cut-offs."""
    metrics: dict[str, float] = {}
    for rcond in settings.rconds if settings.solve == "lstsq" else ():
        found, where = _off(problem, net, solver.solve(problem.y, rcond)), f"_at_rcond_{rcond:g}"
        metrics |= {f"{name}_error{where}": found.error, f"{name}_norm{where}": found.norm}
        metrics[f"rank{where}"] = float(solver.rank(rcond))
    return metrics


def _chosen_lam(settings: RandomFeatureSettings, name: str, problem: Problem, seed: int) -> float:
    """The band with which held-out training points are predicted best from the others."""
    lams = _lams(settings)
    if len(lams) == 1:
        return lams[0]
    fitted, kept = held_out(problem.x, settings.held_out, torch_stream(seed, "held out"))
    part = Problem(problem.x[fitted], problem.y[fitted], problem.x[kept], problem.y[kept])

    def error(lam: float) -> float:
        net = random_net(settings, lam, problem.x, settings.width, seed).draw(problem.x)
        return _off(part, net, _weight(settings, net, LeastSquares(net.transform(part.x)), part)).error

    return min(lams, key=error)


# -- names of what was found -------------------------------------------------------------------------------------------


def _led(settings: RandomFeatureSettings, found: Mapping[Key, Errors], chosen: Mapping[str, float]) -> dict[str, float]:
    """Of the chosen band: all there is to say at the usual number of nodes, and errors at all numbers."""
    metrics: dict[str, float] = {}
    for key, errors in found.items():
        if key.lam == chosen[key.curve]:
            metrics[f"{key.curve}_error_at_d_{key.width}"] = errors.error
            if key.width == settings.width:
                metrics |= _named(key.curve, errors)
    return metrics


def _named(curve: str, errors: Errors) -> dict[str, float]:
    named = {f"{curve}_{what}": value for what, value in errors._asdict().items()}
    return {name: value for name, value in named.items() if np.isfinite(value)}


def _by_lambda(settings: RandomFeatureSettings, found: Mapping[Key, Errors]) -> dict[str, float]:
    """Errors and norms of all bands, the least over numbers of nodes, and what more nodes bring."""
    metrics: dict[str, float] = {}
    for key, errors in found.items():
        where = f"_at_lambda_{key.lam:g}_d_{key.width}"
        metrics |= {f"{key.curve}_error{where}": errors.error, f"{key.curve}_norm{where}": errors.norm}
    for curve, lam in {(key.curve, key.lam) for key in found}:
        by_width = {key.width: errors.error for key, errors in found.items() if (key.curve, key.lam) == (curve, lam)}
        where = f"_at_lambda_{lam:g}"
        metrics |= {
            f"{curve}_error{where}": by_width[settings.width],
            f"{curve}_least_error{where}": min(by_width.values()),
        }
        if settings.widest in by_width and settings.widest != settings.width:
            gain = by_width[settings.width] / by_width[settings.widest]
            metrics[f"{curve}_log10_gain{where}"] = float(np.log10(gain))
    return metrics


def _array(found: Mapping[Key, Errors], lams: Sequence[float], widths: Sequence[int]) -> np.ndarray:
    """All errors: ``(curve, band, number of nodes, kind of error)``."""
    return np.array([[[found[Key(curve, lam, width)] for width in widths] for lam in lams] for curve in CURVES])


def _leakages(lams: Sequence[float]) -> dict[str, float]:
    """How much of each curve's ridgelet transform lies outside of each box."""
    metrics: dict[str, float] = {}
    for lam in lams:
        x = torch.linspace(0, 1, max(1001, round(8 * lam) + 1), dtype=F64)
        metrics |= {f"{name}_leakage_at_lambda_{lam:g}": ridgelet_leakage(f(x), x, lam) for name, f in CURVES.items()}
    return metrics


def _maps(lams: Sequence[float]) -> dict[str, np.ndarray]:
    """Transforms of both curves around boxes: ``(curve, a, b)``."""
    x = torch.linspace(0, 1, 1001, dtype=F64)
    maps = {}
    for lam in MAPPED:
        if lam in lams:
            grid = torch.linspace(-1.5 * lam, 1.5 * lam, N_MAP, dtype=F64)
            both = [ridgelet_transform(curve(x), x, mexican_hat, grid, grid) for curve in CURVES.values()]
            maps[f"ridgelets-{lam:g}"] = torch.stack(both).numpy()
    return maps


# -- rivals ------------------------------------------------------------------------------------------------------------


def _polynomials(settings: RandomFeatureSettings, problems: Problems, seed: int) -> Measurements:
    """As many Chebyshev polynomials as nodes of a uniform band have independent directions."""
    metrics: dict[str, float] = {}
    for width in settings.widths:
        x = next(iter(problems.values())).x
        net = random_net(settings, settings.start_lam, x, width, seed).draw(x)
        rank = LeastSquares(net.transform(x)).rank(settings.rcond)
        solver = LeastSquares(_chebyshev(x, rank))
        for name, each in problems.items():
            weight = solver.solve(each.y, settings.rcond)
            fitted, tested = (_chebyshev(points, rank) @ weight for points in (each.x, each.test_x))
            errors = _errors(each, fitted, tested, float(weight.norm()))
            metrics[f"{name}_error_at_d_{width}"] = errors.error
            if width == settings.width:
                metrics |= _named(name, errors) | {f"{name}_rank": float(rank), "trainable_parameters": float(rank)}
    return Measurements(metrics)


def _chebyshev(x: Tensor, count: int) -> Tensor:
    return torch.from_numpy(np.polynomial.chebyshev.chebvander(2 * x[:, 0].numpy() - 1, count - 1))


def _with_choices(settings: RandomFeatureSettings, problems: Problems, seed: int) -> Measurements:
    build = kernel_ridge if settings.model == "kernel-ridge" else chosen_features
    metrics: dict[str, float] = {}
    for name, each in problems.items():
        found = build(settings, each.x, each.y, seed)
        errors = _errors(each, found.predict(each.x), found.predict(each.test_x), found.norm)
        metrics |= _named(name, errors) | {f"{name}_error_at_d_{settings.width}": errors.error}
        metrics |= {f"{name}_strength": found.strength, f"{name}_alpha": found.alpha}
        metrics["trainable_parameters"] = float(found.fitted)
    return Measurements(metrics)


def _trained(trial: Trial, problems: Problems) -> Measurements:
    settings: RandomFeatureSettings = trial.settings
    metrics: dict[str, float] = {}
    rows_of: list[list[dict[str, float]]] = []
    for name, each in problems.items():
        model = network(settings, each.x, 1, trial.seed)
        size = len(each.x) if settings.optimiser == "lbfgs" else settings.batch_size
        training, test = (
            TensorFeed(x, y[:, None], batch_size=size) for x, y in ((each.x, each.y), (each.test_x, each.test_y))
        )
        plan = budget(settings)
        measured = train(model, Regression(), training, test, plan, seed=trial.seed, progress=trial.progress)
        fitted, tested = (predictions(model, feed)[0][:, 0] for feed in (training, test))
        errors = _errors(each, fitted, tested)
        metrics |= _named(name, errors) | {f"{name}_error_at_d_{settings.width}": errors.error}
        metrics |= {key: measured.metrics[key] for key in ("parameters", "trainable_parameters")}
        metrics[f"{name}_training_cpu_s"] = measured.metrics["train_cpu_s_per_epoch"] * plan.epochs
        rows_of.append([{k if k == "epoch" else f"{name}_{k}": v for k, v in row.items()} for row in measured.curves])
    together = [{key: value for row in rows for key, value in row.items()} for rows in zip(*rows_of, strict=True)]
    return Measurements(metrics, together)
