"""What every pruner must do, as checks that anyone can run over one of their own.

A check raises ``AssertionError`` when the promise is broken.
"""

from __future__ import annotations

import inspect
import pickle
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from replank.parts.pruning import DisconnectedWarning, Pruner, removed_count

Check = Callable[[], None]
_Make = Callable[[], Pruner]
_SHAPES = {"first": (9, 7), "second": (5, 3, 2, 2), "last": (4, 9)}


def check_pruner(kind: type[Pruner], example: Mapping[str, Any]) -> Iterator[tuple[str, Check]]:
    """The checks of one pruner with one set of constructor arguments, by name.

    Args:
        kind: its class.
        example: constructor arguments.
    """
    for name, function in list(globals().items()):
        if name.startswith("check_") and name != "check_pruner":
            yield name.removeprefix("check_"), partial(function, partial(kind, **example))


def _drawn(seed: int = 0) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]]:
    """Weights, weights at the start, gradients and masks of which a fifth is gone."""
    stream = torch.Generator().manual_seed(seed)
    weights, start, gradients = (
        {name: torch.randn(shape, generator=stream, dtype=torch.float64) for name, shape in _SHAPES.items()}
        for _ in range(3)
    )
    masks = {name: torch.rand(shape, generator=stream) > 0.2 for name, shape in _SHAPES.items()}
    return weights, start, gradients, masks


def _select(pruner: Pruner, p: float = 0.3, *, times: float = 1.0) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    weights, start, gradients, masks = _drawn()
    scaled, scaled_start = ({name: times * each for name, each in both.items()} for both in (weights, start))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DisconnectedWarning)
        return masks, pruner.select(scaled, scaled_start, masks, p, gradients=gradients)


def check_nested(make: _Make) -> None:
    """What is gone stays gone; masks are boolean and of the weights' shapes and names."""
    before, after = _select(make())
    assert list(after) == list(before)
    for name, mask in after.items():
        assert mask.dtype == torch.bool
        assert mask.shape == before[name].shape
        assert not (mask & ~before[name]).any(), "a weight has come back"


def check_counts(make: _Make) -> None:
    """Exactly ``floor(p R)`` weights go."""
    for p in (0.15, 0.3, 0.61):
        before, after = _select(make(), p)
        n, left = (sum(int(mask.sum()) for mask in masks.values()) for masks in (before, after))
        assert n - left == removed_count(p, n), f"{n - left} of {n} for p={p}"


def check_scale(make: _Make) -> None:
    """Weights and start weights times a positive number give the same masks."""
    for times in (4.0, 0.3):
        assert _same(_select(make())[1], _select(make(), times=times)[1])


def check_arguments_stay(make: _Make) -> None:
    """Nothing that is given is changed."""
    weights, start, gradients, masks = _drawn()
    make().select(weights, start, masks, 0.3, gradients=gradients)
    assert all(_same(one, other) for one, other in zip((weights, start, gradients, masks), _drawn(), strict=True))


def check_no_memory(make: _Make) -> None:
    """A pruner that has been used, or pickled, chooses like a new one, and draws nothing from torch's own stream."""
    used, state = make(), torch.get_rng_state()
    first = _select(used)[1]
    assert _same(_select(used)[1], first)
    assert _same(_select(make())[1], first)
    assert _same(_select(pickle.loads(pickle.dumps(used)))[1], first)
    assert torch.equal(torch.get_rng_state(), state)


def check_bad_input(make: _Make) -> None:
    """Shares out of range, masks that do not fit, tied weights and missing start weights or gradients are refused."""
    weights, start, gradients, masks = _drawn()
    tied = {**weights, "again": weights["first"]}
    bad: list[tuple[str, type[Exception], tuple[Any, ...]]] = [
        *((f"p={p}", ValueError, (weights, start, masks, p, gradients)) for p in (0.0, 1.0, -0.1, 1.5)),
        ("a mask's shape", ValueError, (weights, start, {**masks, "last": masks["first"]}, 0.3, gradients)),
        ("a mask's name", ValueError, (weights, start, {"first": masks["first"]}, 0.3, gradients)),
        ("masks of floats", TypeError, (weights, start, weights, 0.3, gradients)),
        ("a tied weight", ValueError, (tied, tied, {**masks, "again": masks["first"]}, 0.3, tied)),
    ]
    if make().needs_start:
        bad.append(("no start weights", ValueError, (weights, None, masks, 0.3, gradients)))
    if make().needs_gradients:
        bad.append(("no gradients", ValueError, (weights, start, masks, 0.3, None)))
    for what, kind, (*arguments, given) in bad:
        error: Exception | None = None
        try:
            make().select(*arguments, gradients=given)
        except Exception as caught:
            error = caught
        assert isinstance(error, kind), f"{what} must raise {kind.__name__}, got {error!r}"


def check_documentation(make: _Make) -> None:
    """The docstring says the source, by the paper's key where there is one; the printed name says the options."""
    pruner = make()
    text = inspect.getdoc(type(pruner)) or ""
    assert "Source:" in text, "the docstring lacks its source"
    paper = type(pruner).source.paper
    assert paper is None or f"[{paper.key}]" in text, "the docstring does not name the paper's key"
    for name, value in getattr(make, "keywords", {}).items():
        assert f"{name}={value!r}" in repr(pruner)


def _same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)
