"""A trial on equality: does the cut layer do what the uncut one does, from how many circuits, and where do they run?"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from math import pi
from typing import cast

import torch
from torch import Tensor, nn

from replank.circuits.cost import counting_operations
from replank.circuits.cutting import counting_executions, local_pool
from replank.lab.training import Budget, train
from replank.lab.trial import Measurements, Trial
from replank.measure.parameters import count_parameters
from replank.measure.timing import Stopwatch
from replank.parts.linear.cut_qcnn import CutQCNNLayer
from replank.parts.linear.qcnn import QCNNLayer
from replank.seeding import isolated, torch_stream
from replank.studies.distributed_qcnn.data import feeds, source
from replank.studies.distributed_qcnn.model import N_QUBITS, ladder, network, quantum_layer
from replank.studies.distributed_qcnn.settings import DistributedSettings
from replank.studies.distributed_qcnn.task import Diagnosis

DTYPE = torch.float64
N_GRADIENTS = 20
BATCH = 32
POOLED = "qcnn-cut-pool"
_COMPARED = ("train_loss", "test_loss", "train_accuracy", "test_accuracy")

Place = Callable[[QCNNLayer], QCNNLayer]
"""From a layer to the same layer where it runs."""


def run_equality(trial: Trial) -> Measurements:
    """Compare one arm with dense matrices on random inputs, and with the uncut layer in training."""
    settings: DistributedSettings = trial.settings
    arm = trial.arm.name
    with isolated(trial.seed, "part", "middle"):
        layer = quantum_layer(arm).to(DTYPE)
    with placed(arm, settings.workers) as place:
        there = place(layer)
        metrics = (
            value_differences(layer, there, settings.draws, trial.seed)
            | gradient_difference(layer, there, min(N_GRADIENTS, settings.draws), trial.seed)
            | _times(there, trial.seed)
        )
        trained = _train(trial, arm, place)
    if isinstance(layer, CutQCNNLayer):
        metrics["trajectory_difference"] = _apart(trained, _train(trial, "qcnn", lambda layer: layer))
    measured, _ = trained
    if arm == "qcnn":
        metrics |= published_sizes()
    return Measurements(measured.metrics | metrics, measured.curves)


@contextmanager
def placed(arm: str, workers: int) -> Iterator[Place]:
    """Where an arm's layer runs: here, or its fragments as tasks on a pool of processes."""
    if arm != POOLED:
        yield lambda layer: layer
        return
    with local_pool(workers) as pool:
        yield lambda layer: layer.on(executor=pool, gradient="parameter_shift")


def value_differences(layer: QCNNLayer, there: QCNNLayer, draws: int, seed: int) -> dict[str, float]:
    """The largest difference to dense matrices over random inputs and angles, and what one forward pass ran.

    Args:
        layer: has the angles, and the reference.
        there: the same where it runs.
        draws: number of inputs, each with angles of its own.
        seed: of the draws.
    """
    differences = []
    with torch.no_grad(), counting_executions() as count, counting_operations() as register:
        for x in _drawn(layer, draws, seed, "values"):
            differences.append(float((there(x) - layer.reference(x)).abs().max()))
    found = {"value_difference": max(differences)}
    if not count.executions:  # uncut: one circuit for each input
        return found | {
            "executions": 1.0,
            "widest_circuit": float(layer.in_features),
            "simulated_register": float(register.widest),
        }
    return found | {
        "executions": count.executions / draws,
        "widest_circuit": float(count.widest),
        "simulated_register": float(count.simulated),
        "other_processes": float(len(count.processes - {os.getpid()})),
    }


def gradient_difference(layer: QCNNLayer, there: QCNNLayer, draws: int, seed: int) -> dict[str, float]:
    """The largest difference of derivatives, to inputs and angles, to those through dense matrices."""
    differences = []
    weights = torch.linspace(1, 2, layer.out_features, dtype=DTYPE)
    for x in _drawn(layer, draws, seed, "gradients"):
        sources = (x.requires_grad_(), layer.layer.theta)
        mine = torch.autograd.grad((there(x) * weights).sum(), sources)
        theirs = torch.autograd.grad((layer.reference(x) * weights).sum(), sources)
        differences += [float((one - other).abs().max()) for one, other in zip(mine, theirs, strict=True)]
    return {"gradient_difference": max(differences)}


def published_sizes() -> dict[str, float]:
    """Parameters at the published size, for the seven classes of HAM10000, with the circuit and without."""
    settings = DistributedSettings(trunk="mobilenet", side=224)
    host = network(settings, channels=3, n_classes=7)
    classical = count_parameters(host).total
    host.set_submodule("middle", quantum_layer("qcnn"))
    return {
        "mobilenet_parameters": float(count_parameters(host).total),
        "mobilenet_parameters_linear_tanh": float(classical),
    }


def _drawn(layer: QCNNLayer, draws: int, seed: int, purpose: str) -> Iterator[Tensor]:
    """Random inputs ``(1, 8)``; each time the layer gets random angles."""
    stream = torch_stream(seed, purpose)
    for _ in range(draws):
        with torch.no_grad():
            layer.layer.theta.uniform_(0, 2 * pi, generator=stream)
        yield torch.empty(1, layer.in_features, dtype=DTYPE).uniform_(-pi, pi, generator=stream)


def _times(there: QCNNLayer, seed: int) -> dict[str, float]:
    """Milliseconds of a forward pass, and of one with its backward pass, on a batch; the first of each is not timed."""
    x = torch.empty(BATCH, N_QUBITS, dtype=DTYPE).uniform_(-pi, pi, generator=torch_stream(seed, "times"))
    seconds = []
    for _ in range(2):
        with Stopwatch() as forward, torch.no_grad():
            there(x)
        with Stopwatch() as step:
            there(x).sum().backward()
        seconds.append((forward.wall_s, step.wall_s))
    there.zero_grad()
    return {"forward_ms": 1e3 * seconds[-1][0], "forward_backward_ms": 1e3 * seconds[-1][1]}


def _train(trial: Trial, arm: str, place: Place) -> tuple[Measurements, dict[str, Tensor]]:
    """A short training in double precision: what was measured, and the parameters that it ended with."""
    settings: DistributedSettings = trial.settings
    data = source(trial.dataset, settings, trial.seed)
    training, test = feeds(data, settings, trial.device, DTYPE)
    model = ladder(settings, data.card.shape, len(data.card.classes)).model(arm, seed=trial.seed)
    model = cast(nn.Sequential, model).to(DTYPE)
    model.set_submodule("middle", place(cast(QCNNLayer, model.get_submodule("middle"))))
    plan = Budget(settings.epochs, partial(torch.optim.Adam, lr=settings.lr))
    measured = train(model, Diagnosis(), training, test, plan, seed=trial.seed, progress=trial.progress)
    return measured, {name: each.detach() for name, each in model.named_parameters()}


def _apart(one: tuple[Measurements, dict[str, Tensor]], other: tuple[Measurements, dict[str, Tensor]]) -> float:
    """The largest difference of two trainings, over all epochs' losses and accuracies and all final parameters."""
    (mine, parameters), (theirs, others) = one, other
    curves = [
        abs(row[name] - row_of_other[name])
        for row, row_of_other in zip(mine.curves, theirs.curves, strict=True)
        for name in _COMPARED
    ]
    return max(*curves, *(float((parameters[name] - others[name]).abs().max()) for name in others))
