from __future__ import annotations

import copy
import pickle

import pytest
import torch
from cutting_cases import F64, last_before, ry_chain

from replank.circuits import QuantumLayer, X, Z
from replank.circuits.cutting import CutQuantumLayer, counting_executions
from replank.errors import CircuitCutError, UsageError
from replank.seeding import isolated, torch_stream

CHAIN = ry_chain(6)
CUTS = [last_before(CHAIN, 2, 1)]
OBSERVABLES = [Z(5), X(1) @ Z(4)]


def both(observables=OBSERVABLES, **options):
    layers = []
    for make in (
        lambda: QuantumLayer(CHAIN, observables, dtype=F64),
        lambda: CutQuantumLayer(CHAIN, observables, CUTS, dtype=F64, **options),
    ):
        with isolated(0, "layer"):
            layers.append(make())
    return layers


@pytest.mark.parametrize("basis", ["states", "eigen"])
@pytest.mark.parametrize("observables", [OBSERVABLES, Z(5)], ids=["several", "one"])
@pytest.mark.parametrize("lead", [(), (3,), (2, 3), (0,)], ids=str)
def test_the_cut_layer_is_the_uncut_one(basis, observables, lead):
    whole, parts = both(observables, basis=basis)
    features = torch.randn(*lead, 1, dtype=F64, generator=torch_stream(0))
    torch.testing.assert_close(parts(features), whole(features), rtol=0, atol=1e-10)
    assert torch.equal(parts.theta, whole.theta)  # drawn from the same stream


def test_states_are_exchanged_both_ways():
    whole, parts = both()
    features = torch.randn(3, 1, dtype=F64, generator=torch_stream(1))
    for one, other in ((whole, parts), (parts, whole)):
        one.reset_parameters()
        other.load_state_dict(one.state_dict())
        torch.testing.assert_close(other(features), one(features), rtol=0, atol=1e-10)
    assert list(whole.state_dict()) == list(parts.state_dict())


def test_copies_run_the_same_fragments():
    _, parts = both()
    features = torch.randn(3, 1, dtype=F64, generator=torch_stream(2))
    for twin in (copy.deepcopy(parts), pickle.loads(pickle.dumps(parts))):
        with counting_executions() as count:
            assert torch.equal(twin(features), parts(features))
        assert (count.executions, count.widest) == (2 * 7, 4)


def test_gradcheck_of_the_cut_layer():
    _, parts = both()
    features = torch.randn(2, 1, dtype=F64, generator=torch_stream(3), requires_grad=True)
    theta = parts.theta.detach().clone().requires_grad_()

    def run(features, theta):
        return torch.func.functional_call(parts, {"theta": theta}, (features,))

    assert torch.autograd.gradcheck(run, (features, theta))


def test_the_whole_layer_and_another_circuit_keep_the_parameters():
    whole, parts = both()
    features = torch.randn(3, 1, dtype=F64, generator=torch_stream(4))
    uncut = parts.whole()
    with counting_executions() as count:
        assert torch.equal(uncut(features), whole(features))
    assert count.executions == 0
    assert uncut.theta is parts.theta
    assert parts.with_circuit(CHAIN.copy())(features).shape == (3, 2)
    assert "fragments=[3, 4]" in repr(parts)
    assert "fragments=uncut" in repr(uncut)
    with pytest.raises(CircuitCutError, match="wire 2 can be cut after"):
        parts.with_circuit(type(CHAIN)(6, [each for each in CHAIN if len(each.wires) == 1]))


def test_layers_on_devices():
    _, parts = both()
    features = torch.randn(3, 1, dtype=F64, generator=torch_stream(5))
    exact = parts(features)
    by_shift = parts.on(gradient="parameter_shift")(features)
    torch.testing.assert_close(by_shift, exact, rtol=0, atol=1e-10)
    gradients = [torch.autograd.grad(values.sum(), parts.theta)[0] for values in (exact, by_shift)]
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-8)
    with torch.no_grad():
        noisy = parts.on(shots=100_000, generator=torch_stream(6))(features)
        on_one = parts.whole().on(shots=100_000, generator=torch_stream(6))(features)
    torch.testing.assert_close(noisy, exact, rtol=0, atol=0.05)
    torch.testing.assert_close(on_one, exact, rtol=0, atol=0.02)
    with pytest.raises(UsageError, match="autograd sees neither shots"):
        parts.on(shots=10)(features)
    with pytest.raises(ValueError, match="got trajectories=5"):
        parts.on(trajectories=5)
    with pytest.raises(ValueError, match="an executor for an uncut layer"):
        parts.whole().on(executor=object())
