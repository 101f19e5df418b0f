"""The extrapolators of this study, by the names that settings have for them."""

from __future__ import annotations

from replank.parts.extrapolator import Extrapolator
from replank.parts.extrapolator.conditioned import ConditionedNeuralExtrapolator
from replank.parts.extrapolator.exponential import ExponentialExtrapolator
from replank.parts.extrapolator.gaussian_process import GaussianProcessExtrapolator
from replank.parts.extrapolator.linear import LinearExtrapolator
from replank.parts.extrapolator.neural import NeuralExtrapolator
from replank.parts.extrapolator.none import NoExtrapolator
from replank.parts.extrapolator.polynomial import PolynomialExtrapolator
from replank.parts.extrapolator.regression import RegressionExtrapolator
from replank.parts.extrapolator.richardson import RichardsonExtrapolator
from replank.seeding import stream_seed
from replank.studies.neural_zne.settings import ZneSettings


def build(settings: ZneSettings, seed: int) -> Extrapolator:
    """The extrapolator of an arm.

    Args:
        settings: of the trial.
        seed: of the trial; networks have a stream of their own.
    """
    range_, members = settings.range, settings.members
    own_seed = stream_seed(seed, "part", "extrapolator")
    match settings.extrapolator:
        case "none":
            return NoExtrapolator(range=range_)
        case "linear":
            return LinearExtrapolator(range=range_)
        case "polynomial":
            return PolynomialExtrapolator(degree=2, range=range_)
        case "richardson-3":
            return RichardsonExtrapolator(nodes=3, range=range_)
        case "richardson":
            return RichardsonExtrapolator(range=range_)
        case "exponential":
            return ExponentialExtrapolator(asymptote=0.0, range=range_)
        case "exponential-free":
            return ExponentialExtrapolator(asymptote=None, range=range_)
        case "gp":
            return GaussianProcessExtrapolator(range=range_)
        case "ffnn":
            return NeuralExtrapolator(range=range_, members=members, steps=settings.steps, seed=own_seed)
        case "learned-linear":
            return RegressionExtrapolator(range=range_)
    sees = {"conditioned": "all", "conditioned-values": "values", "conditioned-blind": "descriptors"}
    return ConditionedNeuralExtrapolator(
        sees=sees[settings.extrapolator],  # type: ignore[arg-type]
        range=range_,
        members=members,
        steps=settings.learning_steps,
        seed=own_seed,
    )
