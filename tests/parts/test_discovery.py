from __future__ import annotations

import sys
from importlib.metadata import EntryPoint

import pytest
import torch
from torch import nn

import replank.parts.linear as linear
from replank import discovery, parts
from replank.errors import UnknownName
from replank.parts import _exports

PLUGIN = {
    "__init__.py": "",
    "tiled.py": """
from replank.parts.linear import LowRankLinear, LinearPart
class TiledLinear(LowRankLinear):
    pass
class _Hidden(LowRankLinear):
    pass
""",
    "broken.py": "import no_such_module_at_all",
    "pooling/__init__.py": "",
    "pooling/_interface.py": """
from replank.parts import Part
__all__ = ["PoolingPart"]
class PoolingPart(Part):
    pass
""",
    "pooling/_group.py": """
from torch import nn
from replank.parts import Group
from plugin_of_parts.pooling._interface import PoolingPart
__all__ = ["GROUP"]
GROUP = Group("pooling", (nn.MaxPool2d,), PoolingPart, lambda module: None, lambda old, budget: old)
""",
    "pooling/shattered.py": "raise RuntimeError('half written')",
    "pooling/soft.py": """
from replank.parts.linear import LowRankLinear
from plugin_of_parts.pooling._interface import PoolingPart
class SoftPool(PoolingPart):
    like = classmethod(lambda cls, old: cls())
    reset_parameters = parameter_formula = reference = lambda self: None
    examples = classmethod(lambda cls: ())
""",
}


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """An installed package of parts that is not ours: a part, a broken file, a group of its own."""
    for name, text in PLUGIN.items():
        file = tmp_path / "plugin_of_parts" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    ours = EntryPoint("replank", "replank.parts", "replank.parts")
    theirs = EntryPoint("acme", "plugin_of_parts", "replank.parts")
    monkeypatch.setattr(discovery, "entry_points", lambda group: [theirs, ours])
    discovery._load.cache_clear()
    yield
    discovery._load.cache_clear()
    for name in [name for name in sys.modules if name.startswith("plugin_of_parts")]:
        del sys.modules[name]


def test_a_plug_ins_parts_and_groups_are_found_under_its_name(plugin):
    assert "acme:TiledLinear" in parts.parts_of("linear")
    assert parts.find_part("acme:TiledLinear").__name__ == "TiledLinear"
    assert set(parts.parts_of("pooling")) == {"acme:SoftPool"}
    assert parts.group_of(nn.MaxPool2d(2)) is parts.groups()["pooling"]


def test_hidden_imported_and_abstract_classes_are_no_parts_of_a_module(plugin):
    assert [name for name in parts.parts_of("linear") if name.startswith("acme:")] == ["acme:TiledLinear"]


def test_broken_files_are_told_and_stop_nothing(plugin):
    broken = parts.broken()
    assert "no_such_module_at_all" in broken["acme:broken"]
    assert "half written" in broken["acme:pooling.shattered"]
    assert "LowRankLinear" in parts.parts_of("linear")


def test_ours_are_whole():
    assert parts.broken() == {}


def test_a_group_is_found_by_the_module_it_holds():
    assert parts.group_of(nn.Linear(2, 3)).name == "linear"
    assert parts.group_of(linear.LowRankLinear(2, 3, rank=1)).name == "linear"
    assert parts.group_of(nn.Conv2d(1, 1, 1)).name == "convolution"
    assert parts.group_of(nn.ReLU()).name == "activation"
    assert parts.group_of(nn.Flatten()) is None


@pytest.mark.parametrize(
    ("call", "law"),
    [
        (lambda: parts.find_part("LowRankLinaer"), "Did you mean 'LowRankLinear'"),
        (lambda: parts.parts_of("lineal"), "Did you mean 'linear'"),
    ],
    ids=["part", "group"],
)
def test_unknown_names_suggest_the_nearest(call, law):
    with pytest.raises(UnknownName, match=law):
        call()


def test_a_groups_package_offers_its_interface_and_its_parts():
    names = set(parts.parts_of("linear")) | {"GROUP", "LinearPart"}
    assert names == set(linear.__all__) == set(dir(linear))
    assert linear.GROUP is parts.groups()["linear"]
    assert linear.LowRankLinear is parts.find_part("LowRankLinear")


def test_a_groups_package_has_no_other_names():
    with pytest.raises(AttributeError, match=r"'replank.parts.linear' has no attribute 'Linear'"):
        _ = linear.Linear


def test_example_inputs_fit_and_follow_dtype():
    layer = nn.Conv2d(2, 3, (2, 4), dtype=torch.float64)
    assert parts.group_of(layer).example_input(layer).dtype == torch.float64
    assert layer(parts.group_of(layer).example_input(layer)).ndim == 4


def test_a_part_belongs_to_the_module_that_defines_it():
    assert _exports.parts_defined_in(linear) == []
