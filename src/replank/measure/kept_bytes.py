"""How much memory a forward pass keeps for the backward pass."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def kept_bytes(module: nn.Module, *inputs: Tensor) -> int:
    """Bytes of all tensors that autograd keeps of one forward pass, beside parameters and buffers.

    They are what training holds at once as the backward pass begins: a count, the same on every machine with the same
    kernels, where resident memory comes in pages. What kernels need for a moment does not count. Tensors that share
    their memory count once.

    Args:
        module: in its own mode; it is left as it was.
        inputs: arguments of ``forward``.
    """
    own = {each.untyped_storage().data_ptr() for each in (*module.parameters(), *module.buffers())}
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()  # alive as long as the graph is: no address comes twice
        return tensor

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        output = module(*inputs)
    total = sum(kept.values())
    del output
    return total
