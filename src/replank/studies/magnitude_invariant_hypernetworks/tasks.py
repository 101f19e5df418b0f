"""What the networks are trained for: at one hyper-input for each batch, evaluated at several."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from replank.measure.calibration import expected_calibration_error
from replank.measure.classification import accuracy, negative_log_likelihood
from replank.measure.displacement import jacobian_determinant, squared_gradient
from replank.parts.spatial_transform import spatial_transform

NOISE = 0.05
"""By what the mean squared difference of images is divided, so that both terms are of one size."""
TERMS = ("mismatch", "smoothness", "folded")


def registration_terms(images: Tensor, displacement: Tensor, gamma: Tensor) -> Tensor:
    """``(B, 4)``: the hyper-input, the mean squared difference, ``|grad u|^2``, and the share of folded pixels."""
    moving, fixed = images[:, :1], images[:, 1:]
    mismatch = (spatial_transform(moving, displacement) - fixed).square().mean((1, 2, 3))
    folded = (jacobian_determinant(displacement) <= 0).to(mismatch).mean((1, 2))
    return torch.stack((gamma.expand_as(mismatch), mismatch, squared_gradient(displacement), folded), 1)


class Registration:
    """Outputs ``(n, g, 4)`` are the terms at g hyper-inputs, see :func:`registration_terms`; targets say nothing."""

    headline: ClassVar[str] = "minus_log_loss"

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """``(1 - gamma) mse / 0.05 + gamma |grad u|^2``, mean over pairs and hyper-inputs."""
        gamma, mismatch, smoothness = output[..., 0], output[..., 1], output[..., 2]
        return ((1 - gamma) * mismatch / NOISE + gamma * smoothness).mean()

    def metrics(self, output: Tensor, target: Tensor) -> dict[str, float]:
        """The loss, its negative logarithm, and the terms."""
        loss = float(self.loss(output, target))
        terms = {name: float(output[..., number].mean()) for number, name in enumerate(TERMS, start=1)}
        return {"loss": loss, "minus_log_loss": -math.log(loss), **terms}

    def check(self, output: Tensor, target: Tensor, name: str) -> None:
        """Terms must be four."""
        if output.ndim != 3 or output.shape[2] != 1 + len(TERMS):
            raise ValueError(f"Registration: {name} outputs must be (n, g, 4), got {tuple(output.shape)}.")


class ConditionedClassification:
    """Outputs ``(n, g, 10)`` are logits at g hyper-inputs; targets ``(n,)`` are classes."""

    headline: ClassVar[str] = "accuracy"

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Cross-entropy, mean over images and hyper-inputs."""
        return F.cross_entropy(output.flatten(0, 1), target.repeat_interleave(output.shape[1]))

    def metrics(self, output: Tensor, target: Tensor) -> dict[str, float]:
        """Loss and accuracy, mean over hyper-inputs, and those of the mixture of all of them."""
        mixture = mixture_logits(output)
        return {
            "loss": float(self.loss(output, target)),
            "accuracy": accuracy(output.flatten(0, 1), target.repeat_interleave(output.shape[1])),
            "mixture_accuracy": accuracy(mixture, target),
            "mixture_nll": negative_log_likelihood(mixture, target),
            "mixture_ece": expected_calibration_error(mixture, target),
        }

    def check(self, output: Tensor, target: Tensor, name: str) -> None:
        """There must be a class for each image."""
        if output.ndim != 3 or target.shape != output.shape[:1]:
            raise ValueError(
                f"ConditionedClassification: {name} outputs must be (n, g, classes) and targets (n,), got "
                f"{tuple(output.shape)} and {tuple(target.shape)}."
            )


def mixture_logits(output: Tensor) -> Tensor:
    """Logarithms of mean probabilities, ``(n, g, classes) -> (n, classes)``."""
    return output.log_softmax(-1).logsumexp(1) - math.log(output.shape[1])
