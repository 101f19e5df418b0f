"""The cores that this study swaps, and what is built around them for each of its two problems."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from replank.lab.actor_critic import RecurrentPolicy, UniformPolicy
from replank.lab.forecasting import PENALTIES, Forecaster, ForecastingData, Persistence, solved
from replank.lab.grid_worlds import LARGEST_CODE
from replank.parts.recurrent import EchoState, FastWeights, QuantumFastWeights, QuantumLSTM, SixCircuitLSTM
from replank.studies.quantum_fast_weights.settings import Core, ForecastSettings, NavigationSettings

N_UNITS = 8
"""Qubits or units of fast weights, and latent features of all policies."""
N_READ = 4
"""Qubits that are measured for a forecast."""
N_ECHOES = 100
"""Units of the echo state network."""


def forecaster(settings: ForecastSettings) -> Forecaster:
    """A model ``(B, T, 1) -> (B, 1)`` that is trained by gradients, in double precision as published.

    111 parameters with either kind of fast weights, 117 with an LSTM, 149 with a quantum one.

    Raises:
        ValueError: such a core is not trained by gradients.
    """
    kind: dict[str, Any] = {"batch_first": True, "dtype": torch.float64}
    match settings.core:
        case "qfwp" | "cfwp":  # their read-out is a part of them
            return Forecaster(_fast_weights(settings, 1, 1, n_readout=N_READ, **kind))
        case "lstm":
            return Forecaster(nn.LSTM(1, 4, **kind), nn.Linear(4, 1, dtype=torch.float64))
        case "qlstm":
            return Forecaster(SixCircuitLSTM(1, 4, **kind), nn.Linear(4, 1, dtype=torch.float64))
    raise ValueError(f"forecaster: a core must be trained by gradients, got core={settings.core!r}.")


def closed_form(settings: ForecastSettings, data: ForecastingData) -> nn.Module:
    """A forecast without training step by step, fitted on the training windows.

    Raises:
        ValueError: such a core has no closed form.
    """
    match settings.core:
        case "persistence":
            return Persistence()
        case "window":
            return solved(nn.Flatten(), data, penalties=PENALTIES if settings.ridge else (0.0,))
        case "echo-state":
            units = EchoState(1, N_ECHOES, batch_first=True, dtype=torch.float64, device=data.train_x.device)
            return solved(Forecaster(units), data, penalties=PENALTIES)
    raise ValueError(f"closed_form: a core must have one, got core={settings.core!r}.")


def policy(settings: NavigationSettings, n_features: int, n_actions: int) -> nn.Module:
    """A policy for observations of so many numbers, with about 1,350 parameters for the 147 of a grid world.

    All reduce observations to eight features by a linear map and a tanh. Fast weights use these as angles and for their
    updates, too; the scores of actions and the value are their read-out.

    Raises:
        ValueError: such a core can't act.
    """
    n_heads = n_actions + 1
    kind: dict[str, Any] = {"batch_first": True}
    match settings.core:
        case "qfwp" | "cfwp":
            core = _fast_weights(settings, n_features, n_heads, n_readout=N_UNITS, encoder=True, **kind)
            return RecurrentPolicy(core, scale=LARGEST_CODE)
        case "lstm":
            return _encoded(nn.LSTM(N_UNITS, 3, **kind), nn.Linear(3, n_heads), n_features)
        case "qlstm":
            return _encoded(QuantumLSTM(N_UNITS, 4, n_qubits=4, **kind), nn.Linear(4, n_heads), n_features)
        case "uniform":
            return UniformPolicy(n_actions)
    raise ValueError(f"policy: a core must be able to act, got core={settings.core!r}.")


def _fast_weights(settings: Core, input_size: int, hidden_size: int, **options: Any) -> nn.Module:
    if settings.core == "cfwp":
        return FastWeights(input_size, hidden_size, n_units=N_UNITS, decay=settings.decay, **options)
    return QuantumFastWeights(
        input_size,
        hidden_size,
        n_qubits=N_UNITS,
        decay=settings.decay,
        entangler=settings.entangler,
        unentangled=settings.unentangled,
        **options,
    )


def _encoded(core: nn.Module, readout: nn.Module, n_features: int) -> RecurrentPolicy:
    encoder = nn.Sequential(nn.Linear(n_features, N_UNITS), nn.Tanh())
    return RecurrentPolicy(core, readout, encoder, scale=LARGEST_CODE)
