"""Torch's values, stated fans, what a hypernetwork's last layer comes to, and swaps of initialisers."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from replank.errors import InterfaceMismatch, SlotError
from replank.parts.hypernetwork import HyperNetwork
from replank.parts.initialiser import fans
from replank.parts.initialiser.bias_hyper import BiasHyperInitialiser
from replank.parts.initialiser.hyperfan_in import HyperfanInInitialiser
from replank.parts.initialiser.kaiming_normal import KaimingNormalInitialiser
from replank.parts.initialiser.kaiming_uniform import KaimingUniformInitialiser
from replank.parts.initialiser.orthogonal import OrthogonalInitialiser
from replank.parts.initialiser.per_tensor_fan_out import PerTensorFanOutInitialiser
from replank.parts.initialiser.xavier_normal import XavierNormalInitialiser
from replank.parts.initialiser.xavier_uniform import XavierUniformInitialiser
from replank.parts.initialiser.zeros import ZerosInitialiser
from replank.slots import reinitialise


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    ("initialiser", "torchs"),
    [
        (KaimingNormalInitialiser(mode="fan_out", a=0.2), lambda w: nn.init.kaiming_normal_(w, 0.2, "fan_out")),
        (KaimingUniformInitialiser(nonlinearity="relu"), lambda w: nn.init.kaiming_uniform_(w, nonlinearity="relu")),
        (XavierNormalInitialiser(gain=2.0), lambda w: nn.init.xavier_normal_(w, 2.0)),
        (XavierUniformInitialiser(), nn.init.xavier_uniform_),
        (OrthogonalInitialiser(), nn.init.orthogonal_),
    ],
)
def test_values_are_torchs(initialiser, torchs):
    for shape in ((5, 7), (4, 3, 3, 3)):
        ours = initialiser(torch.empty(shape), generator())
        with torch.random.fork_rng():
            torch.manual_seed(0)
            assert torch.equal(ours, torchs(torch.empty(shape)))


def test_fans_of_a_convolution():
    assert fans((16, 3, 5, 5)) == (75, 400)
    with pytest.raises(ValueError, match=r"\(4,\)"):
        fans((4,))


def test_torchs_own_layers_start_from_kaiming_uniform_with_slope_root_five():
    variance = KaimingUniformInitialiser(a=5**0.5).variance((8, 20))
    assert float(variance) == pytest.approx(1 / (3 * 20))


def test_orthogonal_rows_are_orthogonal():
    weight = OrthogonalInitialiser(gain=3.0)(torch.empty(4, 2, 3, dtype=torch.float64), generator()).flatten(1)
    torch.testing.assert_close(weight @ weight.T, 9 * torch.eye(4, dtype=torch.float64))


@pytest.mark.parametrize("kind", [XavierNormalInitialiser, XavierUniformInitialiser, OrthogonalInitialiser])
@pytest.mark.parametrize("gain", [0.0, -1.0, float("nan"), float("inf")])
def test_a_gain_must_be_positive(kind, gain):
    with pytest.raises(ValueError, match="gain"):
        kind(gain=gain)


def test_bad_options():
    with pytest.raises(ValueError, match="fan_both"):
        KaimingNormalInitialiser(mode="fan_both")
    with pytest.raises(ValueError, match="nonlinearity"):
        KaimingNormalInitialiser(nonlinearity="swoosh")
    with pytest.raises(ValueError, match="shapes"):
        BiasHyperInitialiser({"a": (0, 3)})
    with pytest.raises(ValueError, match="square"):
        HyperfanInInitialiser({"a": (2, 3)}, square=0.0)
    with pytest.raises(ValueError, match="'norm'"):
        HyperfanInInitialiser({"norm": (3,)})


SHAPES = {"a.weight": (6, 4, 3, 3), "a.bias": (6,), "b.weight": (5, 6)}


def test_fan_out_by_tensor_does_not_mix_them():
    """As if the rows of each tensor were a layer, and not as one layer of all rows."""
    gain = 2 / (1 + 0.01**2)
    variance = PerTensorFanOutInitialiser(SHAPES).variance((216 + 6 + 30, 8)).flatten()
    assert variance[:216].unique().tolist() == pytest.approx([gain / 216])
    assert not variance[216:222].any()
    assert variance[222:].unique().tolist() == pytest.approx([gain / 30])


def test_hyperfan_in_gives_predicted_weights_kaimings_variance():
    """Over draws of the last layer, weights vary by half of 2 / fan in (biases give the other half)."""
    hidden = torch.rand(64, generator=generator(1), dtype=torch.float64) + 0.2
    initialiser = HyperfanInInitialiser(SHAPES, square=float(hidden.square().mean()))
    head = torch.empty(252, 64, dtype=torch.float64)
    drawn = generator()
    predicted = torch.stack([initialiser(head, drawn) @ hidden for _ in range(400)])
    assert float(predicted[:, :216].var()) == pytest.approx(1 / 36, rel=0.03)
    assert float(predicted[:, 216:222].var()) == pytest.approx(1, rel=0.15)
    assert float(predicted[:, 222:].var()) == pytest.approx(1 / 6, rel=0.06)


def test_bias_hyper_predicts_the_usual_values_for_every_input():
    net = HyperNetwork({"gamma": (2,)}, SHAPES, (8,))
    BiasHyperInitialiser(SHAPES)(net.head, generator())
    first, second = (net(gamma=torch.tensor(gamma)) for gamma in ([0.1, 0.2], [0.9, 0.0]))
    assert all(torch.equal(first[name], second[name]) for name in SHAPES)
    assert not first["a.bias"].any()
    usual = KaimingNormalInitialiser(a=0.01)
    drawn = generator()
    for name in ("a.weight", "b.weight"):
        assert torch.equal(first[name], usual(torch.empty(SHAPES[name]), drawn))


# -- reinitialise ------------------------------------------------------------------------------------------------------


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 4), nn.Linear(4, 2)).double().eval()


def test_the_rest_stays_bit_identical_and_the_original_as_it_was():
    host = model()
    before = {name: each.clone() for name, each in host.state_dict().items()}
    stream = torch.get_rng_state()
    made = reinitialise(host, ["0", "3"], OrthogonalInitialiser(), seed=5)
    assert torch.equal(torch.get_rng_state(), stream)
    assert not made.training
    for name, each in made.state_dict().items():
        assert torch.equal(host.state_dict()[name], before[name])
        assert torch.equal(each, before[name]) == (name[0] in "12"), name


def test_slots_have_streams_of_their_own():
    alone, together = (reinitialise(model(), slots, XavierNormalInitialiser(), seed=1) for slots in ("3", ["0", "3"]))
    assert torch.equal(alone[3].weight, together[3].weight)
    twin = reinitialise(model(), nn.Linear, XavierNormalInitialiser(), seed=1)
    assert torch.equal(alone[3].weight, twin[3].weight)
    assert not torch.equal(alone[3].weight, reinitialise(model(), "3", XavierNormalInitialiser(), seed=2)[3].weight)


def test_what_can_not_be_reinitialised():
    with pytest.raises(InterfaceMismatch, match="LayerNorm"):
        reinitialise(model(), "1", ZerosInitialiser())
    with pytest.raises(InterfaceMismatch, match=r"'0'.*rows"):
        reinitialise(model(), "0", PerTensorFanOutInitialiser(SHAPES))
    with pytest.raises(SlotError, match="slot"):
        reinitialise(model(), "7", ZerosInitialiser())
    tied = model()
    tied[2].weight = nn.Parameter(torch.zeros(4, 4, dtype=torch.float64))
    tied.append(nn.Linear(4, 4, dtype=torch.float64))
    tied[4].weight = tied[2].weight
    with pytest.raises(SlotError, match=r"reinitialise.*tied"):
        reinitialise(tied, "2", ZerosInitialiser())
