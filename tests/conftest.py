"""Settings of the whole suite."""

from __future__ import annotations

from hypothesis import settings

# torch's first call is slow, so that deadlines are flaky; the same examples every time, so that a red test stays red
settings.register_profile("replank", deadline=None, derandomize=True, max_examples=30)
settings.load_profile("replank")
