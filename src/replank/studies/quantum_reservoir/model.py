"""The cells that this study swaps, trained or as reservoirs, and the controls that they are compared with."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from replank.lab.forecasting import PENALTIES, Forecaster, ForecastingData, Persistence, solved
from replank.parts.recurrent import EchoState, QuantumGRU, QuantumLSTM, QuantumRNN, Reservoir, SixCircuitLSTM
from replank.parts.recurrent._quantum_cell import QuantumCellPart
from replank.studies.quantum_reservoir.settings import Core

N_ECHOES = 100
"""Units of an echo state network of the usual size."""
QUANTUM: dict[str, type[QuantumCellPart]] = {
    "qrnn": QuantumRNN,
    "qgru": QuantumGRU,
    "qlstm": QuantumLSTM,
    "qlstm-six": SixCircuitLSTM,
}
CLASSICAL: dict[str, type[nn.RNN] | type[nn.GRU] | type[nn.LSTM]] = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}

LINEAR: Mapping[str, tuple[float, ...]] = {"ridge": PENALTIES, "least-squares": (0.0,)}
"""The penalties from which a closed form chooses."""


class RandomTanh(nn.Module):
    """Random tanh units in the place of circuits: they see the same angles, and values are in [-1, 1], too.

    Weights and biases are uniform in [-1, 1], as those of an echo state network's input; they are never trained.

    Shape: ``(B, 1, n_features) -> (B, n_circuits, n_values)``.

    Args:
        n_circuits: in whose place they stand.
        n_features: angles that each circuit is given.
        n_values: expectation values of each circuit.
        device: of the weights.
        dtype: of the weights.
    """

    def __init__(self, n_circuits: int, n_features: int, n_values: int, **kind: Any):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_circuits, n_features, n_values, **kind), requires_grad=False)
        self.shift = nn.Parameter(torch.empty(n_circuits, n_values, **kind), requires_grad=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw them."""
        nn.init.uniform_(self.weight, -1, 1)
        nn.init.uniform_(self.shift, -1, 1)

    def forward(self, angles: Tensor) -> Tensor:
        """What circuits would be asked for."""
        return (torch.einsum("bof,cfk->bck", angles, self.weight) + self.shift).tanh()


def core(settings: Core, *, device: torch.device | str = "cpu") -> nn.Module:
    """A recurrent layer ``(B, T, 1) -> (B, T, n_units)`` in double precision, or a :class:`Reservoir` of one.

    Raises:
        ValueError: there is no state in such a cell, it is a control that is never trained, or its circuits would have
            no qubit for the state.
    """
    if not settings.is_recurrent:
        raise ValueError(f"core: a cell must have a state, got cell={settings.cell!r}.")
    if not settings.frozen and (settings.cell == "echo-state" or settings.inside == "tanh"):
        raise ValueError(
            f"core: random units are not trained, got cell={settings.cell!r} with inside={settings.inside!r}. Freeze "
            "it."
        )
    if settings.n_qubits < 2:
        raise ValueError(
            f"core: there must be a qubit for the input and one for the state, got n_qubits={settings.n_qubits}."
        )
    kind, options = _kind(settings)
    common: dict[str, Any] = {"batch_first": True, "device": device, "dtype": torch.float64}
    if not settings.frozen:
        return kind(1, n_units(settings), **common, **options)
    reservoir = Reservoir(1, n_units(settings), core=kind, options=options, **common)
    if settings.inside == "tanh":
        assert isinstance(reservoir.core, QuantumCellPart)
        put_tanh_inside(reservoir.core)
    return reservoir


def put_tanh_inside(part: QuantumCellPart) -> None:
    """Replace each circuit of a cell by random tanh units; all else stays."""
    like = next(part.parameters())
    for name, n_circuits in part.circuits.items():
        n_values = len(getattr(part, name).plan.observables)
        tanh = RandomTanh(n_circuits, 2 * part.n_qubits, n_values, device=like.device, dtype=like.dtype)
        setattr(part, name, tanh)


def n_units(settings: Core) -> int:
    """Features of a core: of a quantum cell, those that share its circuits with the input.

    Classical cells have as many units, or so many that the parameters of cell and read-out are nearest to those of
    their quantum counterpart; of equally near ones, the fewer.
    """
    n_state = settings.n_qubits - 1
    if settings.size == "large":
        return N_ECHOES
    if settings.cell == "qlstm-six":
        return settings.n_qubits
    if settings.size == "state":
        return n_state
    quantum = QUANTUM[f"q{settings.cell}"](1, n_state, n_layers=settings.n_layers, device="meta")
    goal = _with_readout(quantum, n_state)
    layer = CLASSICAL[settings.cell]
    # with n units there are more than n^2 parameters
    return min(range(1, math.isqrt(goal) + 2), key=lambda n: abs(_with_readout(layer(1, n, device="meta"), n) - goal))


def forecaster(settings: Core, draw_readout: Callable[[int], nn.Linear], *, device: torch.device) -> Forecaster:
    """A core and the linear map that reads its last step."""
    layer = core(settings, device=device)
    return Forecaster(layer, draw_readout(n_units(settings)))


def closed_form(settings: Core, data: ForecastingData) -> nn.Module:
    """A forecast without training step by step, fitted on the training windows.

    Raises:
        ValueError: the read-out is one that is trained step by step.
    """
    if settings.cell == "persistence":
        return Persistence()
    if settings.readout not in LINEAR:
        raise ValueError(f"closed_form: a read-out must have one, got readout={settings.readout!r}.")
    features = Forecaster(core(settings, device=data.train_x.device)) if settings.is_recurrent else nn.Flatten()
    return solved(features, data, LINEAR[settings.readout])


@torch.no_grad()
def streamed(layer: nn.Module, inputs: Tensor) -> Tensor:
    """The states along a single sequence: ``(T,) -> (T, n_units)``."""
    states: Tensor = layer(inputs.reshape(1, -1, 1))[0]
    return states[0]


def delayed(inputs: Tensor, length: int) -> Tensor:
    """Each input with those before it, zeros before the first: ``(T,) -> (T, length)``."""
    return F.pad(inputs, (length - 1, 0)).unfold(0, length, 1)


def _kind(settings: Core) -> tuple[type[nn.Module], dict[str, Any]]:
    if settings.cell == "echo-state":
        return EchoState, {}
    if not settings.is_quantum:
        return CLASSICAL[settings.cell], {}
    return QUANTUM[settings.cell], {
        "n_layers": settings.n_layers,
        "init_scale": settings.init_scale,
        "unentangled": settings.inside == "unentangled",
    }


def _with_readout(layer: nn.Module, n: int) -> int:
    return sum(each.numel() for each in layer.parameters()) + n + 1
