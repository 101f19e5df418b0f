from __future__ import annotations

import numpy as np
import pytest

from replank.datasets import simulations
from replank.datasets.simulations import kept_simulation, read_simulation, write_simulation
from replank.errors import DataError

ABOUT = {"n": 4, "seed": 0, "solver": {"scipy": "1"}, "range": (0.1, 0.2)}
ARRAYS = {"u": np.arange(6.0).reshape(2, 3), "c": np.ones(3, np.float32)}


def test_it_is_computed_once_and_comes_back_whole(tmp_path):
    calls = []

    def simulate():
        calls.append(1)
        return ARRAYS

    for _ in range(2):
        found = kept_simulation("waves", ABOUT, simulate, tmp_path)
        assert set(found) == {"u", "c"}
        assert all(np.array_equal(found[name], ARRAYS[name]) for name in ARRAYS)
    assert len(calls) == 1
    kept_simulation("waves", ABOUT | {"seed": 1}, simulate, tmp_path)
    assert len(calls) == 2
    assert len(list(tmp_path.iterdir())) == 2


def test_the_archive_says_what_it_is(tmp_path):
    write_simulation(tmp_path / "a.npz", ARRAYS, ABOUT)
    with np.load(tmp_path / "a.npz") as archive:
        assert '"solver": {"scipy": "1"}' in str(archive["about"])
        assert len(str(archive["sha256"])) == 64
    assert set(read_simulation(tmp_path / "a.npz")) == {"u", "c"}


def test_a_changed_value_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    write_simulation(path, ARRAYS, ABOUT)
    with np.load(path) as archive:
        arrays = dict(archive)
    arrays["u"][0, 0] += 1e-9
    np.savez(path, **arrays)
    with pytest.raises(DataError, match=r"must have sha256:.* got sha256:"):
        read_simulation(path)


def test_nan_is_refused_when_written_and_when_read(tmp_path, monkeypatch):
    bad = ARRAYS | {"u": np.array([1.0, np.nan, np.inf])}
    with pytest.raises(DataError, match="got 2 that are not in 'u'"):
        write_simulation(tmp_path / "a.npz", bad, ABOUT)
    with pytest.raises(DataError, match="got 2 that are not in 'u'"):
        kept_simulation("waves", ABOUT, lambda: bad, tmp_path)
    assert not list(tmp_path.iterdir())
    with monkeypatch.context() as patch:
        patch.setattr(simulations, "_check_finite", lambda what, arrays: None)
        write_simulation(tmp_path / "a.npz", bad, ABOUT)
    with pytest.raises(DataError, match="got 2 that are not in 'u'"):
        read_simulation(tmp_path / "a.npz")


def test_a_damaged_archive_is_refused_not_replaced(tmp_path):
    kept_simulation("waves", ABOUT, lambda: ARRAYS, tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match=r"must be an archive of a simulation.*Delete it"):
        kept_simulation("waves", ABOUT, lambda: ARRAYS, tmp_path)
    np.savez(path, u=np.ones(3))
    with pytest.raises(DataError, match="must be an archive of a simulation"):
        read_simulation(path)


def test_an_archive_of_something_else_is_refused(tmp_path):
    write_simulation(tmp_path / "a.npz", ARRAYS, ABOUT)
    with pytest.raises(DataError, match='"seed": 7'):
        read_simulation(tmp_path / "a.npz", ABOUT | {"seed": 7})


def test_a_cache_that_can_not_be_written_costs_only_time(tmp_path):
    (tmp_path / "file").write_text("")
    assert kept_simulation("waves", ABOUT, lambda: ARRAYS, tmp_path / "file" / "folder") is ARRAYS


def test_the_users_cache_is_used_unless_told(tmp_path, monkeypatch):
    monkeypatch.setattr(simulations, "cache_folder", lambda: tmp_path)
    kept_simulation("waves", ABOUT, lambda: ARRAYS)
    assert len(list((tmp_path / "simulated").iterdir())) == 1
