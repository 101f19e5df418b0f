"""A model at rest: in evaluation mode, without gradients, and afterwards as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Run a block with every submodule in evaluation mode and without gradients; put each training flag back."""
    training = {child: child.training for child in module.modules()}
    module.eval()
    try:
        # not inference_mode: a part may cache what it computes, and an inference tensor could never be trained on
        with torch.no_grad():
            yield
    finally:
        for child, flag in training.items():
            child.training = flag


def predict(module: nn.Module, inputs: Tensor, *, batch_size: int) -> Tensor:
    """Outputs for all samples, computed ``batch_size`` at a time so that memory does not grow with their number."""
    with evaluating(module):
        return torch.cat([module(batch) for batch in torch.split(inputs, batch_size)])
