"""What every initialiser must do, as checks that anyone can run over one of their own.

A check raises ``AssertionError`` when the promise is broken.

Example:
    >>> from replank.parts.initialiser.xavier_normal import XavierNormalInitialiser
    >>> for name, check in check_initialiser(XavierNormalInitialiser, {"gain": 1.0}):
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
from torch import Tensor, nn

from replank.parts.initialiser import Initialiser

Check = Callable[[], None]
N_DRAWS = 200


@dataclass(frozen=True)
class Case:
    """One initialiser with one set of constructor arguments."""

    kind: type[Initialiser]
    example: Mapping[str, Any]

    def build(self) -> Initialiser:
        """The initialiser."""
        return self.kind(**self.example)

    def weight(self, dtype: torch.dtype = torch.float64, width: int = 6) -> nn.Parameter:
        """A weight that it can fill, full of a number that no initialiser draws."""
        rows = self.build().rows or 10
        return nn.Parameter(torch.full((rows, width), 77.0, dtype=dtype))

    def layer(self) -> nn.Linear:
        """A layer that it can fill."""
        rows, width = self.weight().shape
        layer = nn.Linear(width, rows, dtype=torch.float64)
        with torch.no_grad():
            for each in layer.parameters():
                each.fill_(77.0)
        return layer

    def filled(self, seed: int = 0) -> Tensor:
        """A filled weight."""
        return self.build()(self.weight(), _generator(seed)).detach()


def check_initialiser(kind: type[Initialiser], example: Mapping[str, Any]) -> Iterator[tuple[str, Check]]:
    """The checks of one initialiser with one set of constructor arguments, by name.

    Args:
        kind: its class.
        example: constructor arguments, small ones.
    """
    case = Case(kind, example)
    for name, function in list(globals().items()):
        if name.startswith("check_") and name != "check_initialiser":
            yield name.removeprefix("check_"), partial(function, case)


def check_fills_in_place(case: Case) -> None:
    """Every entry is drawn, finite, where the tensor was; it is given back, and no graph is left behind."""
    for dtype in (torch.float64, torch.float32):
        weight = case.weight(dtype)
        place = weight.data_ptr()
        assert case.build()(weight, _generator(0)) is weight, "it must give back the tensor that it filled"
        assert weight.data_ptr() == place
        assert weight.dtype == dtype
        assert weight.isfinite().all()
        assert not (weight == 77).any(), "some entries were not drawn"
        assert weight.is_leaf
        assert weight.requires_grad
        assert weight.grad_fn is None


def check_fills_modules(case: Case) -> None:
    """Weights and biases of a module are filled; normalisation stays; the module is given back."""
    model = nn.Sequential(case.layer(), nn.LayerNorm(5, dtype=torch.float64))
    before = copy.deepcopy(model[1].state_dict())
    assert case.build()(model, _generator(0)) is model, "it must give back the module that it filled"
    for name, parameter in model[0].named_parameters():
        assert not (parameter == 77).any(), f"{name} was not filled"
        assert parameter.isfinite().all()
    assert all(torch.equal(each, before[name]) for name, each in model[1].state_dict().items()), "other layers moved"


def check_same_generator_same_values(case: Case) -> None:
    """Equal generators give equal values; others other ones, where anything is drawn."""
    assert torch.equal(case.filled(), case.filled())
    if case.build().variance(case.weight().shape).any():
        assert not torch.equal(case.filled(), case.filled(seed=1))
        generator, initialiser = _generator(0), case.build()
        first, second = (initialiser(case.weight(), generator) for _ in range(2))
        assert not torch.equal(first, second), "the generator did not move on"


def check_nothing_else_is_drawn_from(case: Case) -> None:
    """The stream of torch's own generator stays where it is."""
    layer, before = case.layer(), torch.get_rng_state()
    case.build()(layer, _generator(0))
    assert torch.equal(torch.get_rng_state(), before)


def check_variance(case: Case) -> None:
    """Over many draws the entries have mean 0 and the stated variance, up to six standard errors."""
    initialiser, weight = case.build(), case.weight()
    stated = initialiser.variance(weight.shape)
    assert not stated.isnan().any()
    generator = _generator(0)
    draws = torch.stack([initialiser(weight, generator).detach().clone() for _ in range(N_DRAWS)])
    _matches(draws, stated, "weight")
    layer = case.layer()
    biases = []
    for _ in range(N_DRAWS):
        initialiser(layer, generator)
        biases.append(layer.bias.detach().clone())
    _matches(torch.stack(biases), initialiser.bias_variance(layer.out_features), "bias")


def check_variance_follows_the_width(case: Case) -> None:
    """The stated variance is that of *this* weight: a wider one's is checked against its own draws."""
    initialiser, weight = case.build(), case.weight(width=24)
    generator = _generator(1)
    draws = torch.stack([initialiser(weight, generator).detach().clone() for _ in range(N_DRAWS // 2)])
    _matches(draws, initialiser.variance(weight.shape), "wide weight")


def check_refuses_what_it_can_not_fill(case: Case) -> None:
    """One dimension, no entries, another number of rows, modules without weights: ``ValueError``, and nothing moves."""
    initialiser, weight = case.build(), case.weight()
    wrong: dict[str, Any] = {
        "one dimension": weight[:, 0].detach().clone(),
        "no dimension": torch.tensor(1.0),
        "no entries": weight[:, :0].detach().clone(),
        "a module without weights": nn.LayerNorm(3),
    }
    if initialiser.rows is not None:
        wrong["a row too many"] = torch.cat((weight, weight[:1])).detach()
    for name, target in wrong.items():
        before = copy.deepcopy(target)
        error = _error(initialiser, target, _generator(0))
        assert isinstance(error, ValueError), f"{name} must raise ValueError, got {error!r}"
        if isinstance(target, Tensor):
            assert torch.equal(target, before), f"{name}: it was changed all the same"


def check_refuses_other_types(case: Case) -> None:
    """Integers, what is no tensor, and what is no generator: ``TypeError``."""
    initialiser, weight = case.build(), case.weight()
    for name, target, generator in (
        ("integers", weight.detach().long(), _generator(0)),
        ("a list", [[1.0]], _generator(0)),
        ("a seed", weight, 0),
    ):
        error = _error(initialiser, target, generator)
        assert isinstance(error, TypeError), f"{name} must raise TypeError, got {error!r}"


def check_copies(case: Case) -> None:
    """Deep copies and pickles draw the same."""
    initialiser = case.build()
    for twin in (copy.deepcopy(initialiser), pickle.loads(pickle.dumps(initialiser))):
        assert torch.equal(twin(case.weight(), _generator(0)), case.filled())


def check_documentation(case: Case) -> None:
    """The docstring states the variance and the source; the printed name says the options."""
    text = inspect.getdoc(case.kind) or ""
    for word in ("Variance:", "Source:"):
        assert word in text, f"the docstring lacks {word}"
    paper = case.kind.source.paper
    assert paper is None or f"[{paper.key}]" in text, "the docstring does not name the paper's key"
    shown = repr(case.build())
    for name, value in case.example.items():
        assert f"{name}={value!r}" in shown, f"{name} is not in {shown}"


def _matches(draws: Tensor, stated: Tensor, what: str) -> None:
    """Draws ``(n, *shape)`` against a variance that broadcasts to the shape, all entries of one variance together."""
    stated = stated.to(draws.dtype).expand(draws.shape[1:])
    for variance in sorted(set(stated.flatten().tolist())):
        entries = draws[:, stated == variance]
        if not variance:
            assert not entries.any(), f"{what}: entries of variance 0 are not 0"
            continue
        mean, square = entries.mean(), entries.square().mean()
        n = entries.numel()
        assert mean.abs() < 6 * math.sqrt(variance / n), f"{what}: the mean is {float(mean):.3g}"
        # of a normal variable the square varies by twice its variance, of others less
        assert abs(square / variance - 1) < 6 * math.sqrt(2 / n), f"{what}: {float(square):.4g}, stated {variance:.4g}"


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _error(function: Callable[..., Any], *arguments: Any) -> Exception | None:
    try:
        function(*arguments)
    except Exception as error:
        return error
    return None
