"""How fast is a training step of the recurrent parts, against the same cells on PennyLane's TorchLayer?

Run it from the repository's root, with PennyLane installed (``make oracle``)::

    python benchmarks/recurrent.py

The peers are written as PennyLane's documentation has it: a ``TorchLayer`` for each circuit, ``default.qubit`` with
backpropagation, the batch as one broadcast input, a loop over time. Both sides start from the same parameters and must
agree in the losses of three steps before they are timed: whole warm steps with a read-out of the last output, mean
squared error and RMSprop, in double precision as in the published code, on one thread. Each takes some steps in a row,
as in training, in turn with the others in this one process. Times are CPU times, so that other work on the machine
counts little. The table goes to ``benchmarks/results/recurrent.md``.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pennylane as qml
import torch
from quantum_creep import milliseconds, ratio
from torch import Tensor, nn

from replank.lab.environment import environment
from replank.parts.recurrent import QuantumFastWeights, QuantumGRU, QuantumLSTM, QuantumRNN, SixCircuitLSTM
from replank.seeding import isolated, torch_stream

SIZES = ((10, 4), (10, 16), (64, 8))
"""Sequences in a batch, and steps in a sequence; the first is the published size."""

BY_SAMPLE = "TorchLayer, sample by sample"
"""How the official code of fast weights runs a batch; at its own size only, for it is slow."""

RESULTS = Path(__file__).parent / "results" / "recurrent.md"
TARGET = 20
"""How many times faster than TorchLayer we wanted to be, for the LSTM and for fast weights."""


# -- the same cells on PennyLane -------------------------------------------------------------------------------------


def torch_layer(weights: Tensor, n_qubits: int, n_outputs: int) -> nn.Module:
    """The circuit of the cells, ``(B, n_qubits) -> (B, n_outputs)``, with given weights ``(n_layers, n_qubits, 3)``."""

    @qml.qnode(qml.device("default.qubit", wires=n_qubits), interface="torch", diff_method="backprop")
    def circuit(inputs, weights):
        for wire in range(n_qubits):
            qml.Hadamard(wires=wire)
            qml.RY(torch.atan(inputs[..., wire]), wires=wire)
            qml.RZ(torch.atan(inputs[..., wire] ** 2), wires=wire)
        for layer in weights:
            for reach in (1, 2):
                for wire in range(n_qubits):
                    qml.CNOT(wires=[wire, (wire + reach) % n_qubits])
            for wire in range(n_qubits):
                qml.Rot(layer[wire, 0], layer[wire, 1], layer[wire, 2], wires=wire)
        return [qml.expval(qml.PauliZ(wire)) for wire in range(n_outputs)]

    return qml.qnn.TorchLayer(circuit, {"weights": tuple(weights.shape)}, init_method={"weights": weights.clone()})


def torch_layers(part: nn.Module, name: str, n_outputs: int) -> nn.ModuleList:
    """A layer for each circuit of a part, with its weights."""
    shape = (part.n_layers, part.n_qubits, 3)
    return nn.ModuleList(
        torch_layer(each.detach().reshape(shape), part.n_qubits, n_outputs) for each in getattr(part, name).theta
    )


class PennyLaneRNN(nn.Module):
    """The last output of a quantum RNN."""

    def __init__(self, part: QuantumRNN):
        super().__init__()
        self.hidden_size = part.hidden_size
        (self.circuit,) = torch_layers(part, "circuit", part.hidden_size)

    def forward(self, input: Tensor) -> Tensor:
        """Step after step."""
        hidden = input.new_zeros(len(input), self.hidden_size)
        for x in input.unbind(1):
            hidden = torch.tanh(self.circuit(torch.cat((x, hidden), 1)))
        return hidden


class PennyLaneGRU(nn.Module):
    """The last output of a quantum GRU."""

    def __init__(self, part: QuantumGRU):
        super().__init__()
        self.hidden_size = part.hidden_size
        self.reset, self.update = torch_layers(part, "gates", part.hidden_size)
        (self.candidate,) = torch_layers(part, "candidate", part.hidden_size)

    def forward(self, input: Tensor) -> Tensor:
        """Step after step."""
        hidden = input.new_zeros(len(input), self.hidden_size)
        for x in input.unbind(1):
            v = torch.cat((x, hidden), 1)
            reset, update = torch.sigmoid(self.reset(v)), torch.sigmoid(self.update(v))
            new = torch.tanh(self.candidate(torch.cat((x, reset * hidden), 1)))
            hidden = update * hidden + (1 - update) * new
        return hidden


class PennyLaneLSTM(nn.Module):
    """The last output of a quantum LSTM of four circuits."""

    def __init__(self, part: QuantumLSTM):
        super().__init__()
        self.hidden_size = part.hidden_size
        self.forget, self.write, self.new, self.read = torch_layers(part, "gates", part.hidden_size)

    def forward(self, input: Tensor) -> Tensor:
        """Step after step."""
        hidden = cell = input.new_zeros(len(input), self.hidden_size)
        for x in input.unbind(1):
            v = torch.cat((x, hidden), 1)
            written = torch.sigmoid(self.write(v)) * torch.tanh(self.new(v))
            cell = torch.sigmoid(self.forget(v)) * cell + written
            hidden = torch.sigmoid(self.read(v)) * torch.tanh(cell)
        return hidden


class PennyLaneSix(nn.Module):
    """The last output of a quantum LSTM of six circuits."""

    def __init__(self, part: SixCircuitLSTM):
        super().__init__()
        self.n_cell, self.n_state = part.hidden_size, part.hidden_size - part.input_size
        self.forget, self.write, self.new, self.read = torch_layers(part, "gates", self.n_cell)
        self.state, self.output = torch_layers(part, "heads", self.n_cell)

    def forward(self, input: Tensor) -> Tensor:
        """Step after step."""
        hidden, cell = input.new_zeros(len(input), self.n_state), input.new_zeros(len(input), self.n_cell)
        output = cell
        for x in input.unbind(1):
            v = torch.cat((x, hidden), 1)
            written = torch.sigmoid(self.write(v)) * torch.tanh(self.new(v))
            cell = torch.sigmoid(self.forget(v)) * cell + written
            opened = torch.sigmoid(self.read(v)) * torch.tanh(cell)
            hidden, output = self.state(opened)[:, : self.n_state], self.output(opened)
        return output


class PennyLaneFastWeights(nn.Module):
    """The last output of a quantum fast weight programmer, its circuit called for a batch or for each sample.

    Args:
        part: whose parameters it takes.
        one_by_one: whether samples are run one after the other, as in the official code.
    """

    def __init__(self, part: QuantumFastWeights, *, one_by_one: bool):
        super().__init__()
        self.n_layers, self.n_qubits, self.one_by_one = part.n_layers, part.n_units, one_by_one
        for name in ("latent", "layer_scores", "unit_scores"):
            self.add_module(name, _copied(getattr(part.slow, name)))
        self.readout = _copied(part.readout)
        self.circuit = self._torch_layer(part.input_size, part.n_readout)

    def _torch_layer(self, n_features: int, n_readout: int) -> nn.Module:
        n = self.n_qubits

        @qml.qnode(qml.device("default.qubit", wires=n), interface="torch", diff_method="backprop")
        def circuit(inputs):
            for wire in range(n):
                qml.Hadamard(wires=wire)
            for wire in range(n_features):
                qml.RY(inputs[..., wire], wires=wire)
            for layer in range(self.n_layers):
                for first in (0, 1):
                    for wire in range(first, n - 1, 2):
                        qml.CNOT(wires=[wire, wire + 1])
                for wire in range(n):
                    qml.RY(inputs[..., n_features + layer * n + wire], wires=wire)
            return [qml.expval(qml.PauliZ(wire)) for wire in range(n_readout)]

        return qml.qnn.TorchLayer(circuit, {})  # programs are inputs: nothing in the circuit is trained

    def forward(self, input: Tensor) -> Tensor:
        """Step after step; only the last step's circuit would be needed, but a cell gives an output at each."""
        program, output = input.new_zeros(len(input), self.n_layers, self.n_qubits), input
        for x in input.unbind(1):
            latent = self.latent(x)
            program = program + self.layer_scores(latent)[:, :, None] * self.unit_scores(latent)[:, None]
            angles = torch.cat((x, program.flatten(1)), 1)
            values = torch.stack([self.circuit(each) for each in angles]) if self.one_by_one else self.circuit(angles)
            output = self.readout(values)
        return output


def _copied(layer: nn.Linear) -> nn.Linear:
    twin = nn.Linear(layer.in_features, layer.out_features, dtype=layer.weight.dtype)
    twin.load_state_dict(layer.state_dict())
    return twin


# -- what is compared ------------------------------------------------------------------------------------------------


class LastOutput(nn.Module):
    """The last output of a recurrent part."""

    def __init__(self, part: nn.Module):
        super().__init__()
        self.part = part

    def forward(self, input: Tensor) -> Tensor:
        """Run and take it."""
        return self.part(input)[0][:, -1]


Peer = Callable[[nn.Module], nn.Module]

CELLS: dict[str, tuple[type[nn.Module], int, dict[str, Peer]]] = {
    "QuantumRNN, 4 qubits, 1 circuit": (QuantumRNN, 3, {"TorchLayer": PennyLaneRNN}),
    "QuantumGRU, 4 qubits, 3 circuits": (QuantumGRU, 3, {"TorchLayer": PennyLaneGRU}),
    "QuantumLSTM, 4 qubits, 4 circuits": (QuantumLSTM, 3, {"TorchLayer": PennyLaneLSTM}),
    "SixCircuitLSTM, 4 qubits": (SixCircuitLSTM, 4, {"TorchLayer": PennyLaneSix}),
    "QuantumFastWeights, 8 qubits": (
        QuantumFastWeights,
        1,
        {
            "TorchLayer": lambda part: PennyLaneFastWeights(part, one_by_one=False),
            BY_SAMPLE: lambda part: PennyLaneFastWeights(part, one_by_one=True),
        },
    ),
}


def model(core: nn.Module, width: int) -> nn.Module:
    """The core with a read-out behind it, if it has several outputs."""
    with isolated(0, "host"):
        return core if width == 1 else nn.Sequential(core, nn.Linear(width, 1, dtype=torch.float64))


def training_step(net: nn.Module, input: Tensor, target: Tensor) -> Callable[[], float]:
    """Forward, backward and a step of RMSprop as published; gives the loss before it."""
    optimiser = torch.optim.RMSprop([each for each in net.parameters() if each.requires_grad], lr=0.01)

    def step() -> float:
        optimiser.zero_grad()
        loss = (net(input) - target).square().mean()
        loss.backward()
        optimiser.step()
        return loss.item()

    return step


def check(name: str, nets: dict[str, nn.Module], input: Tensor, target: Tensor) -> None:
    """Refuse to compare what does not compute the same: losses of three steps from the same parameters."""
    curves = {}
    for which, net in nets.items():
        step = training_step(net, input, target)
        curves[which] = [step() for _ in range(3)]
    ours, *others = curves.values()
    for other in others:
        if not torch.allclose(torch.tensor(ours), torch.tensor(other), rtol=1e-6, atol=1e-9):
            raise ValueError(f"recurrent: {name} and its peers must agree, got losses {curves}.")


def in_turn(steps: Mapping[str, Callable[[], float]], rounds: int, n_steps: int = 4) -> dict[str, list[float]]:
    """CPU seconds of each step; in each round some in a row, of which the first fills the caches and does not count."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            step()
            for _ in range(n_steps - 1):
                start = time.process_time()
                step()
                times[name].append(time.process_time() - start)
    return times


def table(rounds: int) -> Iterator[str]:
    yield "## A warm training step, ms of CPU time: median (range)\n"
    yield "| part | batch, steps | replank | PennyLane | written as | times faster |"
    yield "| --- | --- | --- | --- | --- | --- |"
    wanted = []
    for name, (kind, width, peers) in CELLS.items():
        for batch, n_steps in SIZES:
            input = torch.randn(batch, n_steps, 1, dtype=torch.float64, generator=torch_stream(0, "input"))
            target = input[:, -1].sin()
            with isolated(0, "part"):
                part = kind(1, width, batch_first=True, dtype=torch.float64)
            nets = {"replank": model(LastOutput(part), width)}
            nets |= {
                peer: model(build(part), width)
                for peer, build in peers.items()
                if peer != BY_SAMPLE or (batch, n_steps) == SIZES[0]
            }
            check(name, nets, input, target)
            steps = {each: training_step(net, input, target) for each, net in nets.items()}
            times = in_turn(steps, rounds)
            for peer in list(times)[1:]:
                cells = f"{milliseconds(times['replank'])} | {milliseconds(times[peer])} | {peer}"
                yield f"| {name} | {batch}, {n_steps} | {cells} | {ratio(times, peer, 'replank'):.0f} |"
            if kind in (QuantumLSTM, SixCircuitLSTM, QuantumFastWeights):
                wanted.append(ratio(times, "TorchLayer", "replank"))
    yield (
        f"\nWanted for LSTMs and fast weights: {TARGET} times faster than TorchLayer; the least of them is "
        f"{min(wanted):.0f}, their median {statistics.median(wanted):.0f}. All circuits of a step that see the same "
        "features run in one call of the compiled core; fast weights run all steps in one, as nothing is fed back."
    )


def surroundings() -> Iterator[str]:
    found = environment()
    yield "# A training step of recurrent parts, against PennyLane\n"
    yield f"- {found['cpu']['model']}, {found['cpu']['logical_cores']} cores, {found['core']} kernels"
    yield (
        f"- Python {sys.version.split()[0]}, torch {torch.__version__}, PennyLane {qml.version()}, "
        f"{torch.get_num_threads()} thread, float64"
    )
    yield f"- {datetime.now(UTC):%Y-%m-%d}, load average at the start {os.getloadavg()[0]:.2f}"
    yield "- `python benchmarks/recurrent.py`; steps in a row, in turn, after equal losses were checked\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="of three timed steps each (default: 5)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    lines = []
    for line in itertools.chain(surroundings(), table(options.rounds)):
        print(line, flush=True)
        lines.append(line)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
