from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from replank import Swap, compare, part, parts, swap
from replank.errors import InterfaceMismatch, UnknownName
from replank.lab.report.overview import replacement_rows
from replank.parts.recurrent import (
    GROUP,
    EchoState,
    FastWeights,
    LowRankRecurrent,
    QuantumFastWeights,
    QuantumGRU,
    QuantumLSTM,
    QuantumRNN,
    RecurrentPart,
)
from replank.seeding import isolated, torch_stream

F64 = torch.float64
LAYERS = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


def count(module: nn.Module) -> int:
    return sum(each.numel() for each in module.parameters())


def randn(*shape, seed=0):
    return torch.randn(*shape, dtype=F64, generator=torch_stream(seed, "input"))


def test_torchs_layers_belong_to_the_group():
    for layer in LAYERS.values():
        assert parts.group_of(layer(2, 3)) is GROUP
    assert {"EchoState", "FastWeights", "QuantumFastWeights", "QuantumGRU", "QuantumLSTM", "QuantumRNN",
            "Reservoir", "SixCircuitLSTM"} <= set(parts.parts_of("recurrent"))  # fmt: skip


# -- the classical rival -----------------------------------------------------------------------------------------------


@given(
    layer=st.sampled_from(sorted(LAYERS)),
    n_in=st.integers(1, 5),
    hidden=st.integers(1, 5),
    bias=st.booleans(),
    budget=st.integers(0, 300),
)
def test_same_size_is_the_strongest_that_fits_with_the_same_state(layer, n_in, hidden, bias, budget):
    old = LAYERS[layer](n_in, hidden, bias=bias, batch_first=True)
    weakest = "lstm" if layer == "lstm" else "rnn"
    rows = hidden * (4 if layer == "lstm" else 1)
    smallest = rows + n_in + hidden + rows * bias
    full = {name: count(kind(n_in, hidden, bias=bias)) for name, kind in LAYERS.items()}
    if budget < min(smallest, full[weakest]):
        with pytest.raises(ValueError, match=f"has {smallest} parameters, got budget={budget}"):
            GROUP.same_size(old, budget)
        return
    rival = GROUP.same_size(old, budget)
    assert count(rival) <= budget
    batch = torch.zeros(2, 3, n_in)
    output, state = rival(batch)
    expected, expected_state = old(batch)
    assert output.shape == expected.shape
    assert isinstance(state, tuple) == isinstance(expected_state, tuple)
    candidates = ("lstm",) if layer == "lstm" else ("gru", "rnn")
    fitting = [name for name in candidates if full[name] <= budget]
    if fitting:
        assert type(rival) is LAYERS[fitting[0]]
    else:
        assert isinstance(rival, LowRankRecurrent)
        assert count(rival) + rows + n_in + hidden > budget or rival.rank == min(rows, n_in + hidden)


def test_a_state_like_no_layers_leaves_all_of_them():
    part_ = QuantumFastWeights(1, 3)
    assert type(GROUP.same_size(part_, 10_000)) is nn.LSTM
    assert type(GROUP.same_size(part_, 60)) is nn.GRU
    assert type(GROUP.same_size(QuantumLSTM(1, 3), 10_000)) is nn.LSTM
    assert type(GROUP.same_size(EchoState(1, 3), 10_000)) is nn.GRU


@pytest.mark.parametrize("cell", LAYERS)
@pytest.mark.parametrize("bias", [True, False])
def test_low_rank_layers_are_torchs_with_other_weights(cell, bias):
    with isolated(0, "part"):
        made = LowRankRecurrent(3, 4, cell=cell, rank=2, bias=bias, dtype=F64)
        layer = LAYERS[cell](3, 4, bias=bias, dtype=F64)
    with torch.no_grad():
        for own, dense in zip(layer.parameters(), made.dense_weights(), strict=True):
            own.copy_(dense)
    batch = randn(5, 2, 3)
    output, state = made(batch)
    torch.testing.assert_close((output, state), layer(batch))
    torch.testing.assert_close(made.reference(batch), output)
    weight = torch.cat(made.dense_weights()[:2], 1)
    assert torch.linalg.matrix_rank(weight) == 2


@pytest.mark.parametrize("cell", LAYERS)
def test_low_rank_weights_start_at_the_scale_of_torchs(cell):
    with isolated(0, "part"):
        weight = torch.cat(LowRankRecurrent(100, 100, cell=cell, rank=20).dense_weights()[:2], 1)
        expected = LAYERS[cell](100, 100).weight_hh_l0.var().item()
    assert weight.var().item() == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize(("cell", "rank", "most"), [("rnn", 4, 3), ("gru", 6, 5), ("lstm", 0, 5)])
def test_a_rank_out_of_range_is_refused(cell, rank, most):
    with pytest.raises(ValueError, match=rf"1..{most} .*got rank={rank}"):
        LowRankRecurrent(2, 3, cell=cell, rank=rank)


def test_an_unknown_cell_is_refused():
    with pytest.raises(UnknownName, match="Did you mean 'gru'"):
        LowRankRecurrent(2, 3, cell="grus", rank=1)


# -- in models ---------------------------------------------------------------------------------------------------------


class Forecast(nn.Module):
    """The last output of a recurrent layer, read out."""

    def __init__(self, core=None):
        super().__init__()
        self.core = core or nn.LSTM(1, 3, batch_first=True)
        self.head = nn.Linear(3, 1)

    def forward(self, x):
        output, _ = self.core(x)
        return self.head(output[:, -1])


class OfTheCell(Forecast):
    """What the cell holds in the end, read out."""

    def forward(self, x):
        _, (_, cell) = self.core(x)
        return self.head(cell[-1])


class FromAState(Forecast):
    """The model makes the state in which the layer begins."""

    def forward(self, x):
        begin = x.new_zeros(self.core.num_layers, len(x), self.core.hidden_size)
        return self.head(self.core(x, (begin, begin))[0][:, -1])


class Packing(Forecast):
    """The model packs its sequences."""

    def forward(self, x):
        return self.head(self.core(pack_padded_sequence(x, [x.shape[1]] * len(x), batch_first=True))[1][0][-1])


SEQUENCES = torch.zeros(2, 4, 1)


@pytest.mark.parametrize("model", [Forecast, OfTheCell, FromAState])
def test_a_part_with_the_same_state_fills_any_slot(model):
    swapped = swap(model(), "core", part(QuantumLSTM, init_scale=None), example=SEQUENCES)
    assert swapped(SEQUENCES).shape == (2, 1)
    assert swapped.core.batch_first


@pytest.mark.parametrize("kind", [QuantumRNN, QuantumGRU, QuantumFastWeights, FastWeights, EchoState, nn.GRU])
def test_a_part_with_another_state_fills_a_slot_whose_outputs_alone_are_used(kind):
    replacement = part(kind) if issubclass(kind, RecurrentPart) else nn.GRU(1, 3, batch_first=True)
    assert swap(Forecast(), "core", replacement, example=SEQUENCES)(SEQUENCES).shape == (2, 1)
    for model, law in (
        (OfTheCell, "the model must take what the new part in 'core' gives"),
        (FromAState, "refuses it"),
    ):
        with pytest.raises(InterfaceMismatch, match=law):
            swap(model(), "core", replacement, example=SEQUENCES)


def test_outputs_of_another_size_fill_no_slot():
    with pytest.raises(InterfaceMismatch, match=r"gives \(2, 4, 2\)"):
        swap(Forecast(), "core", QuantumRNN(1, 2, batch_first=True), example=SEQUENCES)


def test_a_model_that_packs_its_sequences_is_told_how_to_go_without():
    with pytest.raises(InterfaceMismatch, match=r"refuses it: QuantumLSTM: .* pad_packed_sequence"):
        swap(Packing(), "core", QuantumLSTM, example=SEQUENCES)


@pytest.mark.parametrize(
    ("options", "law"),
    [
        ({"num_layers": 2}, "num_layers=2. Chain"),
        ({"bidirectional": True}, "bidirectional=True"),
        ({"proj_size": 2}, "proj_size=2"),
        ({"num_layers": 2, "dropout": 0.1}, "num_layers=2"),
    ],
    ids=["layers", "directions", "projection", "dropout"],
)
def test_layers_that_can_not_be_expressed_are_refused(options, law):
    with pytest.raises(InterfaceMismatch, match=law):
        swap(nn.Sequential(nn.LSTM(2, 3, **options)), "0", QuantumLSTM)


def test_compare_with_all_controls():
    x = randn(24, 4, 1).float()
    comparison = compare(
        Forecast,
        {"quantum": Swap("core", part(QuantumLSTM, init_scale=None))},
        ((x[:16], x[:16, -1]), (x[16:], x[16:, -1])),
        task="regression",
        controls=["frozen", "same-size", "unentangled"],
        seeds=1,
        epochs=1,
        progress=False,
    )
    assert not comparison.failures
    assert set(comparison.frame["arm"]) == {
        "host",
        "quantum",
        "quantum, frozen",
        "quantum, same-size",
        "quantum, unentangled",
    }


def test_the_overview_lists_the_group_and_says_what_does_not_fit():
    rows = {row["part"]: row for row in replacement_rows("LSTM(1, 3)")}
    assert (rows["LSTM"]["parameters"], rows["QuantumLSTM"]["parameters"]) == (72, 96)
    assert rows["LowRankRecurrent"]["why not"] == "depends on rank, which you choose"
    assert "n_qubits=4" in {row["part"]: row for row in replacement_rows("LSTM(32, 64)")}["QuantumLSTM"]["why not"]


# -- precision and layout ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [QuantumLSTM, QuantumFastWeights, EchoState, FastWeights])
def test_half_precision_parameters(kind):
    with isolated(0, "part"):
        made = kind(1, 3, batch_first=True)
    batch = randn(2, 3, 1).float()
    half = made.to(torch.bfloat16)
    output, _ = half(batch.bfloat16())
    assert output.dtype == torch.bfloat16
    torch.testing.assert_close(output.float(), half.float()(batch)[0], rtol=0.05, atol=0.05)


@pytest.mark.parametrize("shape", [(4,), (2, 3, 4, 1), (2, 3, 2), (2, 0, 1)], ids=str)
def test_inputs_of_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"F = input_size=1 and at least one step, got shape"):
        QuantumRNN(1, 2, batch_first=True)(torch.zeros(shape))


def test_a_state_of_another_part_is_refused():
    _, state = nn.LSTM(1, 2)(torch.zeros(3, 4, 1))
    with pytest.raises(TypeError, match=r"`hx` must be a tensor, got a tuple of 2\. Another part's state"):
        QuantumGRU(1, 2)(torch.zeros(3, 4, 1), state)
    with pytest.raises(TypeError, match="`hx` must be a tuple of 2 tensors, got a tensor"):
        QuantumLSTM(1, 2)(torch.zeros(3, 4, 1), state[0])
