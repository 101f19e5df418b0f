"""Where batches come from: tensors, arrays or a DataLoader, in an order that depends on the seed and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from replank.errors import DataError
from replank.seeding import isolated, stream_seed, torch_stream

Batch = tuple[Tensor, Tensor]


class Feed(Protocol):
    """A source of batches."""

    def shuffled(self, seed: int, epoch: int) -> Iterator[Batch]:
        """The training batches of one epoch: the same for equal seed and epoch, whatever the model draws."""

    def ordered(self) -> Iterator[Batch]:
        """All batches once, for evaluation."""

    @property
    def n_samples(self) -> int:
        """Number of samples."""

    @property
    def n_batches(self) -> int:
        """Number of training batches in an epoch."""


class TensorFeed:
    """Batches cut from two tensors that stay on the compute device.

    Args:
        x: inputs, shape ``(n, ...)``.
        y: targets, shape ``(n,)`` or ``(n, ...)``.
        batch_size: the last batch may be smaller.
        evaluation_batch_size: without gradients more fits at once.
        augment: from the inputs of a training batch and a generator on the CPU to disturbed inputs; evaluation sees
            them as they are.
        in_order: whether training batches come in the data's order in every epoch, as those of a series often do.
    """

    def __init__(
        self,
        x: Tensor,
        y: Tensor,
        *,
        batch_size: int,
        evaluation_batch_size: int = 500,
        augment: Callable[[Tensor, torch.Generator], Tensor] | None = None,
        in_order: bool = False,
    ):
        self.x, self.y = x, y
        self.batch_size, self.evaluation_batch_size = batch_size, evaluation_batch_size
        self.augment, self.in_order = augment, in_order

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return len(self.x)

    @property
    def n_batches(self) -> int:
        """Number of training batches in an epoch."""
        return -(-len(self.x) // self.batch_size)

    def shuffled(self, seed: int, epoch: int) -> Iterator[Batch]:
        """Batches in an order of the seed's own, unless they stay in order."""
        n, mixing = len(self.x), torch_stream(seed, "order", epoch)
        order = (torch.arange(n) if self.in_order else torch.randperm(n, generator=mixing)).to(self.x.device)
        stream = torch_stream(seed, "augmentation", epoch)
        for chosen in torch.split(order, self.batch_size):
            x = self.x[chosen]
            yield x if self.augment is None else self.augment(x, stream), self.y[chosen]

    def ordered(self) -> Iterator[Batch]:
        """Batches in the data's order."""
        size = self.evaluation_batch_size
        yield from zip(torch.split(self.x, size), torch.split(self.y, size), strict=True)


class LoaderFeed:
    """Batches from the user's own DataLoader, whose shuffling and augmentation are reseeded for each epoch.

    Evaluation reads the same loader, under a fixed stream.
    """

    def __init__(self, loader: DataLoader[Any], device: torch.device):
        self.loader, self.device = loader, device

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return len(self.loader.dataset)  # type: ignore[arg-type]  # checked in make_feed

    @property
    def n_batches(self) -> int:
        """Number of training batches in an epoch."""
        return len(self.loader)

    def _batches(self, seed: int, *purpose: str | int) -> Iterator[Batch]:
        if self.loader.generator is not None:
            self.loader.generator.manual_seed(stream_seed(seed, *purpose))
        # Sampler and augmentation draw from torch's default generator while batches are fetched, in between the draws
        # of the model (dropout): they get a stream of their own that is put in place around each fetch.
        with isolated(seed, *purpose):
            batches, state = iter(self.loader), torch.get_rng_state()
        while True:
            with torch.random.fork_rng():
                torch.set_rng_state(state)
                batch = next(batches, None)
                state = torch.get_rng_state()
            if batch is None:
                return
            yield batch[0].to(self.device), _target(batch[1]).to(self.device)

    def shuffled(self, seed: int, epoch: int) -> Iterator[Batch]:
        """Batches in the loader's order under the seed's stream."""
        return self._batches(seed, "order", epoch)

    def ordered(self) -> Iterator[Batch]:
        """Batches as the loader gives them, under a fixed stream."""
        return self._batches(0, "evaluation")


def make_feed(data: Any, *, name: str, batch_size: int, device: torch.device) -> Feed:
    """A feed from ``(x, y)`` tensors or arrays, or from a DataLoader, after a check of what it holds.

    Raises:
        DataError: it is empty, of unequal lengths, not numeric, or holds NaN or infinity.
    """
    if isinstance(data, DataLoader):
        return _checked_loader(data, name, device)
    if not isinstance(data, list | tuple) or len(data) != 2:
        raise DataError(f"compare: {name} data must be a pair (x, y) or a DataLoader, got {type(data).__name__}.")
    x, y = (_tensor(part, f"{name} {which}") for part, which in zip(data, "xy", strict=True))
    if len(x) != len(y):
        raise DataError(f"compare: {name} x and y must be equally long, got {len(x)} and {len(y)}.")
    if not len(x):
        raise DataError(f"compare: {name} data must not be empty, got 0 samples.")
    return TensorFeed(x.to(device), _target(y).to(device), batch_size=batch_size)


def _tensor(values: Any, name: str) -> Tensor:
    try:
        tensor = values.detach() if isinstance(values, Tensor) else _from_array(np.asarray(values))
    except (TypeError, ValueError) as error:
        raise DataError(f"compare: {name} must be numeric, got {type(values).__name__} ({error}).") from None
    if tensor.ndim == 0:
        raise DataError(f"compare: {name} must have a sample dimension, got a single number.")
    check_finite(tensor, name)
    return tensor


def _from_array(array: np.ndarray) -> Tensor:
    """NumPy computes in double precision without being asked, torch does not: models are in torch's default one."""
    tensor = torch.as_tensor(array)
    return tensor.to(torch.get_default_dtype()) if tensor.dtype == torch.float64 else tensor


def _target(y: Tensor) -> Tensor:
    """Class numbers in the one type that torch's losses take."""
    return y if y.is_floating_point() else y.long()


def check_finite(tensor: Tensor, name: str) -> None:
    """Refuse NaN and infinity.

    Raises:
        DataError: there are some; the message says how many and where the first is.
    """
    bad = ~torch.isfinite(tensor)
    if bad.any():
        first = tuple(int(index) for index in bad.nonzero()[0])
        raise DataError(
            f"compare: {name} must be finite, got {int(bad.sum())} NaN or infinite values, the first at index {first}. "
            "Remove or impute them first."
        )


def _checked_loader(loader: DataLoader[Any], name: str, device: torch.device) -> LoaderFeed:
    if not hasattr(loader.dataset, "__len__") or not len(loader.dataset):
        raise DataError(f"compare: {name} DataLoader must hold samples, got an empty one or one without a length.")
    feed = LoaderFeed(loader, device)
    seen = 0
    for batch in feed.ordered():
        check_finite(batch[0], f"{name} x")
        seen += len(batch[0])
    if not seen:
        raise DataError(
            f"compare: {name} DataLoader must give at least one batch, got none of {len(loader.dataset)} samples. "
            "With drop_last=True the batch size must not exceed the number of samples."
        )
    return feed
