from __future__ import annotations

from collections.abc import Iterator

import pytest
from tiny_set import Tiny, tiny_set

from replank.datasets import _folders


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests neither read nor write the user's cache."""
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_folders, "cache_folder", lambda: cache)
        yield


@pytest.fixture
def tiny() -> Tiny:
    return tiny_set()
