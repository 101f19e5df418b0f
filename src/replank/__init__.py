"""Replace one part of a neural network, keep the rest, and measure what changed.

The names below are loaded on first use, so that ``import replank`` stays cheap.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from replank._version import __version__ as __version__

if TYPE_CHECKING:
    from replank.comparison import Comparison as Comparison
    from replank.comparison import compare as compare
    from replank.lab.claim import Claim as Claim
    from replank.lab.run import run_study as run_study
    from replank.lab.study import Study as Study
    from replank.lab.trial import Arm as Arm
    from replank.parts.controls import frozen as frozen
    from replank.parts.controls import same_size as same_size
    from replank.parts.replacement import part as part
    from replank.slots import Ladder as Ladder
    from replank.slots import Swap as Swap
    from replank.slots import find_slots as find_slots
    from replank.slots import reinitialise as reinitialise
    from replank.slots import swap as swap

_HOME = {
    "Arm": "replank.lab.trial",
    "Claim": "replank.lab.claim",
    "Comparison": "replank.comparison",
    "Ladder": "replank.slots",
    "Study": "replank.lab.study",
    "Swap": "replank.slots",
    "compare": "replank.comparison",
    "find_slots": "replank.slots",
    "frozen": "replank.parts.controls",
    "part": "replank.parts.replacement",
    "reinitialise": "replank.slots",
    "run_study": "replank.lab.run",
    "same_size": "replank.parts.controls",
    "swap": "replank.slots",
}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'replank' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
