"""Settings of the whole suite."""

from __future__ import annotations

import gc
import os

import pytest
from hypothesis import settings

# Read as torch is loaded, here and in processes that tests start: pytest-xdist has a worker on each core already, and
# threads that wait for one another's cores take many times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# torch's first call is slow, so that deadlines are flaky; the same examples every time, so that a red test stays red
settings.register_profile("replank", deadline=None, derandomize=True, max_examples=30)
settings.load_profile("replank")


@pytest.fixture(autouse=True, scope="module")
def _quick_to_collect() -> None:
    """A trial collects garbage before its memory is measured: without what is loaded by now, that is quick."""
    gc.collect()
    gc.freeze()
