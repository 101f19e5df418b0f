"""Every part of every group, with each of its examples, through the contract suite: all found by looking."""

from __future__ import annotations

import pytest

from replank.parts import groups, parts_of
from replank.testing import check_part

PARTS = [(group, kind) for group in groups().values() for kind in parts_of(group.name).values()]
CHECKS = [
    pytest.param(check, id=f"{group.name}-{kind.__name__}-{number}-{name}")
    for group, kind in PARTS
    for number, example in enumerate(kind.examples())
    for name, check in check_part(kind, example, group)
]


@pytest.mark.parametrize("check", CHECKS)
def test_contract(check):
    check()


@pytest.mark.parametrize("kind", [kind for _, kind in PARTS], ids=lambda kind: kind.__name__)
def test_no_public_part_is_untested(kind):
    assert kind.examples()


def test_the_groups_at_hand_are_found():
    assert {"linear", "convolution"} <= set(groups())
    assert {"HamiltonianReuploadLinear", "LowRankLinear"} <= set(parts_of("linear"))
    assert {"FlippedQuanv2d", "MeanConv2d"} <= set(parts_of("convolution"))
