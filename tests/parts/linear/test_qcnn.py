"""What the contract suite does not ask of the chain of blocks, whole and cut."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from replank.circuits import Circuit, theta, x
from replank.circuits.cutting import counting_executions
from replank.errors import CircuitCutError, UsageError
from replank.parts.linear import CutQCNNLayer, QCNNLayer
from replank.seeding import isolated, torch_stream

F64 = torch.float64
EXACT = {"rtol": 0, "atol": 1e-10}


def both() -> list[QCNNLayer]:
    layers = []
    for kind in (QCNNLayer, CutQCNNLayer):
        with isolated(0, "part"):
            layers.append(kind(8, 8, bias=False, dtype=F64))
    return layers


def angles(n_samples: int, n: int = 8, seed: int = 0) -> torch.Tensor:
    return torch.empty(n_samples, n, dtype=F64).uniform_(-math.pi, math.pi, generator=torch_stream(seed))


def test_the_circuit_is_the_one_of_the_definition():
    circuit = Circuit(3)
    for wire in range(3):
        circuit.h(wire).ry(x[wire], wire)
    for block in range(2):
        circuit.ry(theta[2 * block], block).ry(theta[2 * block + 1], block + 1).cnot(block, block + 1)
    layer = QCNNLayer(3, 3, bias=False, dtype=F64)
    features = angles(5, 3)
    expected = circuit.plan()(features, layer.layer.theta)
    torch.testing.assert_close(layer(features), expected, **EXACT)


def test_fourteen_angles_or_two_shared_ones():
    assert sum(each.numel() for each in QCNNLayer(8, 8, bias=False).parameters()) == 14
    shared = QCNNLayer(8, 8, bias=False, shared=True, dtype=F64)
    assert shared.layer.theta.shape == (2,)
    own = QCNNLayer(8, 8, bias=False, dtype=F64)
    with torch.no_grad():
        own.layer.theta.copy_(shared.layer.theta.repeat(7))
    torch.testing.assert_close(own(angles(3)), shared(angles(3)), **EXACT)


@pytest.mark.parametrize(
    "options",
    [{}, {"basis": "eigen"}, {"skip_zero_y": True}, {"n_fragments": 3}, {"n_fragments": 7}, {"n_layers": 2}],
    ids=str,
)
def test_cut_and_uncut_give_the_same_values_and_gradients_and_exchange_states(options):
    layers = {"n_layers": options.get("n_layers", 1)}
    with isolated(1, "part"):
        whole = QCNNLayer(8, 8, dtype=F64, **layers)
    with isolated(2, "part"):
        parts = CutQCNNLayer(8, 8, dtype=F64, **options)
    parts.load_state_dict(whole.state_dict())
    whole.load_state_dict(parts.state_dict())
    features, weights = angles(4).requires_grad_(), torch.linspace(1, 2, 8, dtype=F64)
    found = [torch.autograd.grad((each(features) * weights).sum(), (features, *each.parameters())) for each in
             (whole, parts)]  # fmt: skip
    torch.testing.assert_close(parts(features), whole(features), **EXACT)
    torch.testing.assert_close(found[0], found[1], rtol=0, atol=1e-8)


def test_eight_qubits_are_run_on_four_and_five():
    whole, parts = both()
    assert [fragment.width for fragment in parts.pieces.fragments] == [4, 5]
    assert parts.cut_wires() == [3]
    with counting_executions() as count:
        parts(angles(2))
    assert (count.executions, count.widest, count.simulated) == (7, 5, 5)
    assert parts.uncut().pieces is None
    assert torch.equal(parts.layer.theta, whole.layer.theta)  # drawn from the same stream


@pytest.mark.parametrize("n", range(3, 14))
def test_every_number_of_fragments_gives_fragments_of_nearly_one_size(n):
    for n_fragments in range(2, n):
        layer = CutQCNNLayer(n, n, n_fragments=n_fragments)
        widths = [fragment.width for fragment in layer.pieces.fragments]
        assert len(widths) == n_fragments
        assert sum(widths) == n + n_fragments - 1
        assert max(widths) - min(widths) <= 2


def test_a_wide_chain_needs_no_wide_state():
    layer = CutQCNNLayer(30, 2, bias=False, n_fragments=6, max_width=6, dtype=F64)
    with counting_executions() as count:
        values = layer(angles(2, 30))
    assert count.simulated <= 6
    assert values.shape == (2, 2)
    assert values.abs().max() <= 1


def test_without_entanglement_each_output_is_a_sine_of_its_own_feature():
    for layer in both():
        plain = layer.without_entanglement()
        theta, features = layer.layer.theta.detach(), angles(4)
        offsets = torch.zeros(8, dtype=F64)
        offsets[:7] += theta[0::2]
        offsets[1:] += theta[1::2]
        torch.testing.assert_close(plain(features), -(features + offsets).sin(), **EXACT)
        assert torch.equal(plain.layer.theta, layer.layer.theta)


def test_devices_and_shots():
    whole, parts = both()
    features, stream = angles(3), torch_stream(0, "shots")
    with torch.no_grad():
        for layer in (whole.on(shots=200_000, generator=stream), parts.on(shots=200_000, generator=stream)):
            assert layer is not whole
            torch.testing.assert_close(layer(features), whole(features), rtol=0, atol=0.03)
    with pytest.raises(UsageError, match="autograd sees neither shots"):
        parts.on(shots=10)(features)


# -- bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", both(), ids=["whole", "cut"])
def test_input_that_does_not_fit(layer):
    with pytest.raises(ValueError, match="must be in_features=8, got 9 features"):
        layer(torch.zeros(2, 9, dtype=F64))
    for bad in (math.nan, math.inf):
        with pytest.raises(ValueError, match="must be finite"):
            layer(torch.full((2, 8), bad, dtype=F64))
    with pytest.raises(TypeError, match=r"torch\.int64"):
        layer(torch.zeros(2, 8, dtype=torch.int64))


@pytest.mark.parametrize(
    ("build", "error", "law"),
    [
        (lambda: QCNNLayer(1, 1), ValueError, "from 2 qubits to 20, got in_features=1"),
        (lambda: QCNNLayer(21, 1), ValueError, "from 2 qubits to 20, got in_features=21"),
        (lambda: QCNNLayer(3, 4), ValueError, "got out_features=4 for in_features=3"),
        (lambda: QCNNLayer(3, 3, n_layers=0), ValueError, "got n_layers=0"),
        (lambda: QCNNLayer(3, 3, init_scale=-1.0), ValueError, "init_scale=-1"),
        (lambda: CutQCNNLayer(2, 2), ValueError, "got in_features=2. Take 3 or more"),
        (lambda: CutQCNNLayer(4, 4, n_fragments=1), ValueError, "got n_fragments=1 for in_features=4"),
        (lambda: CutQCNNLayer(4, 4, n_fragments=4), ValueError, "got n_fragments=4 for in_features=4"),
        (lambda: CutQCNNLayer(8, 8, max_width=4), CircuitCutError, r"max_width=4 qubits, got fragments of \[4, 5\]"),
        (
            lambda: CutQCNNLayer(4, 4, n_layers=3, skip_zero_y=True),
            CircuitCutError,
            "two cut wires that end in one fragment",
        ),
        (lambda: CutQCNNLayer.like(nn.ReLU()), TypeError, "got ReLU"),
    ],
)
def test_layers_that_can_not_be(build, error, law):
    with pytest.raises(error, match=law):
        build()
