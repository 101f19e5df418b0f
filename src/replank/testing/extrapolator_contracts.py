"""What every extrapolator to zero noise must do, as checks that anyone can run over one of their own.

A check raises ``AssertionError`` when the promise is broken.

Example:
    >>> from replank.parts.extrapolator.linear import LinearExtrapolator
    >>> for name, check in check_extrapolator(LinearExtrapolator, {}):
    ...     check()
"""

from __future__ import annotations

import copy
import inspect
import math
import pickle
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from replank.errors import ExtrapolationError
from replank.parts.extrapolator import ExtrapolationWarning, Extrapolator, LearnedExtrapolator, WeightedExtrapolator

Check = Callable[[], None]

SCALES = (1.0, 1.5, 2.0, 2.5, 3.0)


class Series(NamedTuple):
    """Values of some circuits at all scales, without noise, and what is known of the circuits."""

    values: Tensor
    targets: Tensor
    descriptors: Tensor


def decaying(n: int, first: int = 0, dtype: torch.dtype = torch.float64) -> Series:
    """Sums of two exponentials of the scale, positive and negative, no two alike."""
    index = torch.arange(first + 1, first + n + 1, dtype=torch.float64)
    sizes = torch.stack((1 + index.sin().abs(), 0.5 * (2 * index).cos().abs()), 1) * index.cos().sign()[:, None]
    rates = torch.stack((0.05 + 0.1 * (3 * index).sin().square(), 0.3 + 0.1 * (5 * index).sin()), 1)
    scale = torch.tensor(SCALES, dtype=torch.float64)
    values = (sizes[..., None] * torch.exp(-rates[..., None] * scale)).sum(1)
    return Series(*(each.to(dtype) for each in (values, sizes.sum(1), torch.cat((sizes, rates), 1))))


@dataclass(frozen=True)
class Case:
    """One extrapolator with one set of constructor arguments."""

    kind: type[Extrapolator]
    example: Mapping[str, Any]

    def build(self, dtype: torch.dtype = torch.float64, **options: Any) -> Extrapolator:
        """The extrapolator, which has learned if it must."""
        made = self.kind(**{**self.example, **options})
        if isinstance(made, LearnedExtrapolator):
            made.learn(_scale(dtype), *decaying(40, first=100, dtype=dtype))
        return made

    def fitted(self, series: Series, **options: Any) -> Extrapolator:
        """One that has been fitted to a series."""
        return _fit(self.build(series.values.dtype, **options), series)

    def predicted(self, series: Series) -> Tensor:
        """Its values without noise."""
        return self.fitted(series).predict()


def check_extrapolator(kind: type[Extrapolator], example: Mapping[str, Any]) -> Iterator[tuple[str, Check]]:
    """The checks of one extrapolator with one set of constructor arguments, by name.

    Args:
        kind: its class.
        example: constructor arguments, small ones.
    """
    case = Case(kind, example)
    for name, function in list(globals().items()):
        if name.startswith("check_") and name != "check_extrapolator":
            yield name.removeprefix("check_"), partial(function, case)


def check_shapes_and_dtypes(case: Case) -> None:
    """One value for each circuit, whatever the leading dimensions, in the dtype of the values; so is ``std``."""
    for dtype in (torch.float64, torch.float32):
        whole = decaying(6, dtype=dtype)
        for lead in ((6,), (2, 3), (3, 1, 2)):
            shaped = Series(*(each.reshape(*lead, *each.shape[1:]) for each in whole))
            extrapolator = case.fitted(shaped)
            predicted = extrapolator.predict()
            assert predicted.shape == lead, f"{lead} -> {tuple(predicted.shape)}"
            assert predicted.dtype == dtype
            assert predicted.isfinite().all()
            for extra in (extrapolator.std, extrapolator.fell_back):
                assert extra is None or extra.shape == lead, f"{tuple(extra.shape)} is not {lead}"
    alone = case.fitted(Series(*(each[0] for each in decaying(1)))).predict()
    assert alone.shape == ()
    assert case.predicted(decaying(0)).shape == (0,)


def check_refuses_less_noise_than_the_devices(case: Case) -> None:
    """In the device's range no scale below 1 is taken, 0 and nearly 1 among them; 0 is taken in none."""
    for smallest in (0.0, 1e-9, 0.5, 0.999, -1.0):
        for range_, is_fine in (("device", False), ("full", smallest > 0)):
            scale = torch.tensor([smallest, *SCALES[1:]], dtype=torch.float64)
            made = case.kind(**{**case.example, "range": range_})
            series = decaying(40)
            error = _taken(made, scale, series)
            assert (error is None) == is_fine, f"scale {smallest} in range {range_}: {error!r}"
            assert is_fine or (isinstance(error, ValueError) and "scale" in str(error)), repr(error)
    error = _error(case.kind, **{**case.example, "range": "everything"})
    assert isinstance(error, ValueError), f"another range must raise ValueError, got {error!r}"


def check_refuses_what_can_not_be_fitted(case: Case) -> None:
    """Equal scales, NaN, infinity and other shapes: ``ValueError``; other dtypes: ``TypeError``."""
    scale, values = _scale(), decaying(3).values
    twice = torch.tensor([1.0, 1.5, 2.0, 2.0, 3.0], dtype=torch.float64)
    wrong: dict[str, tuple[Tensor, Tensor, type[Exception]]] = {
        "a scale twice": (twice, values, ValueError),
        "NaN among values": (scale, values.where(values != values[1, 1], math.nan), ValueError),
        "infinity among scales": (scale.where(scale < 3, math.inf), values, ValueError),
        "a value too few": (scale, values[:, 1:], ValueError),
        "scales for each circuit": (scale.expand(3, -1), values, ValueError),
        "integers": (torch.arange(1, 6), torch.arange(1, 6).expand(3, -1), TypeError),
        "two precisions": (scale, values.float(), TypeError),
    }
    made = case.build()
    for name, (bad_scale, bad_values, kind) in wrong.items():
        error = _error(made.fit, bad_scale, bad_values, decaying(3).descriptors)
        assert isinstance(error, kind), f"{name} must raise {kind.__name__}, got {error!r}"


def check_refuses_too_few_scales(case: Case) -> None:
    """One scale fewer than parameters: ``ExtrapolationError``; as many are enough."""
    made = case.kind(**case.example)
    least = made.least_points
    assert 1 <= least <= len(SCALES)
    series = decaying(40)
    for n in {least, least - 1} - {0}:
        scale, values = _scale()[:n], series.values[:, :n]
        error = _taken(made, scale, series._replace(values=values))
        assert isinstance(error, ExtrapolationError) == (n < least), f"{n} of {least} scales: {error!r}"
        assert n < least or error is None, repr(error)


def check_order_does_not_matter(case: Case) -> None:
    """Scales in another order, with their values, give the same."""
    series, order = decaying(4), torch.tensor([3, 0, 4, 1, 2])
    shuffled = case.build().fit(_scale()[order], series.values[:, order], series.descriptors)
    _close(shuffled.predict(), case.predicted(series))


def check_rows_do_not_see_each_other(case: Case) -> None:
    """A circuit's value is the same in every company."""
    one, other = decaying(4), decaying(4, first=20)
    mixed = Series(*(torch.cat((a[:1], b[1:])) for a, b in zip(one, other, strict=True)))
    _close(case.predicted(mixed)[0], case.predicted(one)[0])


def check_constants_stay(case: Case) -> None:
    """Values that do not depend on the noise are the value without it."""
    made = case.build()
    if not made.keeps_constants:
        return
    for constant in (0.7, -2.5, 0.0, 1e6):
        series = decaying(2)
        flat = series._replace(values=torch.full_like(series.values, constant))
        predicted = _fit(made, flat).predict()
        assert (predicted - constant).abs().max() <= 1e-8 * max(1, abs(constant)), f"{constant} -> {predicted.tolist()}"


def check_values_matter(case: Case) -> None:
    """Other values give another prediction, unless it promises nothing of the kind."""
    made = case.build()
    if not made.keeps_constants:
        return
    series = decaying(4)
    moved = series._replace(values=1.1 * series.values)
    assert ((_fit(made, moved).predict() - case.predicted(series)).abs() > 1e-6).all()


def check_randomness(case: Case) -> None:
    """Equal arguments, equal predictions; nothing is drawn from torch's own stream."""
    before, series = torch.get_rng_state(), decaying(3)
    first, second = case.predicted(series), case.predicted(series)
    assert torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), before)


def check_a_fit_forgets_the_last(case: Case) -> None:
    """Fitted again it is like new, ``std`` included; ``fit`` gives the extrapolator itself, and changes no argument."""
    series = decaying(3)
    used = case.fitted(decaying(5, first=7))
    used.predict()
    before = [each.clone() for each in series]
    assert _fit(used, series) is used
    assert all(torch.equal(a, b) for a, b in zip(series, before, strict=True))
    new = case.fitted(series)
    assert torch.equal(used.predict(), new.predict())
    assert (used.std is None) == (new.std is None)
    if used.std is not None and new.std is not None:
        assert torch.equal(used.std, new.std)


def check_predict_comes_after_fit(case: Case) -> None:
    """``ExtrapolationError`` otherwise."""
    error = _error(case.build().predict)
    assert isinstance(error, ExtrapolationError), f"predict before fit must raise ExtrapolationError, got {error!r}"


def check_copies(case: Case) -> None:
    """Deep copies and pickles of a fitted one predict the same."""
    fitted = case.fitted(decaying(3))
    expected = fitted.predict()
    assert torch.equal(copy.deepcopy(fitted).predict(), expected)
    assert torch.equal(pickle.loads(pickle.dumps(fitted)).predict(), expected)


def check_weights(case: Case) -> None:
    """One that is linear in the values has weights that sum to 1 and say all about it."""
    made = case.build()
    if not isinstance(made, WeightedExtrapolator):
        return
    scale, series = _scale(), decaying(4)
    for at in (0.0, 1.2):
        weights = made.weights(scale, at)
        assert abs(float(weights.sum()) - 1) < 1e-10, f"weights sum to {float(weights.sum())}"
        _close(_fit(made, series).predict(at), series.values @ weights)
    assert abs(made.variance_factor(scale.flip(0)) - float(made.weights(scale).square().sum())) < 1e-10


def check_learning(case: Case) -> None:
    """One that learns does so before it is fitted, for these scales and scale 0 alone, and from sound examples."""
    made, series = case.kind(**case.example), decaying(8)
    if not isinstance(made, LearnedExtrapolator):
        return
    error = _error(_fit, made, series)
    assert isinstance(error, ExtrapolationError), f"fit before learn must raise ExtrapolationError, got {error!r}"
    scale = _scale()
    for name, targets in {"one too few": series.targets[1:], "NaN": series.targets * math.nan}.items():
        error = _error(made.learn, scale, series.values, targets, series.descriptors)
        assert isinstance(error, ValueError), f"targets, {name}: must raise ValueError, got {error!r}"
    learned = case.build()
    error = _error(learned.fit, 2 * scale, series.values, series.descriptors)
    assert isinstance(error, ValueError), f"scales that were not learned must raise ValueError, got {error!r}"
    error = _error(_fit(learned, series).predict, 1.0)
    assert isinstance(error, ValueError), f"another scale than 0 must raise ValueError, got {error!r}"


def check_documentation(case: Case) -> None:
    """The docstring says the source, by the paper's key where there is one; the printed name says the options."""
    text = inspect.getdoc(case.kind) or ""
    assert "Source:" in text, "the docstring lacks its source"
    paper = case.kind.source.paper
    assert paper is None or f"[{paper.key}]" in text, "the docstring does not name the paper's key"
    shown = repr(case.kind(**case.example))
    for name, value in case.example.items():
        assert f"{name}={value!r}" in shown, f"{name} is not in {shown}"


def _scale(dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.tensor(SCALES, dtype=dtype)


def _fit(extrapolator: Extrapolator, series: Series) -> Extrapolator:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExtrapolationWarning)
        return extrapolator.fit(_scale(series.values.dtype), series.values, series.descriptors)


def _taken(made: Extrapolator, scale: Tensor, series: Series) -> Exception | None:
    """What comes of giving values at these scales to an extrapolator that has seen none."""
    if isinstance(made, LearnedExtrapolator):
        return _error(made.learn, scale, *series)
    return _error(made.fit, scale, series.values)


def _error(function: Callable[..., Any], *arguments: Any, **options: Any) -> Exception | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExtrapolationWarning)
            function(*arguments, **options)
    except Exception as error:
        return error
    return None


def _close(one: Tensor, other: Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-9)
