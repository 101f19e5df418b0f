"""Pruners for ``torch.nn.utils.prune``, to be combined with what is there."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor, nn
from torch.nn.utils import prune

from replank.parts.pruning._interface import Pruner


class PrunedBy(prune.BasePruningMethod):
    """One of our pruners as a method of torch's: ``PrunedBy.apply(layer, "weight", pruner, 0.2, start)``.

    With ``prune.global_unstructured(parameters, PrunedBy, pruner=..., p=..., start=...)`` all parameters are one long
    vector to the pruner, and so one layer; ``start`` is then that vector, too. Scores other than the weights themselves
    must not be given. Shares are those of the weights that are left.

    Args:
        pruner: any of the group.
        p: share of the weights that are left.
        start: weights at the beginning of the cycle, for pruners that look at movement.
        gradients: of the loss, for pruners that ask for them.
    """

    PRUNING_TYPE: ClassVar[str] = "unstructured"

    def __init__(self, pruner: Pruner, p: float, start: Tensor | None = None, gradients: Tensor | None = None):
        self.pruner, self.p, self.start, self.gradients = pruner, p, start, gradients

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The smaller mask, in the dtype of the given one."""
        start, gradients = (
            None if given is None else {"weight": given.reshape(t.shape)} for given in (self.start, self.gradients)
        )
        masks = {"weight": default_mask.bool()}
        selected = self.pruner.select({"weight": t.detach()}, start, masks, self.p, gradients=gradients)
        return selected["weight"].to(default_mask)

    @classmethod
    def apply(cls, module: nn.Module, name: str, *args: Any, **options: Any) -> Any:
        """Prune one parameter of a module; arguments are those of the class."""
        return super().apply(module, name, *args, **options)  # type: ignore[no-untyped-call]
