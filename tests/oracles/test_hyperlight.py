"""Our hypernetworks are hyperlight's, weight by weight."""

from __future__ import annotations

import pytest
import torch

from replank.parts.hypernetwork import HyperNetwork, encode_hyper_input

hyperlight = pytest.importorskip("hyperlight")

IN = {"gamma": (2,), "alpha": (3,)}
OUT = {"conv.weight": (4, 2, 3, 3), "conv.bias": (4,), "fc.weight": (3, 8), "fc.bias": (3,)}


def copied(encoding, residual):
    """hyperlight's network and ours with its weights."""
    torch.manual_seed(0)
    theirs = hyperlight.HyperNet(dict(IN), dict(OUT), [16, 32], encoding=encoding, init_independent_weights=residual)
    ours = HyperNetwork(IN, OUT, (16, 32), encoding, residual)
    values = iter(theirs.state_dict().values())
    ours.load_state_dict({name: next(values) for name in ours.state_dict()})
    return theirs, ours


@pytest.mark.parametrize("encoding", [None, "cos|sin", "z|1-z"])
@pytest.mark.parametrize("residual", [True, False])
def test_equal_outputs_with_equal_weights(encoding, residual):
    theirs, ours = copied(encoding, residual)
    gamma, alpha = torch.rand(5, 2), torch.rand(5, 3)
    expected, found = theirs(gamma=gamma, alpha=alpha), ours(gamma=gamma, alpha=alpha)
    assert list(found) == list(expected)
    for name in expected:
        torch.testing.assert_close(found[name], expected[name])
    single, alone = theirs(gamma=gamma[0], alpha=alpha[0]), ours(gamma=gamma[0], alpha=alpha[0])
    for name in expected:
        torch.testing.assert_close(alone[name], single[name])


def test_equal_independent_weights():
    theirs, ours = copied("cos|sin", True)
    expected = theirs.get_independent_weights()
    for name, values in ours.independent_parameters().items():
        assert torch.equal(values, expected[name])


@pytest.mark.parametrize("mode", [None, "cos|sin", "z|1-z"])
def test_equal_encodings(mode):
    from hyperlight.hypernet.encoding import encode_input

    gamma = torch.rand(4, 3)
    torch.testing.assert_close(encode_hyper_input(gamma, mode), encode_input(gamma, mode))


def test_equal_spread_at_the_start():
    torch.manual_seed(0)
    theirs = hyperlight.HyperNet({"gamma": (4,)}, {"w.weight": (40, 50), "w.bias": (7,), "v.weight": (5, 6)}, [64, 500])
    ours = HyperNetwork({"gamma": (4,)}, theirs.output_shapes, (64, 500), "cos|sin", True)
    pairs = zip(theirs.state_dict().values(), ours.state_dict().values(), strict=True)
    for expected, found in pairs:
        assert float(found.std()) == pytest.approx(float(expected.std()), rel=0.15)
