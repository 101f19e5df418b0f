from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from replank.parts.linear import CirculantLinear, HankelLinear, StructuredLinear, ToeplitzLinear
from replank.slots import swap

SINGLE = (HankelLinear, ToeplitzLinear, CirculantLinear)
sizes = st.integers(1, 17)


def made(kind, n_in, n_out, dtype=torch.float64, **options):
    torch.manual_seed(7)
    return kind(n_in, n_out, dtype=dtype, **options)


def structured(n_in, n_out, p, mode, layout, **options):
    n_in, n_out = n_in * (p if layout == "reduce" else 1), n_out * (p if layout == "expand" else 1)
    part = made(StructuredLinear, n_in, n_out, p=p, mode=mode, layout=layout, **options)
    if mode == "scaled":
        nn.init.normal_(part.left)
        nn.init.normal_(part.right)
    return part


@settings(deadline=None, max_examples=40)
@given(kind=st.sampled_from(SINGLE), n_in=sizes, n_out=sizes)
def test_a_product_is_the_dense_matrices(kind, n_in, n_out):
    part, x = made(kind, n_in, n_out), torch.randn(3, n_in, dtype=torch.float64)
    torch.testing.assert_close(part(x), x @ part.to_dense().T + part.bias, rtol=1e-12, atol=1e-12)
    single = part.float()
    torch.testing.assert_close(single(x.float()), single.reference(x.float()), rtol=1e-5, atol=1e-5)


@settings(deadline=None, max_examples=60)
@given(
    n_in=st.integers(1, 9),
    n_out=st.integers(1, 9),
    p=st.integers(1, 4),
    mode=st.sampled_from(["scaled", "hankel"]),
    layout=st.sampled_from(["expand", "reduce", "sum"]),
)
def test_a_product_of_sub_matrices_is_the_dense_matrices(n_in, n_out, p, mode, layout):
    part = structured(n_in, n_out, p, mode, layout)
    x = torch.randn(3, part.in_features, dtype=torch.float64)
    torch.testing.assert_close(part(x), x @ part.to_dense().T + part.bias, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", [*SINGLE, StructuredLinear])
def test_large_ones_too(kind):
    part, x = made(kind, 1000, 1000), torch.randn(2, 1000, dtype=torch.float64)
    torch.testing.assert_close(part(x), part.reference(x), rtol=1e-12, atol=1e-12)
    single = part.float()
    torch.testing.assert_close(single(x.float()), part.double()(x).float(), rtol=1e-5, atol=1e-5)


def test_the_cards_numbers():
    part = HankelLinear(4, 4, bias=False, dtype=torch.float64)
    with torch.no_grad():
        part.generator.copy_(torch.tensor([1, -2, 3, 0.5, 4, -1, 2]))
    found = part(torch.tensor([1, 2, -1, 0.5], dtype=torch.float64))
    torch.testing.assert_close(found, torch.tensor([-5.75, 5.5, -0.5, 10.5], dtype=torch.float64))


@settings(deadline=None, max_examples=30)
@given(n_in=sizes, n_out=sizes)
def test_they_are_scipys(n_in, n_out):
    x = np.random.default_rng(0).normal(size=n_in)
    hankel = made(HankelLinear, n_in, n_out, bias=False)
    c = hankel.generator.detach().numpy()
    np.testing.assert_array_equal(hankel.to_dense().detach().numpy(), scipy.linalg.hankel(c[:n_out], c[n_out - 1 :]))
    toeplitz = made(ToeplitzLinear, n_in, n_out, bias=False)
    t = toeplitz.generator.detach().numpy()
    column_and_row = t[n_in - 1 :], t[n_in - 1 :: -1]
    np.testing.assert_array_equal(toeplitz.to_dense().detach().numpy(), scipy.linalg.toeplitz(*column_and_row))
    np.testing.assert_allclose(
        toeplitz(torch.from_numpy(x)).detach().numpy(), scipy.linalg.matmul_toeplitz(column_and_row, x), atol=1e-12
    )
    square = made(CirculantLinear, n_in, n_in, bias=False)
    g = square.generator.detach().numpy()
    np.testing.assert_array_equal(square.to_dense().detach().numpy(), scipy.linalg.circulant(g))


def test_the_embedding_in_a_circulant_that_the_card_writes_down():
    n_in, n_out = 5, 3
    part, x = made(HankelLinear, n_in, n_out, bias=False), torch.randn(n_in, dtype=torch.float64)
    size = 11
    c = part.generator
    g = torch.cat((c[n_in - 1 :], torch.zeros(size - len(c), dtype=c.dtype), c[: n_in - 1]))
    padded = torch.cat((x.flip(0), torch.zeros(size - n_in, dtype=x.dtype)))
    embedded = torch.fft.irfft(torch.fft.rfft(g) * torch.fft.rfft(padded), size)[:n_out]
    torch.testing.assert_close(part(x), embedded)


@settings(deadline=None, max_examples=20)
@given(n=st.integers(2, 12), m=st.integers(2, 12))
def test_the_displacement_of_a_hankel_matrix_has_rank_two(n, m):
    h = made(HankelLinear, m, n).to_dense().detach()
    down, right = torch.zeros(n, n, dtype=h.dtype), torch.zeros(m, m, dtype=h.dtype)
    down[1:, :-1] = torch.eye(n - 1, dtype=h.dtype)
    right[1:, :-1] = torch.eye(m - 1, dtype=h.dtype)
    assert torch.linalg.matrix_rank(down @ h - h @ right.T, rtol=1e-10) <= 2
    assert n == m or h.shape == (n, m)


def test_square_ones_are_symmetric():
    h = made(HankelLinear, 6, 6).to_dense()
    assert torch.equal(h, h.T)


@pytest.mark.parametrize("kind", [*SINGLE, StructuredLinear])
def test_linear_and_adjoint(kind):
    part = made(kind, 7, 5, bias=False)
    x, z = torch.randn(2, 7, dtype=torch.float64)
    y = torch.randn(5, dtype=torch.float64)
    torch.testing.assert_close(part(2 * x - 3 * z), 2 * part(x) - 3 * part(z))
    torch.testing.assert_close(part(x) @ y, x @ (part.to_dense().T @ y))
    _, pulled = torch.autograd.functional.vjp(part, x, y)  # the adjoint, by the transforms themselves
    torch.testing.assert_close(pulled, part.to_dense().T @ y)


@settings(deadline=None, max_examples=30)
@given(kind=st.sampled_from(SINGLE), n_in=st.integers(1, 9), n_out=st.integers(1, 9))
def test_from_dense_is_the_orthogonal_projection(kind, n_in, n_out):
    weight = torch.randn(n_out, n_in, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    state = torch.get_rng_state()
    part = kind.from_dense(weight, torch.ones(n_out, dtype=torch.float64))
    assert torch.equal(torch.get_rng_state(), state)
    near = part.to_dense().detach()
    for direction in (near, made(kind, n_in, n_out).to_dense().detach()):  # orthogonal to all of the space
        assert abs(float(((weight - near) * direction).sum())) < 1e-10
    torch.testing.assert_close(kind.from_dense(near).to_dense(), near)
    assert torch.equal(part.bias, torch.ones(n_out, dtype=torch.float64))


@pytest.mark.parametrize("mode", ["scaled", "hankel"])
@pytest.mark.parametrize("layout", ["expand", "reduce", "sum"])
def test_from_dense_block_by_block(mode, layout):
    weight = torch.randn(6, 6, dtype=torch.float64)
    near = StructuredLinear.from_dense(weight, p=2, mode=mode, layout=layout).to_dense().detach()
    assert abs(float(((weight - near) * near).sum())) < 1e-10
    other = made(StructuredLinear, 6, 6, p=2, mode=mode, layout=layout).to_dense().detach()  # diagonals are 1
    assert abs(float(((weight - near) * other).sum())) < 1e-10


def test_anti_diagonal_means():
    weight = torch.tensor([[1.0, 2.0], [4.0, 8.0]])
    assert HankelLinear.from_dense(weight).generator.tolist() == [1, 3, 8]
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        HankelLinear.from_dense(torch.ones(3))


@pytest.mark.parametrize(
    "build",
    [
        *(lambda gain, kind=kind: kind(64, 64, False, gain=gain) for kind in SINGLE),
        *(
            lambda gain, layout=layout, mode=mode: StructuredLinear(
                64, 64, False, p=4, mode=mode, layout=layout, gain=gain
            )
            for layout in ("expand", "reduce", "sum")
            for mode in ("scaled", "hankel")
        ),
    ],
)
def test_outputs_vary_as_promised_at_the_beginning(build):
    torch.manual_seed(0)
    x = torch.randn(16, 64)
    variance = torch.stack([build(1.5)(x).detach().square().mean() for _ in range(60)]).mean()
    assert float(variance) == pytest.approx(1.5**2, rel=0.12)


def test_counts():
    hidden = [
        StructuredLinear(48, 192, p=4, layout="expand"),
        StructuredLinear(192, 48, p=4, layout="reduce"),
    ]
    assert [each.n_parameters for each in hidden] == [4 * 192 + 192, 4 * 192 + 48]
    assert sum(each.n_parameters for each in hidden) / (2 * 48 * 192 + 240) <= 0.1
    assert HankelLinear(48, 40, False).n_parameters == 87
    assert CirculantLinear(48, 40, False).n_parameters == 48
    assert StructuredLinear(48, 40, False, p=3, mode="hankel").n_parameters == 3 * 87


def test_operations():
    fft = 2.5 * 128 * 7
    part = StructuredLinear(64, 64, p=2, layout="sum")
    each = 4 * fft + 2 * (6 * 65 + 128) + 64
    assert part.flops() == round(each + 2 * fft)
    assert part.flops(10, cached=True) == round(10 * each)
    assert ToeplitzLinear(64, 65).flops(3) == round(3 * (2 * fft + 6 * 65) + fft)
    pure = StructuredLinear(64, 64, p=2, mode="hankel", layout="sum")
    assert pure.flops(cached=True) == round(2 * fft + 2 * 6 * 65 + 2 * 65)
    assert HankelLinear(1, 1).flops() == 6


def test_the_last_number_of_a_square_scaled_generator_is_never_seen():
    part = StructuredLinear(4, 4, dtype=torch.float64)
    part(torch.randn(5, 4, dtype=torch.float64)).square().sum().backward()
    assert torch.nonzero(part.generator.grad[0] == 0).flatten().tolist() == [4]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"p": 0}, "p=0"),
        ({"p": 5, "layout": "expand"}, "p=5 must divide out_features=6"),
        ({"p": 3, "layout": "reduce"}, "p=3 must divide in_features=4"),
        ({"mode": "dense"}, "mode='dense'"),
        ({"layout": "stack"}, "layout='stack'"),
        ({"gain": 0.0}, "gain=0.0"),
    ],
)
def test_what_can_not_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        StructuredLinear(4, 6, **options)
    with pytest.raises(ValueError, match="in_features=4"):
        StructuredLinear(4, 6)(torch.ones(2, 5))


def test_it_stands_where_a_linear_layer_stands():
    host = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 2))
    swapped = swap(host, "0", lambda old: StructuredLinear.like(old, p=2, layout="expand"), example=torch.ones(1, 6))
    assert swapped(torch.ones(3, 6)).shape == (3, 2)
    assert torch.equal(swapped[2].weight, host[2].weight)


def test_a_hankel_layer_recovers_its_generator_and_beats_a_dense_one_with_few_samples():
    n, n_samples = 16, 12
    stream = torch.Generator().manual_seed(3)
    truth = made(HankelLinear, n, n, bias=False)
    x = torch.randn(n_samples, n, dtype=torch.float64, generator=stream)
    new = torch.randn(200, n, dtype=torch.float64, generator=stream)
    errors = {}
    for kind in (HankelLinear, nn.Linear):
        torch.manual_seed(0)
        model = kind(n, n, bias=False, dtype=torch.float64)
        optimiser = torch.optim.LBFGS(model.parameters(), max_iter=200, tolerance_grad=1e-12, tolerance_change=1e-14)

        def closure(model=model, optimiser=optimiser):
            optimiser.zero_grad()
            loss = (model(x) - truth(x).detach()).square().mean()
            loss.backward()
            return loss

        optimiser.step(closure)
        wanted = truth(new).detach()
        errors[kind] = float((model(new).detach() - wanted).square().mean() / wanted.square().mean())
        if kind is HankelLinear:
            torch.testing.assert_close(model.generator, truth.generator, rtol=0, atol=1e-3)
    assert errors[HankelLinear] < 1e-6 < 0.05 < errors[nn.Linear]
