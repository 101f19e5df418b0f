"""What every sampler of hidden weights must do, as checks that anyone can run over one of their own.

A check raises ``AssertionError`` when the promise is broken.

Example:
    >>> from replank.parts.sampler.uniform_band import UniformBandSampler
    >>> for name, check in check_sampler(UniformBandSampler, {"lam": 1.0}):
    ...     check()
"""

from __future__ import annotations

import copy
import inspect
import math
import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from replank.parts.sampler import DataSampler, Nodes, Sampler

Check = Callable[[], None]
SIZES = ((1, 1), (7, 1), (5, 3), (64, 2))
MANY = 2000


@dataclass(frozen=True)
class Case:
    """One sampler with one set of constructor arguments."""

    kind: type[Sampler]
    example: Mapping[str, Any]

    def build(self, m: int, data_seed: int = 0) -> Sampler:
        """The sampler, which has seen data of ``m`` inputs if it must."""
        sampler = self.kind(**self.example)
        if isinstance(sampler, DataSampler):
            x = torch.rand(100, m, generator=torch.Generator().manual_seed(data_seed), dtype=torch.float64)
            sampler.fit(x, x.square().sum(1))
        return sampler

    def nodes(self, d: int, m: int, seed: int = 0, **options: Any) -> Nodes:
        """A draw."""
        return Nodes(*self.build(m, **options)(d, m, _generator(seed)))


def check_sampler(kind: type[Sampler], example: Mapping[str, Any]) -> Iterator[tuple[str, Check]]:
    """The checks of one sampler with one set of constructor arguments, by name.

    Args:
        kind: its class.
        example: constructor arguments.
    """
    case = Case(kind, example)
    for name, function in list(globals().items()):
        if name.startswith("check_") and name != "check_sampler":
            yield name.removeprefix("check_"), partial(function, case)


def check_shapes_and_dtypes(case: Case) -> None:
    """``(d, m)`` and ``(d,)``, finite, in float64 on the generator's device."""
    for d, m in SIZES:
        a, b = case.nodes(d, m)
        assert a.shape == (d, m), f"a of d={d}, m={m} has shape {tuple(a.shape)}"
        assert b.shape == (d,), f"b of d={d}, m={m} has shape {tuple(b.shape)}"
        for each in (a, b):
            assert each.dtype == torch.float64
            assert each.device == _generator(0).device
            assert each.isfinite().all()
            assert not each.requires_grad


def check_same_generator_same_nodes(case: Case) -> None:
    """Equal generators give equal nodes, others other ones; a generator moves on with each draw."""
    assert _equal(case.nodes(8, 2), case.nodes(8, 2))
    assert not _equal(case.nodes(8, 2), case.nodes(8, 2, seed=1))
    sampler, generator = case.build(2), _generator(0)
    assert not _equal(sampler(8, 2, generator), sampler(8, 2, generator)), "the generator did not move on"


def check_nothing_else_is_drawn_from(case: Case) -> None:
    """The stream of torch's own generator stays where it is."""
    before = torch.get_rng_state()
    case.nodes(8, 2)
    assert torch.equal(torch.get_rng_state(), before)


def check_band(case: Case) -> None:
    """No weight is beyond the band, and some come near; where there is none, the largest grows with the draw."""
    sampler = case.build(2)
    largest = float(case.nodes(MANY, 2).a.abs().max())
    assert largest <= sampler.band, f"|a| = {largest} is beyond the stated band {sampler.band}"
    if math.isfinite(sampler.band):
        assert largest >= 0.9 * sampler.band, f"of {MANY} nodes none comes near the stated band {sampler.band}"
    else:
        assert largest > float(case.nodes(4, 2).a.abs().max())


def check_nodes_differ(case: Case) -> None:
    """No node comes twice, and each input and the offset vary."""
    a, b = case.nodes(64, 3)
    assert len(torch.unique(torch.cat((a, b[:, None]), 1), dim=0)) == 64, "a node comes twice"
    spread = torch.cat((a, b[:, None]), 1).std(0)
    assert (spread > 0).all(), f"standard deviations of a and b are {spread.tolist()}"


def check_no_direction_is_preferred(case: Case) -> None:
    """The mean weight is 0 in each input, up to five standard errors, of what has not seen data."""
    if not issubclass(case.kind, DataSampler):
        a = case.nodes(MANY, 2).a
        error = a.std(0) / math.sqrt(MANY)
        assert (a.mean(0).abs() <= 5 * error).all(), f"mean weights {a.mean(0).tolist()}"


def check_data(case: Case) -> None:
    """What sees data must have seen them, and draws other nodes for others; what does not can't be shown any."""
    sampler = case.kind(**case.example)
    if not isinstance(sampler, DataSampler):
        assert not hasattr(sampler, "fit"), "a sampler that is no DataSampler must not be fitted"
        return
    error = _error(sampler, 4, 2, _generator(0))
    assert isinstance(error, RuntimeError), f"a draw before fit must raise RuntimeError, got {error!r}"
    assert not _equal(case.nodes(8, 2), case.nodes(8, 2, data_seed=1)), "other data give the same nodes"
    error = _error(case.build(2), 4, 3, _generator(0))
    assert isinstance(error, ValueError), f"another number of inputs must raise ValueError, got {error!r}"
    x = torch.rand(5, 2, dtype=torch.float64, generator=_generator(0))
    for name, pair in {
        "one sample": (x[:1], x[:1, 0]),
        "x of one dimension": (x[:, 0], x[:, 0]),
        "too few targets": (x, x[:-1, 0]),
        "NaN": (x, x[:, 0] * math.nan),
    }.items():
        error = _error(sampler.fit, *pair)
        assert isinstance(error, ValueError), f"data with {name} must raise ValueError, got {error!r}"


def check_refuses_wrong_sizes(case: Case) -> None:
    """No node and no input: ``ValueError`` naming the value; no generator: ``TypeError``."""
    sampler = case.build(2)
    for d, m in ((0, 2), (-1, 2), (3, 0)):
        error = _error(sampler, d, m, _generator(0))
        assert isinstance(error, ValueError), f"d={d}, m={m} must raise ValueError, got {error!r}"
        assert str(min(d, m)) in str(error)
    for wrong in (None, 0):
        error = _error(sampler, 3, 2, wrong)
        assert isinstance(error, TypeError), f"generator={wrong} must raise TypeError, got {error!r}"


def check_copies(case: Case) -> None:
    """Deep copies and pickles draw the same."""
    sampler = case.build(2)
    for twin in (copy.deepcopy(sampler), pickle.loads(pickle.dumps(sampler))):
        assert _equal(twin(8, 2, _generator(0)), case.nodes(8, 2))


def check_documentation(case: Case) -> None:
    """The docstring says the source, by the paper's key where there is one; the printed name says the options."""
    text = inspect.getdoc(case.kind) or ""
    assert "Source:" in text, "the docstring lacks its source"
    paper = case.kind.source.paper
    assert paper is None or f"[{paper.key}]" in text, "the docstring does not name the paper's key"
    shown = repr(case.build(2))
    for name, value in case.example.items():
        assert f"{name}={value!r}" in shown, f"{name} is not in {shown}"


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _equal(one: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def _error(function: Callable[..., Any], *arguments: Any) -> Exception | None:
    try:
        function(*arguments)
    except Exception as error:
        return error
    return None
