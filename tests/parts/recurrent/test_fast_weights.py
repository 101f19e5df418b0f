from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from replank.circuits.plan import Plan
from replank.errors import UnknownName
from replank.parts.recurrent import FastWeights, QuantumFastWeights
from replank.seeding import isolated, torch_stream

F64 = torch.float64
KINDS = [QuantumFastWeights, FastWeights]


def build(kind, *sizes, seed=0, **options):
    with isolated(seed, "part"):
        return kind(*sizes, batch_first=True, dtype=F64, **options)


def randn(*shape, seed=0):
    return torch.randn(*shape, dtype=F64, generator=torch_stream(seed, "input"))


def close(one, other, tolerance=1e-12):
    torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


def count(module):
    return sum(each.numel() for each in module.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_the_published_configuration_has_111_parameters(kind):
    assert count(build(kind, 1, 1)) == 111


def test_twins_have_the_same_parameters_one_by_one():
    quantum, classical = (build(kind, 3, 5) for kind in KINDS)
    shapes = (
        {name: each.shape for name, each in part.named_parameters() if each.numel()} for part in (quantum, classical)
    )
    assert next(shapes) == next(shapes)


@pytest.mark.parametrize("x", [-2.0, -0.5, 0.0, 0.7, 3.0])
@pytest.mark.parametrize("entangler", ["brick", "ring"])
def test_without_a_program_the_first_value_is_minus_the_sine(x, entangler):
    """|+...+> is not changed by CNOTs, and RY(x) of the first qubit commutes with those that it controls in <Z>."""
    part = build(QuantumFastWeights, 1, 1, entangler=entangler)
    features, program = torch.tensor([[x]], dtype=F64), torch.zeros(1, 2, 8, dtype=F64)
    values = part.fast(features, program)[0]
    if entangler == "brick":
        close(values[0], -features[0, 0].sin())
        close(values[1:], torch.zeros(3, dtype=F64))
    if x == 0:
        close(values, torch.zeros(4, dtype=F64))
    assert values.abs().max() <= 1 + 1e-12


@pytest.mark.parametrize("kind", KINDS)
def test_without_decay_the_order_of_earlier_inputs_does_not_matter(kind):
    """The updates add, and each depends on its own input."""
    part, forgetful = build(kind, 2, 3), build(kind, 2, 3, decay=0.9)
    batch = randn(5, 4, 2)
    changes = []
    for order in itertools.permutations(range(3)):
        turned = batch[:, [*order, 3]]
        close(part(turned)[0][:, -1], part(batch)[0][:, -1])
        changes.append((forgetful(turned)[0][:, -1] - forgetful(batch)[0][:, -1]).abs().max())
    assert changes[0] == 0
    assert min(changes[1:]) > 1e-3


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("encoder", [False, True])
def test_updates_have_rank_one_and_add_up_with_decay(kind, encoder):
    part = build(kind, 2, 1, decay=0.7, encoder=encoder)
    batch = randn(3, 6, 2)
    updates = part.slow(batch)[1]
    assert torch.linalg.matrix_rank(updates).unique().tolist() == [1]
    shares = 0.7 ** torch.arange(5, -1, -1, dtype=F64)
    close(part(batch)[1][0], torch.einsum("t,btln->bln", shares, updates))


@pytest.mark.parametrize("decay", [1.0, 0.5])
def test_all_steps_of_all_samples_run_in_one_call(decay, monkeypatch):
    seen = []
    run = Plan.run

    def counted(plan, features, parameters, **options):
        seen.append(max(len(features), len(parameters)) * features.shape[1])
        return run(plan, features, parameters, **options)

    monkeypatch.setattr(Plan, "run", counted)
    part = build(QuantumFastWeights, 1, 1, decay=decay)
    part(randn(5, 7, 1))
    assert seen == [5 * 7 * part.n_circuits]


def test_angles_outside_the_light_cone_move_nothing():
    """Of 8 qubits and 2 layers with 4 read: 4..7 in the last layer, and 6 and 7 in the first; 18 of 111 are dead."""
    part = build(QuantumFastWeights, 1, 1)
    features, program = randn(20, 1), randn(20, 2, 8).requires_grad_()
    (gradient,) = torch.autograd.grad(part.fast(features, program).sum(), program)
    moves = gradient.abs().amax(0) > 1e-14
    assert moves.tolist() == [[True] * 6 + [False] * 2, [True] * 4 + [False] * 4]
    part(randn(20, 4, 1))[0].sum().backward()
    dead = {name: int((each.grad == 0).sum()) for name, each in part.named_parameters() if each.numel()}
    assert {name: n for name, n in dead.items() if n} == {"slow.unit_scores.weight": 16, "slow.unit_scores.bias": 2}


def test_an_encoder_bounds_the_angles_and_takes_any_number_of_features():
    part = build(QuantumFastWeights, 147, 2, encoder=True)
    latent, _ = part.slow(100 * randn(4, 147))
    assert latent.abs().max() <= torch.pi
    assert part(randn(2, 3, 147))[0].shape == (2, 3, 2)


def test_without_entanglement_each_value_is_that_of_its_own_qubit():
    """H, RY(x), RY(a), RY(b): <Z> = -sin(x + a + b)."""
    part = build(QuantumFastWeights, 2, 1, n_qubits=3, n_readout=3)
    features, program = randn(5, 2), randn(5, 2, 3)
    angles = program.sum(1) + torch.nn.functional.pad(features, (0, 1))
    for twin in (
        part.without_entanglement(),
        build(QuantumFastWeights, 2, 1, n_qubits=3, n_readout=3, unentangled=True),
    ):
        assert twin.unentangled
        close(twin.fast(features, program), -angles.sin())
    assert (part.fast(features, program) + angles.sin()).abs().max() > 1e-3
    close(part.without_entanglement().reference(randn(2, 3, 2)), part.without_entanglement()(randn(2, 3, 2))[0])


def test_a_device_gives_nearly_the_same_by_shots():
    part, batch = build(QuantumFastWeights, 1, 1, n_qubits=4), randn(3, 4, 1)
    drawn = part.on(shots=20_000, generator=torch_stream(0, "shots"))
    assert drawn.slow is part.slow
    close(drawn(batch)[0], part(batch)[0], tolerance=0.03)
    assert not torch.equal(drawn(batch)[0], part(batch)[0])


def test_the_twins_mixing_is_orthogonal_and_drawn_with_the_rest():
    part = build(FastWeights, 1, 1)
    close(part.mixing @ part.mixing.mT, torch.eye(8, dtype=F64))
    before = part.mixing.clone()
    with isolated(1, "part"):
        part.reset_parameters()
    assert not torch.equal(part.mixing, before)
    assert "mixing" in part.state_dict()


def test_a_program_is_kept_for_some_rows_and_forgotten_for_others():
    """As between the episodes of environments that run side by side."""
    part, batch = build(QuantumFastWeights, 1, 1), randn(2, 6, 1)
    _, program = part(batch[:, :3])
    output, _ = part(batch[:, 3:], program * torch.tensor([1.0, 0.0], dtype=F64).reshape(1, 2, 1, 1))
    close(output[0], part(batch)[0][0, 3:])
    close(output[1], part(batch[:, 3:])[0][1])


BAD = {
    "more features than qubits": (QuantumFastWeights, {"input_size": 9}, "n_qubits=8, got input_size=9.*encoder=True"),
    "more features than units": (FastWeights, {"input_size": 9}, "n_units=8, got input_size=9.*encoder=True"),
    "more read than there are": (QuantumFastWeights, {"n_qubits": 3}, "1..n_qubits=3, got n_readout=4"),
    "nothing read": (FastWeights, {"n_readout": 0}, "n_readout=0"),
    "no layer": (FastWeights, {"n_layers": 0}, "n_layers=0"),
    "no decay": (QuantumFastWeights, {"decay": 0.0}, "decay=0.0"),
    "growth": (QuantumFastWeights, {"decay": 1.1}, "decay=1.1"),
    "too many qubits": (QuantumFastWeights, {"n_qubits": 21}, "n_qubits=21"),
}


@pytest.mark.parametrize(("kind", "arguments", "law"), BAD.values(), ids=BAD)
def test_bad_arguments_are_refused(kind, arguments, law):
    with pytest.raises(ValueError, match=law):
        kind(**({"input_size": 1, "hidden_size": 1} | arguments), device="meta")


def test_an_unknown_entangler_is_refused():
    with pytest.raises(UnknownName, match="Did you mean 'brick'"):
        QuantumFastWeights(1, 1, entangler="bricks")


def test_it_fills_the_slot_of_an_lstm():
    part = QuantumFastWeights.like(nn.LSTM(3, 5, batch_first=True, bias=False))
    output, program = part(torch.zeros(2, 4, 3))
    assert output.shape == (2, 4, 5)
    assert program.shape == (1, 2, 2, 8)
    assert part.readout.bias is None
