"""A primary network with its hypernetwork, as one module that the shared loop trains."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from replank.parts.hypernetwork import HyperNetwork, functional_primary, release_parameters
from replank.parts.initialiser import Initialiser
from replank.parts.initialiser.bias_hyper import BiasHyperInitialiser
from replank.parts.initialiser.hyperfan_in import HyperfanInInitialiser
from replank.parts.initialiser.kaiming_normal import KaimingNormalInitialiser
from replank.parts.initialiser.per_tensor_fan_out import PerTensorFanOutInitialiser
from replank.seeding import isolated
from replank.slots import reinitialise
from replank.studies.magnitude_invariant_hypernetworks.networks import RegistrationNet, ScaledClassifier, rescaling
from replank.studies.magnitude_invariant_hypernetworks.settings import HyperSettings
from replank.studies.magnitude_invariant_hypernetworks.tasks import registration_terms

N_DRAWN = 8
"""Hyper-inputs drawn for a batch, of which the first is used: batch normalisation needs the others."""

Answer = Callable[[Callable[[object], Tensor], Tensor, Tensor], Tensor]
"""From the primary network with its parameters, inputs and a hyper-input to what is compared with targets."""


class Conditioned(nn.Module):
    """Draws a hyper-input for each training batch, and answers at fixed ones in evaluation mode.

    They are drawn from torch's default generator, as dropout is, which the training loop seeds for each epoch: all arms
    of a seed see the same ones.

    Shape: ``(B, ...) -> (B, g, ...)``, g being 1 in training mode and the number of :attr:`gammas` in evaluation mode.

    Args:
        hyper: the hypernetwork; without one the primary network keeps its parameters.
        primary: whose parameters are predicted.
        answer: what comes out.
        gammas: where it is evaluated, ``(g, d)``.
        sees: what the hypernetwork is given for a hyper-input, if not the hyper-input.
        trained_at: the one hyper-input of training, if it is not drawn.
    """

    def __init__(
        self,
        hyper: HyperNetwork | None,
        primary: nn.Module,
        answer: Answer,
        gammas: Tensor,
        *,
        sees: float | None = None,
        trained_at: float | None = None,
    ):
        super().__init__()
        self.hyper, self.primary, self.answer, self.sees, self.trained_at = hyper, primary, answer, sees, trained_at
        self.gammas = gammas

    def forward(self, x: Tensor) -> Tensor:
        """Answers, side by side."""
        if not self.training:
            return torch.stack([self._at(x, gamma, gamma) for gamma in self.gammas.to(x)], 1)
        drawn = torch.rand(N_DRAWN, self.gammas.shape[1]).to(x)
        if self.trained_at is not None:
            drawn = torch.full_like(drawn, self.trained_at)
        return self._at(x, drawn[0], drawn)[:, None]

    def _at(self, x: Tensor, gamma: Tensor, given: Tensor) -> Tensor:
        if self.hyper is None:
            return self.answer(self.primary, x, gamma)
        params = self._predicted(self.hyper, given)
        return self.answer(lambda inputs: functional_primary(self.primary, params, inputs), x, gamma)

    def _predicted(self, hyper: HyperNetwork, given: Tensor) -> Mapping[str, Tensor]:
        if self.sees is not None:
            given = torch.full_like(given, self.sees)
        if hyper.norm == "batch":
            batch = given if given.ndim > 1 else given[None]
            return {name: each[0] for name, each in hyper(gamma=batch).items()}
        return hyper(gamma=given if given.ndim == 1 else given[0])


def build(settings: HyperSettings, gammas: Tensor, seed: int, trained_at: float | None = None) -> Conditioned:
    """The arm's model; primary network, and layers of the hypernetwork that have one shape, are those of every arm.

    Args:
        settings: with the arm's variant.
        gammas: where it is evaluated while it is trained.
        seed: of the starting values.
        trained_at: the one hyper-input of training, for networks without hypernetwork.
    """
    registers = settings.problem in ("registration", "start")
    with isolated(seed, "host"):
        primary = RegistrationNet(settings.channels[0]) if registers else ScaledClassifier(settings.channels)
    answer = _register if registers else _classify_rescaled if settings.problem == "classifier" else _classify
    if settings.parameters in ("gamma-blind", "separate"):
        return Conditioned(None, primary, answer, gammas, trained_at=trained_at)
    hyper = hypernetwork(settings, primary, seed)
    release_parameters(primary, hyper.output_shapes)
    return Conditioned(hyper, primary, answer, gammas, sees=0.5 if settings.parameters == "input-blind" else None)


def hypernetwork(settings: HyperSettings, primary: nn.Module, seed: int) -> HyperNetwork:
    """The hypernetwork of an arm for the convolutions of a primary network; its linear layer keeps its parameters."""
    include = [name for name, _ in primary.named_parameters() if not name.startswith("fc.")]
    with isolated(seed, "hypernetwork"):
        hyper = HyperNetwork.from_module(
            primary,
            {"gamma": (settings.d,)},
            settings.hidden,
            include=include,
            encoding=settings.encoding,
            residual=settings.residual,
            activation=settings.activation,
            norm=settings.norm,
        )
    theta_0 = hyper.head.bias.detach().clone()
    # each layer from a stream of its own, so that a wider input changes the first one alone
    layers = [name for name, layer in hyper.named_modules() if isinstance(layer, nn.Linear) and name != "head"]
    started = reinitialise(hyper, layers, KaimingNormalInitialiser(mode="fan_out", a=0.01), seed=seed)
    started = reinitialise(started, "head", _last_layer(settings, started), seed=seed)
    assert isinstance(started, HyperNetwork)
    with torch.no_grad():
        started.head.bias.copy_(theta_0)
    return started


def _last_layer(settings: HyperSettings, hyper: nn.Module) -> Initialiser:
    assert isinstance(hyper, HyperNetwork)
    match settings.last_layer:
        case "bias-hyperinit":
            return BiasHyperInitialiser(hyper.output_shapes)
        case "hyperfan-in":
            gammas = torch.rand(256, settings.d, generator=torch.Generator().manual_seed(0))
            with torch.no_grad():
                square = float(hyper.features(gamma=gammas).square().mean())
            return HyperfanInInitialiser(hyper.output_shapes, square=square)
        case "fan-out":
            return PerTensorFanOutInitialiser(hyper.output_shapes)


def _register(run: Callable[[object], Tensor], x: Tensor, gamma: Tensor) -> Tensor:
    return registration_terms(x, run(x), gamma)


def _classify(run: Callable[[object], Tensor], x: Tensor, gamma: Tensor) -> Tensor:
    return run(x)


def _classify_rescaled(run: Callable[[object], Tensor], x: Tensor, gamma: Tensor) -> Tensor:
    return run((x, rescaling(gamma)))
