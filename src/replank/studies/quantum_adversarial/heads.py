"""What classifies: circuits and classical models, from images or states to log-probabilities of two classes."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from replank.circuits import Circuit, QuantumLayer, Z
from replank.circuits.given_states import DiagonalMeans, StateEncoder
from replank.circuits.templates import interleaved_blocks
from replank.features import UnitNorm
from replank.parts.linear.interleaved_quantum import InterleavedQuantumLinear
from replank.parts.linear.quantum import QuantumLinear
from replank.seeding import isolated
from replank.studies.quantum_adversarial.settings import Head, ImageSettings, StateHead, StateSettings

N_CLASSES = 2
P_SINGLE, P_TWO = 0.0006, 0.006
"""Probability that a gate on one qubit, or on two, is followed by complete depolarisation [ours]."""


class LogOdds(nn.Module):
    """Log-probabilities of two classes from the log-odds of the second: ``(*, 1) -> (*, 2)``."""

    def forward(self, score: Tensor) -> Tensor:
        """Both."""
        return functional.logsigmoid(torch.cat((-score, score), -1))


class LogOutcomes(nn.Module):
    """Log-probabilities of a qubit's outcomes from ``<Z>``: ``(*, 1) -> (*, 2)``."""

    def forward(self, mean: Tensor) -> Tensor:
        """Both."""
        outcomes = torch.cat((1 + mean, 1 - mean), -1) / 2
        # rounding can make a probability of 0 negative; its logarithm would be infinite
        return outcomes.clamp_min(torch.finfo(outcomes.dtype).tiny).log()


class GlobalDepolarising(nn.Module):
    """Log-probabilities of K outcomes mixed with noise: ``p -> lambda p + (1 - lambda) / K``.

    That is depolarising noise on the whole register. What gates on single qubits and pairs add is contracted to it:
    ``lambda`` is the probability that nothing happens. The order of the outcomes stays, and with it every prediction.

    Args:
        kept: ``lambda``, in (0, 1).
    """

    def __init__(self, kept: float):
        super().__init__()
        if not 0 < kept < 1:
            raise ValueError(f"GlobalDepolarising: `kept` must be in (0, 1), got kept={kept}.")
        self.kept = kept

    def forward(self, logs: Tensor) -> Tensor:
        """Log-probabilities after the noise."""
        noise = torch.full_like(logs, math.log((1 - self.kept) / logs.shape[-1]))
        return torch.logaddexp(logs + math.log(self.kept), noise)


def kept_by_noise(circuit: Circuit, p_single: float = P_SINGLE, p_two: float = P_TWO) -> float:
    """The probability that no gate of a circuit depolarises."""
    counts = circuit.counts()
    return float((1 - p_single) ** (counts.n_gates - counts.n_two_qubit) * (1 - p_two) ** counts.n_two_qubit)


class StateClassifier(nn.Module):
    """Blocks of trained gates on given states, and one qubit measured: ``(B, 2^n)``, complex, to ``(B, 2)``.

    Args:
        n_qubits: of the states.
        n_blocks: see :func:`replank.circuits.templates.interleaved_blocks`.
        readout: the qubit that is measured.
        dtype: of the parameters.
    """

    def __init__(self, n_qubits: int, n_blocks: int, readout: int, *, dtype: torch.dtype | None = None):
        super().__init__()
        self.encoder = StateEncoder(n_qubits)
        circuit = self.encoder.circuit(n_qubits + self.encoder.n_auxiliary)
        circuit.extend(interleaved_blocks(n_qubits, n_blocks).on(range(n_qubits), circuit.n_qubits))
        self.layer = QuantumLayer(circuit, [self.encoder.observable(Z(readout), n_qubits)], dtype=dtype)
        self.read_out = LogOutcomes()

    def forward(self, states: Tensor) -> Tensor:
        """Log-probabilities."""
        logs: Tensor = self.read_out(self.layer(self.encoder.features(states)))
        return logs


# -- images ------------------------------------------------------------------------------------------------------------


def image_classifier(settings: ImageSettings, seed: int) -> nn.Sequential:
    """Pixels ``(B, 1, side, side)`` in [0, 1] to log-probabilities; they are divided by their norm on the way."""
    with isolated(seed, "part", "head"):
        head = HEADS[settings.head](settings)
    layers: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten(), norm=UnitNorm(), head=head)
    if settings.depolarised:
        assert isinstance(head, InterleavedQuantumLinear)
        layers["noise"] = GlobalDepolarising(kept_by_noise(head.circuit()))
    return nn.Sequential(layers)


def _interleaved(settings: ImageSettings) -> InterleavedQuantumLinear:
    return InterleavedQuantumLinear(
        settings.side**2,
        N_CLASSES,
        bias=False,
        n_qubits=settings.n_qubits,
        n_blocks=settings.n_blocks,
        scale=settings.scale,
        readout=settings.readout,
    )


def _amplitude(settings: ImageSettings) -> nn.Sequential:
    """The pixels as amplitudes of as few qubits as hold them, then the same blocks without data, the same qubit read.

    The qubit changes places with qubit 0, whose Z is what the part gives as its only output.
    """
    n_qubits = (settings.side**2 - 1).bit_length()
    blocks = interleaved_blocks(n_qubits, settings.n_blocks)
    readout = min(settings.readout, n_qubits - 1)
    if readout:
        blocks.swap(0, readout)
    circuit = QuantumLinear(
        settings.side**2, 1, bias=False, encoding="amplitude", ansatz=blocks, n_layers=1, output_scaling=1.0
    )
    return nn.Sequential(OrderedDict(circuit=circuit, outcomes=LogOutcomes()))


def _logistic(settings: ImageSettings) -> nn.Sequential:
    """257 parameters on 16x16 pixels, the nearest in size to 270 angles."""
    return nn.Sequential(OrderedDict(linear=nn.Linear(settings.side**2, 1), odds=LogOdds()))


def _mlp(settings: ImageSettings, hidden: int = 1) -> nn.Sequential:
    """256-1-2, 261 parameters; a ReLU would leave its single hidden unit dead from the start with some seeds."""
    bend: nn.Module = nn.Tanh() if hidden == 1 else nn.ReLU()
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        hidden=nn.Linear(settings.side**2, hidden), bend=bend, output=nn.Linear(hidden, N_CLASSES),
        logs=nn.LogSoftmax(-1),
    )  # fmt: skip
    return nn.Sequential(layers)


def _cnn(settings: ImageSettings) -> nn.Sequential:
    """LeNet's two convolutions with pooling and two dense layers, 10,862 parameters on 16x16 pixels."""
    side = settings.side // 4
    layers = OrderedDict(
        image=nn.Unflatten(-1, (1, settings.side, settings.side)),
        conv1=nn.Conv2d(1, 6, 5, padding=2), relu1=nn.ReLU(), pool1=nn.MaxPool2d(2),
        conv2=nn.Conv2d(6, 16, 5, padding=2), relu2=nn.ReLU(), pool2=nn.MaxPool2d(2), flatten=nn.Flatten(),
        dense=nn.Linear(16 * side**2, 32), relu3=nn.ReLU(), output=nn.Linear(32, N_CLASSES), logs=nn.LogSoftmax(-1),
    )  # fmt: skip
    return nn.Sequential(layers)


HEADS: Mapping[Head, Callable[[ImageSettings], nn.Module]] = {
    "interleaved": _interleaved,
    "amplitude": _amplitude,
    "logistic": _logistic,
    "mlp": _mlp,
    "mlp-16": lambda settings: _mlp(settings, 16),
    "cnn": _cnn,
}

# -- states ------------------------------------------------------------------------------------------------------------


def state_classifier(settings: StateSettings, seed: int) -> nn.Module:
    """States ``(B, 2^n)``, complex128, to log-probabilities."""
    with isolated(seed, "part", "head"):
        return STATE_HEADS[settings.head](settings)


def _means(settings: StateSettings) -> DiagonalMeans:
    return DiagonalMeans(settings.n_qubits, [(wire,) for wire in range(settings.n_qubits)])


def _state_logistic(settings: StateSettings) -> nn.Sequential:
    linear = nn.Linear(settings.n_qubits, 1, dtype=torch.float64)
    return nn.Sequential(OrderedDict(means=_means(settings), linear=linear, odds=LogOdds()))


def _state_mlp(settings: StateSettings) -> nn.Sequential:
    """The widest hidden layer that has no more parameters than the circuit."""
    n, budget = settings.n_qubits, interleaved_blocks(settings.n_qubits, settings.n_blocks).n_parameters
    hidden = max(1, (budget - N_CLASSES) // (n + 1 + N_CLASSES))
    layers = OrderedDict(
        means=_means(settings), hidden=nn.Linear(n, hidden, dtype=torch.float64), tanh=nn.Tanh(),
        output=nn.Linear(hidden, N_CLASSES, dtype=torch.float64), logs=nn.LogSoftmax(-1),
    )  # fmt: skip
    return nn.Sequential(layers)


STATE_HEADS: Mapping[StateHead, Callable[[StateSettings], nn.Module]] = {
    "circuit": lambda settings: StateClassifier(
        settings.n_qubits, settings.n_blocks, settings.readout, dtype=torch.float64
    ),
    "logistic": _state_logistic,
    "mlp": _state_mlp,
}
