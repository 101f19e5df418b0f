"""What maps that are fitted have in common: training data go in once, what is estimated from them are buffers."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn


class Fitted(nn.Module):
    """A module whose numbers are estimated and not trained.

    They can be saved and loaded by ``state_dict``, also into a module that has not been fitted itself.
    """

    _estimated: ClassVar[tuple[str, ...]]
    """The buffers."""

    def __init__(self) -> None:
        super().__init__()
        for name in self._estimated:
            self.register_buffer(name, None)

    @property
    def n_estimated(self) -> int:
        """How many numbers are estimated; none before."""
        return sum(getattr(self, name).numel() for name in self._estimated) if self.is_fitted else 0

    @property
    def is_fitted(self) -> bool:
        """Whether there is something to map with."""
        return getattr(self, self._estimated[0]) is not None

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *args: Any) -> None:
        for name in self._estimated:
            if prefix + name in state_dict:  # else it has not been fitted, and its sizes are not known
                setattr(self, name, torch.empty_like(state_dict[prefix + name]))
        super()._load_from_state_dict(state_dict, prefix, *args)


class FittedMap(Fitted, abc.ABC):
    """A map of features whose numbers are estimated from training data alone.

    Nothing but :meth:`fit` ever looks at the distribution of its input, so that test data can't leak into what was
    fitted. The last dimension of the first buffer is the number of features that go in.
    """

    @abc.abstractmethod
    def _estimate(self, training: Tensor) -> Mapping[str, Tensor]:
        """The buffers by name, from training data ``(n, n_features)`` in float64."""

    def fit(self, training: Tensor) -> Self:
        """Estimate the map from training data.

        Shape: ``(n, n_features)``.

        Raises:
            ValueError: there are no samples, or NaN or infinity among them.
            TypeError: they are not floating point.
        """
        name = type(self).__name__
        if not training.is_floating_point():
            raise TypeError(f"{name}.fit: training data must be floating point, got dtype={training.dtype}.")
        if training.ndim != 2 or not training.numel():
            raise ValueError(
                f"{name}.fit: training data must have shape (n_samples >= 1, n_features >= 1), got shape="
                f"{tuple(training.shape)}."
            )
        if not training.isfinite().all():
            raise ValueError(
                f"{name}.fit: training data must be finite, got {int((~training.isfinite()).sum())} values that are "
                "not. Remove or impute them first."
            )
        for buffer, value in self._estimate(training.detach().double()).items():
            setattr(self, buffer, value.to(training.dtype))
        return self

    def _check(self, features: Tensor) -> None:
        """Refuse to map before ``fit``, and features that are not those it was fitted on."""
        name = type(self).__name__
        if not self.is_fitted:
            raise ValueError(
                f"{name}: it must be fitted first, got no training data yet. Call .fit(training_features)."
            )
        n_features = getattr(self, self._estimated[0]).shape[-1]
        if features.ndim == 0 or features.shape[-1] != n_features:
            raise ValueError(
                f"{name}: the last dimension must be n_features={n_features}, as in fit, got input of shape "
                f"{tuple(features.shape)}."
            )
