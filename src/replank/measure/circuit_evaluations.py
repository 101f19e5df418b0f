"""How often a model's circuits are run: for an output, and for its gradient on a device that shifts angles."""

from __future__ import annotations

import math
from contextlib import ExitStack
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from replank.circuits import QuantumLayer
from replank.circuits.parameter_shift import Shiftable


class CircuitEvaluations(NamedTuple):
    """Numbers of circuits that are run, each at one set of angles.

    Args:
        forward: for the outputs.
        shifted: further ones, for the gradients of all trainable parameters by the parameter-shift rule. A circuit
            whose values the outputs do not depend on needs none.
    """

    forward: int
    shifted: int


def count_circuit_evaluations(model: nn.Module, *inputs: Tensor) -> CircuitEvaluations:
    """Run a model once, forwards and backwards, and count what its quantum layers do.

    All angles of a circuit that hold a feature are shifted if any feature needs a gradient: which ones do, the layer
    can't tell. Gradients that are there are left as they are.

    Args:
        model: any module; its output is a tensor.
        inputs: arguments of ``forward``; by convention one sample, as a batch of one.
    """
    counts = {"forward": 0, "shifted": 0}
    shiftable: dict[QuantumLayer, Shiftable] = {}

    def count(layer: nn.Module, taken: tuple[Any, ...], values: Tensor) -> None:
        assert isinstance(layer, QuantumLayer)
        counts["forward"] += math.prod(values.shape[:-1])
        if not values.requires_grad:
            return
        if layer not in shiftable:
            shiftable[layer] = Shiftable(layer.plan.circuit)
        of_features, of_parameters = taken[0].requires_grad, layer.theta.requires_grad
        n_shifts = len(shiftable[layer].shifts(of_features=of_features, of_parameters=of_parameters)[0])

        def count_shifted(gradient: Tensor) -> None:
            counts["shifted"] += n_shifts * int((gradient != 0).any(-1).sum())

        values.register_hook(count_shifted)  # type: ignore[no-untyped-call]

    with ExitStack() as hooks, torch.enable_grad():
        for layer in model.modules():
            if isinstance(layer, QuantumLayer):
                hooks.callback(layer.register_forward_hook(count).remove)
        output: Tensor = model(*inputs)
        trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
        if output.requires_grad and trainable:
            torch.autograd.grad(output.sum(), trainable, allow_unused=True)
    return CircuitEvaluations(**counts)
