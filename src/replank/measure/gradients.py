"""How strong the gradients are that reach each part of a model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


def gradient_norms(model: nn.Module, loss_closure: Callable[[], Tensor]) -> dict[str, float]:
    """Euclidean norm of the loss's gradient for each top-level child of a model, e.g. at initialisation.

    Parameters, their ``.grad``, buffers and torch's random state stay as they were.

    Args:
        model: what to look at, in the mode it is in.
        loss_closure: computes the model's loss, a scalar: ``lambda: cross_entropy(model(x), y)``.

    Returns:
        The norm by child name, over the child's trainable parameters; parameters of the model itself go by their own
        names. A child that the loss does not depend on has norm 0, one without trainable parameters is left out.

    Raises:
        ValueError: the loss is not a scalar, or depends on no trainable parameter.
    """
    trainable = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    if not trainable:
        return {}
    with torch.enable_grad(), torch.random.fork_rng(), _kept_buffers(model):
        loss = loss_closure()
        if loss.ndim != 0 or not loss.requires_grad:
            raise ValueError(
                f"gradient_norms: `loss_closure` must return a scalar that depends on a trainable parameter, "
                f"got shape={tuple(loss.shape)}, requires_grad={loss.requires_grad}."
            )
        gradients = torch.autograd.grad(loss, list(trainable.values()), allow_unused=True, materialize_grads=True)
    squares: dict[str, float] = defaultdict(float)
    for name, gradient in zip(trainable, gradients, strict=True):
        squares[name.split(".")[0]] += float(torch.linalg.vector_norm(gradient)) ** 2
    return {name: square**0.5 for name, square in squares.items()}


@contextmanager
def _kept_buffers(model: nn.Module) -> Iterator[None]:
    """Put buffers back after a block: running averages move with each forward pass in training mode."""
    before = [buffer.clone() for buffer in model.buffers()]
    try:
        yield
    finally:
        for buffer, value in zip(model.buffers(), before, strict=True):
            buffer.copy_(value)


def count_moved(model: nn.Module, loss_closure: Callable[[], Tensor], *, tolerance: float = 1e-12) -> int:
    """How many numbers among the trainable parameters have a gradient: the others can't be trained.

    Parameters, their ``.grad``, buffers and torch's random state stay as they were.

    Args:
        model: what to look at, in the mode it is in.
        loss_closure: computes a scalar. One that mixes samples and outputs at random weights leaves nothing to chance.
        tolerance: gradients up to this share of the largest one count as none: they are rounding.
    """
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not trainable:
        return 0
    with torch.enable_grad(), torch.random.fork_rng(), _kept_buffers(model):
        gradients = torch.autograd.grad(loss_closure(), trainable, allow_unused=True, materialize_grads=True)
    sizes = torch.cat([gradient.abs().flatten() for gradient in gradients])
    return int((sizes > tolerance * sizes.max()).sum())
