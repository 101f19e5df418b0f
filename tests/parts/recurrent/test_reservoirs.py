from __future__ import annotations

import pytest
import torch
from torch import nn

from replank.parts.recurrent import EchoState, QuantumGRU, QuantumLSTM, QuantumRNN, Reservoir, SixCircuitLSTM
from replank.seeding import isolated, torch_stream

F64 = torch.float64
TORCH = [nn.RNN, nn.GRU, nn.LSTM]
QUANTUM = [QuantumRNN, QuantumGRU, QuantumLSTM, SixCircuitLSTM]


def build(kind, *sizes, seed=0, **options):
    with isolated(seed, "part"):
        return kind(*sizes, batch_first=True, dtype=F64, **options)


def randn(*shape, seed=0):
    return torch.randn(*shape, dtype=F64, generator=torch_stream(seed, "input"))


@pytest.mark.parametrize("core", TORCH)
def test_torchs_layers_are_what_they_are(core):
    """Outputs, states, and the draw from the same stream."""
    reservoir, layer = build(Reservoir, 2, 3, core=core), build(core, 2, 3)
    batch = randn(4, 5, 2)
    outputs, state = reservoir(batch)
    expected, expected_state = layer(batch)
    torch.testing.assert_close(outputs, expected)
    torch.testing.assert_close(state, expected_state)
    torch.testing.assert_close(reservoir(batch, state)[0], layer(batch, expected_state)[0])
    with isolated(1, "part"):
        reservoir.reset_parameters()
    with isolated(1, "part"):
        layer.reset_parameters()
    assert all(map(torch.equal, reservoir.parameters(), layer.parameters()))


@pytest.mark.parametrize("core", QUANTUM)
def test_a_part_as_core_is_the_frozen_part(core):
    options = {"init_scale": None, "n_layers": 1}
    reservoir = build(Reservoir, 1, 4, core=core, options=options)
    part = build(core, 1, 4, frozen=True, **options)
    batch = randn(3, 4, 1)
    assert torch.equal(reservoir(batch)[0], part(batch)[0])
    assert not any(each.requires_grad for each in (*reservoir.parameters(), *part.parameters()))


@pytest.mark.parametrize(
    "build_core",
    [
        lambda: build(Reservoir, 1, 3, core=nn.LSTM),
        lambda: build(Reservoir, 1, 3, core=QuantumGRU),
        lambda: build(EchoState, 1, 3),
        lambda: build(QuantumRNN, 1, 3, frozen=True),
    ],
    ids=["torch", "quantum", "echo-state", "frozen"],
)
def test_training_moves_the_read_out_alone(build_core):
    reservoir, readout = build_core(), nn.Linear(3, 1, dtype=F64)
    model = nn.ModuleList((reservoir, readout))
    trained = [each for each in model.parameters() if each.requires_grad]
    assert sum(each.numel() for each in trained) == 3 + 1
    before = [each.clone() for each in reservoir.parameters()]
    optimiser = torch.optim.RMSprop(trained, lr=0.01)
    losses = []
    for _ in range(20):
        optimiser.zero_grad()
        loss = (readout(reservoir(randn(8, 4, 1))[0][:, -1]) - 1).square().mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    assert all(map(torch.equal, reservoir.parameters(), before))


def test_states_can_be_kept_and_gradients_pass_through_to_what_is_trained_before():
    reservoir = build(Reservoir, 1, 3, core=QuantumRNN)
    batch = randn(4, 5, 1)
    kept = reservoir.states(batch)
    assert torch.equal(kept, reservoir(batch)[0])
    assert not reservoir(batch)[0].requires_grad
    batch.requires_grad_()
    assert not reservoir.states(batch).requires_grad
    (gradient,) = torch.autograd.grad(reservoir(batch)[0].sum(), batch)
    assert gradient.any()


@pytest.mark.parametrize("core", [nn.Linear, nn.Sequential, nn.GRU(1, 1), "GRU", None], ids=str)
def test_what_is_not_recurrent_is_refused(core):
    with pytest.raises(TypeError, match=r"`core` must be nn.RNN.*The read-out stays outside"):
        Reservoir(1, 2, core=core)


@pytest.mark.parametrize(
    ("arguments", "law"),
    [
        ({"core": nn.RNN, "options": {"nonlinearity": "relu"}}, "take no options here, got options={'nonlinearity'"),
        ({"core": QuantumRNN, "options": {"n_layers": 0}}, "QuantumRNN: .* n_layers=0"),
    ],
    ids=["of torch", "of the core"],
)
def test_options_that_do_not_fit_are_refused(arguments, law):
    with pytest.raises(ValueError, match=law):
        Reservoir(1, 2, **arguments)


# -- echo states -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("radius", [0.5, 0.9, 1.3])
def test_the_spectral_radius_is_that_asked_for(radius):
    part = build(EchoState, 2, 40, spectral_radius=radius, input_scale=0.3)
    assert torch.linalg.eigvals(part.of_state).abs().max().item() == pytest.approx(radius, rel=1e-12)
    for each in (part.of_input, part.shift):
        assert 0.25 < each.abs().max() <= 0.3


def _distances(part, steps):
    """How far apart two initial states are under the same input, after each step."""
    batch = 0.5 * randn(1, steps, 1)
    first, second = (part(batch, start)[0] for start in (torch.zeros(1, 1, 50, dtype=F64), randn(1, 1, 50).tanh()))
    return (first - second).norm(dim=-1)[0]


def test_below_one_initial_states_are_forgotten_and_a_leak_slows_it():
    fast, slow = (_distances(build(EchoState, 1, 50, leak=leak, spectral_radius=0.8), 120) for leak in (1.0, 0.2))
    assert fast[-1] < 1e-8
    assert fast[-1] < slow[-1] < slow[0]
    wild = _distances(build(EchoState, 1, 50, spectral_radius=4.0, input_scale=0.1), 120)
    assert wild[-1] > 1e-3


def test_without_recurrent_weights_a_leaky_unit_is_an_exponential_average():
    part = build(EchoState, 1, 3, leak=0.25, bias=False)
    nn.init.zeros_(part.of_state)
    batch = randn(1, 6, 1)
    driven = (batch[0] @ part.of_input.mT).tanh()
    shares = 0.25 * 0.75 ** torch.arange(5, -1, -1, dtype=F64)
    torch.testing.assert_close(part(batch)[0][0, -1], shares @ driven)


@pytest.mark.parametrize(
    ("options", "law"),
    [
        ({"spectral_radius": 0.0}, "spectral_radius=0.0"),
        ({"spectral_radius": float("nan")}, "spectral_radius=nan"),
        ({"input_scale": -1.0}, "input_scale=-1.0"),
        ({"leak": 0.0}, "leak=0.0"),
        ({"leak": 1.5}, "leak=1.5"),
    ],
    ids=str,
)
def test_bad_arguments_are_refused(options, law):
    with pytest.raises(ValueError, match=law):
        EchoState(1, 2, **options)
