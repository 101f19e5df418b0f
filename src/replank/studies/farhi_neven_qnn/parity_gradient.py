"""How flat the parity's landscape is: the gradient at random weights, and its mean square in closed form.

The prediction is ``cos(2 sum_j theta_j b_j)``, so that over all strings the mean loss of a parity with mask a is::

    L = 1 - Re prod_j (1 + (-1)^a_j e^{2i theta_j}) / 2

Over uniform weights each of the n components of its gradient has the mean square ``2^-n``, whatever the mask is.
"""

from __future__ import annotations

import torch
from torch import Tensor

from replank.circuits.templates import parity_layer
from replank.seeding import isolated
from replank.studies.farhi_neven_qnn.factorised import FactorisedReadout
from replank.studies.farhi_neven_qnn.problems import DTYPE, all_strings, parity_labels
from replank.studies.farhi_neven_qnn.task import SignedLabels


def mean_parity_loss(theta: Tensor, mask: Tensor) -> Tensor:
    """The mean loss over all strings in closed form: ``(*, n) -> (*,)``."""
    signs = 1 - 2 * mask
    return 1 - ((1 + signs * torch.polar(torch.ones_like(theta), 2 * theta)) / 2).prod(-1).real


def mean_gradient_square(n: int) -> float:
    """The mean of ``|dL/dtheta|^2`` over uniform weights: ``n 2^-n``."""
    return n / 2**n


def gradient_square_ratio(n: int, draws: int, seed: int) -> float:
    """The circuit's mean squared gradient of the full parity's loss over all strings, relative to the closed form."""
    strings = all_strings(n)
    labels = parity_labels(strings, torch.ones(n, dtype=DTYPE))
    with isolated(seed, "gradient draws"):
        model = FactorisedReadout(n, parity_layer(n), n_starts=draws, dtype=DTYPE)
    (gradient,) = torch.autograd.grad(SignedLabels().loss(model(strings), labels), model.theta)
    return float(gradient.square().sum(1).mean()) / mean_gradient_square(n)
