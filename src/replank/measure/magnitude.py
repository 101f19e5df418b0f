"""Whether what a hypernetwork predicts grows with its input."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from replank.measure.evaluation import evaluating
from replank.parts.hypernetwork import HyperNetwork


@dataclass(frozen=True)
class Magnitudes:
    """Norms of predictions against norms of hyper-inputs.

    Args:
        by_tensor: norm of each predicted tensor, ``(n,)`` each.
        norms: of all predicted tensors together, ``(n,)``.
        slope: of the line through the origin that is nearest to the norms.
        r2: what share of the norms' variance that line explains; below 0 if their mean explains more.
        cv: standard deviation of the norms over their mean.
        correlation: of the norms of predictions and inputs; 0 if one does not vary.
    """

    by_tensor: dict[str, Tensor]
    norms: Tensor
    slope: float
    r2: float
    cv: float
    correlation: float


def magnitude_diagnostics(hypernet: HyperNetwork, gammas: Tensor) -> Magnitudes:
    """Norms of what a hypernetwork predicts for several inputs, in evaluation mode.

    Args:
        hypernet: with one hyper-input.
        gammas: at least two of them, ``(n, *shape)``.

    Raises:
        ValueError: fewer than two inputs, or the network has more than one.
    """
    if len(hypernet.input_shapes) != 1 or len(gammas) < 2:
        raise ValueError(
            f"magnitude_diagnostics: there must be one hyper-input and at least two values, got "
            f"{len(hypernet.input_shapes)} and {len(gammas)}."
        )
    (name,) = hypernet.input_shapes
    with evaluating(hypernet):
        predicted = hypernet(**{name: gammas})
    by_tensor = {each: values.double().flatten(1).norm(dim=1) for each, values in predicted.items()}
    norms = torch.stack(list(by_tensor.values())).norm(dim=0)
    inputs = gammas.double().flatten(1).norm(dim=1)
    slope = (norms @ inputs) / (inputs @ inputs)
    centred, away = norms - norms.mean(), inputs - inputs.mean()
    left, total = (norms - slope * inputs).square().sum(), centred.square().sum()
    spread = (total * away.square().sum()).sqrt()
    return Magnitudes(
        by_tensor=by_tensor,
        norms=norms,
        slope=float(slope),
        r2=float(1 - left / total) if total > 0 else (1.0 if left == 0 else -torch.inf),
        cv=float(norms.std(correction=0) / norms.mean()) if norms.any() else 0.0,
        correlation=float((centred @ away) / spread) if spread > 0 else 0.0,
    )
