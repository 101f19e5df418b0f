from __future__ import annotations

import importlib
import pkgutil

from replank import measure


def test_every_public_measure_is_exported():
    found = {
        name
        for info in pkgutil.iter_modules(measure.__path__)
        if not info.name.startswith("_")
        for name, thing in vars(importlib.import_module(f"replank.measure.{info.name}")).items()
        if not name.startswith("_") and getattr(thing, "__module__", None) == f"replank.measure.{info.name}"
    }
    assert found | {"FLOP_COUNTER"} == set(measure.__all__)
