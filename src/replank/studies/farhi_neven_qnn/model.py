"""What learns: the arms' models, each from settings and a problem."""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from replank.circuits import Circuit
from replank.circuits.given_states import DiagonalMeans
from replank.circuits.templates import parity_layer, readout_layers
from replank.errors import UsageError
from replank.studies.farhi_neven_qnn.classifier import ReadoutClassifier
from replank.studies.farhi_neven_qnn.factorised import FactorisedReadout
from replank.studies.farhi_neven_qnn.problems import DTYPE, Problem
from replank.studies.farhi_neven_qnn.rivals import (
    MajorityVote,
    SideBySide,
    SineLinear,
    logistic,
    mlp,
)
from replank.studies.farhi_neven_qnn.settings import ReadoutSettings

Quantum = ReadoutClassifier | FactorisedReadout
ONE_AT_A_TIME = ("farhi", "spsa")


def build(settings: ReadoutSettings, problem: Problem) -> nn.Module:
    """The model, with initial values from torch's default generator; its scores are ``(B, settings.starts)``.

    Raises:
        UsageError: several starts for an update rule that looks at all weights at once.
    """
    if settings.starts > 1 and settings.rule in ONE_AT_A_TIME:
        raise UsageError(
            f"ReadoutSettings: the rule {settings.rule!r} looks at all weights at once, got starts="
            f"{settings.starts}. Run more seeds instead."
        )
    match settings.model:
        case "circuit":
            return circuit_model(settings, problem)
        case "sine":
            return SineLinear(problem.n_data, n_starts=settings.starts, dtype=DTYPE)
        case "vote":
            return MajorityVote(*problem.train, n_starts=settings.starts)
        case "mlp":
            return SideBySide(partial(mlp, problem.n_data, DTYPE), settings.starts)
    return SideBySide(partial(_logistic, settings, problem), settings.starts)


def _logistic(settings: ReadoutSettings, problem: Problem) -> nn.Module:
    """Of bits; of states, from what Z gives on each qubit, or on each pair that the problem couples."""
    if not problem.is_state:
        return logistic(problem.n_data, DTYPE)
    words = problem.pairs if settings.model == "logistic-edges" else [(wire,) for wire in range(problem.n_data)]
    return nn.Sequential(DiagonalMeans(problem.n_data, words), logistic(len(words), DTYPE))


def ansatz(settings: ReadoutSettings, problem: Problem) -> Circuit:
    """The trained circuit; parities and energies have the paper's own."""
    match settings.problem:
        case "parity":
            return parity_layer(problem.n_data)
        case "energy":
            return readout_layers(problem.n_data, ("ZZX",), pairs=problem.pairs)
    return readout_layers(problem.n_data, settings.layers)


def circuit_model(settings: ReadoutSettings, problem: Problem) -> Quantum:
    """The circuit on the backend that the settings ask for."""
    gates = ansatz(settings, problem)
    model: Quantum
    if settings.backend == "factorised":
        model = FactorisedReadout(problem.n_data, gates, n_starts=settings.starts, dtype=DTYPE)
    else:
        model = ReadoutClassifier(
            problem.n_data,
            gates,
            readout_pauli=settings.readout_pauli,
            readout_init=settings.readout_init,
            inputs="state" if problem.is_state else "bits",
            n_starts=settings.starts,
            dtype=DTYPE,
        )
    if settings.fixed_weight:
        with torch.no_grad():
            model.theta.fill_(settings.fixed_weight)
        model.theta.requires_grad_(False)
    return model


def trained(model: nn.Module, settings: ReadoutSettings) -> nn.Module:
    """The model as training runs it, with the very same weights: on a device, if the settings ask for one."""
    if not isinstance(model, ReadoutClassifier) or (settings.gradient, settings.shots) == ("adjoint", 0):
        return model
    return model.on(shots=settings.shots or None, gradient=settings.gradient)
