"""A network of depth two whose hidden nodes are drawn once and frozen; only its linear read-out is fitted."""

from __future__ import annotations

import warnings
from typing import ClassVar, Literal, Self, get_args

import torch
from torch import Tensor
from torch.nn import functional

from replank.features._fitted import Fitted
from replank.features.least_squares import LeastSquares, check_alpha, check_rcond
from replank.parts.activation import find_activation
from replank.parts.sampler import DataSampler, Sampler
from replank.seeding import torch_stream

Solve = Literal["lstsq", "ridge", "sgd"]
"""How the read-out is fitted."""

_RESOLUTION = 1e-6
"""Below it, singular values in single precision are rounding."""


class RandomFeatureNet(Fitted):
    """``g(x) = sum_j c_j sigma(a_j x - b_j)`` with nodes ``(a_j, b_j)`` from a sampler and ``c`` fitted to data.

    Mind the sign of b. There is no bias. Nodes are buffers, not parameters: nothing that trains the network moves them.

    Shape: ``(n, m) -> (n,)`` or ``(n, k)``, as the targets were.

    Args:
        n_nodes: d.
        sampler: what nodes are drawn from.
        activation: name of sigma, see :func:`replank.parts.activation.find_activation`.
        solve: ``"lstsq"``: minimum-norm least squares by singular values; ``"ridge"``: with a penalty; ``"sgd"``:
            stochastic gradient descent on the mean squared error from 0, which goes to the minimum-norm solution too,
            the slower the smaller the singular value.
        rcond: cut-off of singular values, relative to the largest.
        alpha: penalty of the ridge, on the sum of squares.
        epochs: of gradient descent.
        batch_size: of gradient descent.
        lr: its step; unless given the inverse of the largest square of a sample's features, with which it is stable.
        seed: of the nodes, and of the order of samples.
        dtype: of nodes and read-out.

    Attributes:
        a: directions ``(d, m)``, once drawn.
        b: offsets ``(d,)``, once drawn.
        weight: the read-out ``(d,)`` or ``(d, k)``, once fitted.

    Raises:
        ValueError: no node, an unknown ``solve``, a cut-off outside [0, 1), a negative penalty, no epoch, no batch, or
            a step that is not positive; when used, inputs that are not a finite ``(n, m)``, another m than at first,
            or targets that don't fit them.
        UnknownName: there is no such activation.
        RuntimeError: something is asked before ``fit``.

    Warns:
        RuntimeWarning: a cut-off below the resolution of single precision; in ``fit`` by least squares, fewer samples
            than nodes.

    Source: the network of Li, Sonoda, Cao, Wang, Liang (2023), arXiv 2008.08427; also known as random features, RVFL
    and ELM.

    Example:
        >>> from replank.parts.sampler.fourier import FourierSampler
        >>> x = torch.linspace(0, 1, 100, dtype=torch.float64)[:, None]
        >>> net = RandomFeatureNet(20, FourierSampler(10.0), activation="cos").fit(x, torch.sin(6 * x[:, 0]))
        >>> bool((net.predict(x) - torch.sin(6 * x[:, 0])).abs().max() < 1e-6)
        True
    """

    # whether it is fitted is told by the first
    _estimated: ClassVar = ("weight", "a", "b")
    weight: Tensor
    a: Tensor
    b: Tensor

    def __init__(
        self,
        n_nodes: int,
        sampler: Sampler,
        *,
        activation: str = "logistic",
        solve: Solve = "lstsq",
        rcond: float = 1e-10,
        alpha: float = 1e-8,
        epochs: int = 100,
        batch_size: int = 100,
        lr: float | None = None,
        seed: int = 0,
        dtype: torch.dtype = torch.float64,
    ):
        super().__init__()
        for name, value in (("n_nodes", n_nodes), ("epochs", epochs), ("batch_size", batch_size)):
            if value < 1:
                raise ValueError(f"RandomFeatureNet: `{name}` must be at least 1, got {name}={value}.")
        if solve not in get_args(Solve):
            raise ValueError(f"RandomFeatureNet: `solve` must be one of {get_args(Solve)}, got solve={solve!r}.")
        if lr is not None and not lr > 0:
            raise ValueError(f"RandomFeatureNet: `lr` must be positive, got lr={lr}.")
        self.n_nodes, self.sampler, self.solve = n_nodes, sampler, solve
        self.rcond, self.alpha = check_rcond(rcond), check_alpha(alpha)
        self.epochs, self.batch_size, self.lr = epochs, batch_size, lr
        self.seed, self.dtype = seed, dtype
        self.activation_name, self.activation = activation, find_activation(activation)
        if solve == "lstsq" and rcond < _RESOLUTION and torch.finfo(dtype).bits < 64:
            warnings.warn(
                f"RandomFeatureNet: rcond={rcond:g} is below the resolution of {dtype}: what is kept there is "
                "rounding. Take float64, or a larger cut-off.",
                RuntimeWarning,
                stacklevel=2,
            )

    @property
    def n_estimated(self) -> int:
        """How many numbers are fitted: those of the read-out."""
        return self.weight.numel() if self.is_fitted else 0

    @torch.no_grad()
    def draw(self, x: Tensor, y: Tensor | None = None) -> Self:
        """Draw the nodes; of the data only the number of inputs counts, except for a sampler that looks at them.

        Shape: ``x`` ``(n, m)``, ``y`` ``(n,)`` or ``(n, k)``.
        """
        self._check_inputs(x)
        if isinstance(self.sampler, DataSampler):
            if y is None:
                raise ValueError(f"RandomFeatureNet.draw: {self.sampler} looks at targets, got none. Give y.")
            self.sampler.fit(x, y)
        stream = torch_stream(self.seed, "nodes")
        a, b = self.sampler(self.n_nodes, x.shape[1], stream)
        self.a, self.b = a.to(x.device, self.dtype), b.to(x.device, self.dtype)
        return self

    @torch.no_grad()
    def fit(self, x: Tensor, y: Tensor) -> Self:
        """Draw the nodes and fit the read-out.

        Shape: ``x`` ``(n, m)``, ``y`` ``(n,)`` or ``(n, k)``.
        """
        self._check_inputs(x)
        if y.ndim not in (1, 2) or len(y) != len(x) or not y.isfinite().all():
            raise ValueError(
                f"RandomFeatureNet.fit: targets must be finite, (n,) or (n, k) with n={len(x)}, got shape "
                f"{tuple(y.shape)}" + ("." if y.isfinite().all() else " with NaN or infinity.")
            )
        features, targets = self.draw(x, y).transform(x), y.to(self.dtype)
        if self.solve == "lstsq" and len(x) < self.n_nodes:
            warnings.warn(
                f"RandomFeatureNet.fit: {len(x)} samples do not determine {self.n_nodes} weights. Of all that fit, "
                "those of least norm are taken, by singular values: normal equations would have no solution.",
                RuntimeWarning,
                stacklevel=2,
            )
        match self.solve:
            case "lstsq":
                self.weight = LeastSquares(features).solve(targets, self.rcond)
            case "ridge":
                self.weight = LeastSquares(features).ridge(targets, self.alpha)
            case "sgd":
                self.weight = self._descended(features, targets)
        return self

    def transform(self, x: Tensor) -> Tensor:
        """The values of all nodes, ``(n, d)``."""
        self._check_inputs(x)
        if self.a is None:
            raise RuntimeError(
                "RandomFeatureNet: nodes must be drawn first, got no data yet. Call .fit(x, y) or .draw(x)."
            )
        if x.shape[1] != self.a.shape[1]:
            raise ValueError(
                f"RandomFeatureNet: inputs must have m={self.a.shape[1]} numbers, as those that nodes were drawn for, "
                f"got shape {tuple(x.shape)}."
            )
        activated: Tensor = self.activation(functional.linear(x.to(self.dtype), self.a, -self.b))
        return activated

    def forward(self, x: Tensor) -> Tensor:
        """What is read from the nodes."""
        if not self.is_fitted:
            raise RuntimeError("RandomFeatureNet: it must be fitted first, got no data yet. Call .fit(x, y).")
        return self.transform(x) @ self.weight

    def predict(self, x: Tensor) -> Tensor:
        """The same."""
        predicted: Tensor = self(x)
        return predicted

    def _descended(self, features: Tensor, targets: Tensor) -> Tensor:
        stream = torch_stream(self.seed, "order")
        step = self.lr or 1 / float(features.square().sum(1).max())
        weight = features.new_zeros(self.n_nodes, *targets.shape[1:])
        for _ in range(self.epochs):
            order = torch.randperm(len(features), generator=stream).to(features.device)
            for chosen in torch.split(order, self.batch_size):
                left = features[chosen] @ weight - targets[chosen]
                weight -= step * features[chosen].mT @ left / len(chosen)
        if not weight.isfinite().all():
            raise ValueError(
                f"RandomFeatureNet.fit: gradient descent must converge, got weights that are not finite with lr={step}."
                " Take smaller steps."
            )
        return weight

    @staticmethod
    def _check_inputs(x: Tensor) -> None:
        if x.ndim != 2 or not x.numel():
            raise ValueError(
                f"RandomFeatureNet: inputs must have the expected shape [n, m], got shape {tuple(x.shape)}. A single "
                "input is x[:, None]."
            )
        if not x.isfinite().all():
            raise ValueError("RandomFeatureNet: inputs must be finite, got NaN or infinity.")

    def extra_repr(self) -> str:
        """Nodes and read-out."""
        own = {"lstsq": f"rcond={self.rcond:g}", "ridge": f"alpha={self.alpha:g}", "sgd": f"epochs={self.epochs}"}
        return f"{self.n_nodes}, {self.sampler!r}, solve={self.solve!r}, {own[self.solve]}"
