"""The contract suite of forecasters: what each of them promises, as checks that raise when the promise is broken.

A check raises ``AssertionError`` when the promise is broken.

Example:
    >>> from replank.parts.forecaster.persistence import PersistenceForecaster
    >>> for name, check in check_forecaster(PersistenceForecaster, {}):
    ...     check()
"""

from __future__ import annotations

import inspect
import math
import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from replank.errors import DataError
from replank.parts.forecaster import Forecaster
from replank.parts.forecaster._interface import States

Check = Callable[[], None]

DT = 0.1


def spirals(n: int = 3, n_states: int = 30, first: int = 0) -> list[States]:
    """Trajectories of a damped oscillation with two components, no two alike."""
    times = DT * np.arange(n_states)
    phases = 0.7 * np.arange(first + 1, first + n + 1)[:, None]
    size = np.exp(-0.1 * times) * (1 + 0.2 * np.sin(phases))
    return list(np.stack((size * np.cos(times + phases), size * np.sin(times + phases)), -1))


@dataclass(frozen=True)
class Case:
    """One forecaster with one set of constructor arguments."""

    kind: type[Forecaster]
    example: Mapping[str, Any]

    def build(self) -> Forecaster:
        """The forecaster, not fitted."""
        return self.kind(**self.example)

    def fitted(self, trajectories: list[States] | None = None) -> Forecaster:
        """One that knows some trajectories."""
        return self.build().fit(trajectories or spirals(), DT)

    def histories(self, n: int = 4) -> States:
        """Beginnings of other trajectories."""
        return np.stack(spirals(n, self.build().history, first=10))


def check_forecaster(kind: type[Forecaster], example: Mapping[str, Any]) -> Iterator[tuple[str, Check]]:
    """The checks of one forecaster with one set of constructor arguments, by name.

    Args:
        kind: its class.
        example: constructor arguments, small ones.
    """
    case = Case(kind, example)
    for name, function in list(globals().items()):
        if name.startswith("check_") and name != "check_forecaster":
            yield name.removeprefix("check_"), partial(function, case)


def check_shapes(case: Case) -> None:
    """One history or many, one step or many; longer roll-outs begin as shorter ones; ``fit`` gives itself back."""
    made = case.build()
    assert made.fit(spirals(), DT) is made
    histories = case.histories()
    found = made.rollout(histories, 5)
    assert found.shape == (4, 5, 2), found.shape
    assert found.dtype == np.float64
    assert made.rollout(histories[0], 1).shape == (1, 2)
    np.testing.assert_allclose(made.rollout(histories, 2), found[:, :2], rtol=1e-9, atol=1e-12)
    longer = np.concatenate((np.full((4, 2, 2), 7.0), histories), axis=1)
    np.testing.assert_array_equal(made.rollout(longer, 5), found)


def check_rows_do_not_see_each_other(case: Case) -> None:
    """A roll-out is the same in every company."""
    made, histories = case.fitted(), case.histories()
    together = made.rollout(histories, 4)
    for history, path in zip(histories, together, strict=True):
        np.testing.assert_allclose(made.rollout(history, 4), path, rtol=1e-9, atol=1e-12)


def check_histories_matter(case: Case) -> None:
    """Another history gives another roll-out."""
    made, histories = case.fitted(), case.histories()
    assert (np.abs(made.rollout(1.1 * histories, 3) - made.rollout(histories, 3)) > 1e-9).any(-1).all()


def check_refuses_too_few_states(case: Case) -> None:
    """Trajectories or histories that are too short: ``DataError`` with both numbers."""
    made = case.build()
    least = made.least_states
    assert least > made.history
    short = [each[: least - 1] for each in spirals()]
    error = _error(made.fit, short, DT)
    assert isinstance(error, DataError), repr(error)
    assert str(least) in str(error), error
    assert str(least - 1) in str(error), error
    made.fit(spirals(), DT)
    history = case.histories(1)[0]
    for wrong in (history[1:], history[:, :1], history[None, None]):
        error = _error(made.rollout, wrong, 2)
        assert isinstance(error, DataError), f"{wrong.shape}: {error!r}"
        assert str(wrong.shape) in str(error)


def check_refuses_what_can_not_be_fitted(case: Case) -> None:
    """Nothing, NaN, several systems, times that are not equally far apart, contexts that don't fit: ``DataError``."""
    some = spirals()
    spoilt = [some[0].copy(), *some[1:]]
    spoilt[0][3, 1] = math.nan
    times: States = DT * np.arange(len(some[0]), dtype=np.float64)
    uneven = np.asarray(times**1.1, np.float64)
    wrong: dict[str, tuple[Any, ...]] = {
        "none": ([], DT),
        "NaN": (spoilt, DT),
        "several systems": ([some[0], some[1][:, :1]], DT),
        "no component": ([each[:, 0] for each in some], DT),
        "uneven times": (some, uneven),
        "no time": (some, 0.0),
        "too few contexts": (some, DT, np.zeros((2, 1))),
        "contexts of NaN": (some, DT, np.full((3, 1), math.nan)),
    }
    for name, arguments in wrong.items():
        error = _error(case.build().fit, *arguments)
        assert isinstance(error, DataError), f"{name} must raise DataError, got {error!r}"
    assert case.build().fit(some, times).dt == case.fitted().dt or math.isclose(case.build().fit(some, times).dt, DT)


def check_refuses_what_can_not_be_rolled_out(case: Case) -> None:
    """Before a fit, NaN, another time step, other contexts: ``DataError``; no step: ``ValueError``."""
    histories = case.histories()
    error = _error(case.build().rollout, histories, 2)
    assert isinstance(error, DataError), f"rollout before fit must raise DataError, got {error!r}"
    made = case.fitted()
    spoilt = histories.copy()
    spoilt[0, -1, 0] = math.nan
    for name, refused in {
        "NaN": partial(made.rollout, spoilt, 2),
        "another step": partial(made.rollout, histories, 2, dt=2 * DT),
        "another context": partial(made.rollout, histories, 2, context=np.zeros(1)),
    }.items():
        error = _error(refused)
        assert isinstance(error, DataError), f"{name} must raise DataError, got {error!r}"
    assert isinstance(_error(made.rollout, histories, 0), ValueError)
    made.rollout(histories, 2, dt=DT)
    assert isinstance(_error(case.kind, **{**case.example, "history": 0}), ValueError | TypeError)


def check_divergence_is_marked(case: Case) -> None:
    """What leaves all bounds is infinite from then on, without an error or a warning."""
    made = case.fitted()
    path = made.rollout(1e7 * case.histories(), 6)
    lost = np.isinf(path)
    assert lost.any(), "states of 1e7 times the data must be marked"
    assert (lost.all(-1) == lost.any(-1)).all(), "a state is lost as a whole"
    assert (np.diff(lost.any(-1).astype(int), axis=1) >= 0).all(), "what is lost stays lost"
    assert not np.isnan(path).any()
    assert (np.abs(path[~lost]) <= 1e4).all(), "what is larger than 1,000 times the data must be marked"


def check_randomness(case: Case) -> None:
    """Equal arguments, equal roll-outs; nothing is drawn from global streams."""
    torch_state, numpy_state = torch.get_rng_state(), str(np.random.get_state())  # noqa: NPY002
    histories = case.histories()
    first, second = case.fitted().rollout(histories, 3), case.fitted().rollout(histories, 3)
    np.testing.assert_array_equal(first, second)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert str(np.random.get_state()) == numpy_state  # noqa: NPY002


def check_a_fit_forgets_the_last(case: Case) -> None:
    """Fitted again it is like new, and no argument is changed."""
    histories, some = case.histories(), spirals()
    before = [each.copy() for each in some]
    again = case.fitted(spirals(4, first=5)).fit(some, DT)
    np.testing.assert_array_equal(again.rollout(histories, 3), case.fitted().rollout(histories, 3))
    assert all(np.array_equal(a, b) for a, b in zip(some, before, strict=True))


def check_counts(case: Case) -> None:
    """Numbers of parameters and operations are there once it is fitted."""
    made = case.fitted()
    assert isinstance(made.n_parameters, int)
    assert isinstance(made.step_flops, int)
    assert made.n_parameters >= 0
    assert made.step_flops >= 0


def check_copies(case: Case) -> None:
    """Pickles of a fitted one forecast the same."""
    made, histories = case.fitted(), case.histories()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(made)).rollout(histories, 3), made.rollout(histories, 3))


def check_documentation(case: Case) -> None:
    """The docstring says the source, by the paper's key where there is one; the printed name says the options."""
    text = inspect.getdoc(case.kind) or ""
    assert "Source:" in text, "the docstring lacks its source"
    paper = case.kind.source.paper
    assert paper is None or f"[{paper.key}]" in text, "the docstring does not name the paper's key"
    shown = repr(case.build())
    for name, value in case.example.items():
        assert f"{name}={value!r}" in shown, f"{name} is not in {shown}"


def _error(function: Callable[..., Any], *arguments: Any, **options: Any) -> Exception | None:
    try:
        function(*arguments, **options)
    except Exception as error:
        return error
    return None
