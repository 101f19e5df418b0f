"""A step through torch: forward, and backward to the inputs and the weights."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .problem import THREADS, Answer, Problem


class TorchStep:
    """The step of a library whose circuit is a differentiable function of torch tensors.

    Args:
        circuit: from inputs (batch, n) and weights (layers, n, 3) to expectations (batch, n).
    """

    def __init__(self, circuit: Callable[[Tensor, Tensor], Tensor]):
        torch.set_num_threads(THREADS)
        self.circuit = circuit

    def prepare(self, problem: Problem) -> None:
        """Make leaves of inputs and weights."""
        self.inputs = torch.from_numpy(problem.inputs).requires_grad_()
        self.weights = torch.from_numpy(problem.weights).requires_grad_()
        self.coefficients = torch.from_numpy(problem.coefficients)

    def __call__(self) -> Answer:
        """Expectations, and the gradients of the loss."""
        expectations = self.circuit(self.inputs, self.weights)
        loss = (self.coefficients * expectations).sum()
        return expectations.detach(), *torch.autograd.grad(loss, (self.inputs, self.weights))


def probabilities(state: Tensor) -> Tensor:
    """Squared moduli of amplitudes."""
    return state.real.square() + state.imag.square()
