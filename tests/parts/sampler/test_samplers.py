from __future__ import annotations

from itertools import pairwise
from math import inf, log, nan, pi

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from replank.parts.sampler.data_driven import DataDrivenSampler
from replank.parts.sampler.disc import DiscSampler
from replank.parts.sampler.fourier import FourierSampler
from replank.parts.sampler.kink import KinkSampler
from replank.parts.sampler.normal import NormalSampler
from replank.parts.sampler.orthogonal import OrthogonalSampler
from replank.parts.sampler.uniform_band import UniformBandSampler

F64 = torch.float64
N = 20_000
BANDED = [UniformBandSampler, DiscSampler, FourierSampler, lambda lam, **o: KinkSampler(lam, 0.0, 1.0, **o)]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# -- distributions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sobol", [False, True])
def test_a_uniform_band_has_the_moments_of_a_box(sobol):
    a, b = UniformBandSampler(3.0, sobol=sobol)(N, 2, generator())
    for each in (a[:, 0], a[:, 1], b):
        assert each.abs().max().item() <= 3
        assert each.mean().item() == pytest.approx(0, abs=0.06)
        assert each.square().mean().item() == pytest.approx(3.0, rel=0.03)  # lam^2 / 3
    assert (a[:, 0] * b).mean().item() == pytest.approx(0, abs=0.1)


def test_a_disc_is_uniform_in_its_area():
    for m in (1, 2, 3):
        lengths = DiscSampler(2.0)(N, m, generator()).a.norm(dim=1)
        assert lengths.max().item() <= 2
        # a share r^m of the ball lies within r times its radius
        assert (lengths < 1).double().mean().item() == pytest.approx(0.5**m, abs=0.015)


def test_in_one_dimension_a_disc_is_a_uniform_band():
    for each in (UniformBandSampler(2.0), DiscSampler(2.0)):
        quantiles = each(N, 1, generator()).a.flatten().quantile(torch.tensor([0.1, 0.5, 0.9], dtype=F64))
        torch.testing.assert_close(quantiles, torch.tensor([-1.6, 0.0, 1.6], dtype=F64), rtol=0, atol=0.06)


@given(low=st.floats(-3, 0), width=st.floats(0.1, 3), m=st.integers(1, 3))
def test_every_hyperplane_of_a_kink_sampler_meets_the_box(low, width, m):
    a, b = KinkSampler(5.0, low, low + width)(50, m, generator())
    # on a box, a x is largest at the corner that the signs of a choose
    largest = (a.clamp(min=0) * (low + width) + a.clamp(max=0) * low).sum(1)
    smallest = (a.clamp(min=0) * low + a.clamp(max=0) * (low + width)).sum(1)
    assert (b <= largest + 1e-9).all()
    assert (b >= smallest - 1e-9).all()


def test_a_kink_sampler_takes_its_box_from_data():
    x = torch.tensor([[0.0, 5.0, 2.0], [1.0, 7.0, 2.0]])
    sampler = KinkSampler.around(2.0, x, sobol=True)
    assert (sampler.low, sampler.high, sampler.sobol) == ((0.0, 5.0, 1.5), (1.0, 7.0, 2.5), True)
    with pytest.raises(ValueError, match="`m` must be 3, as many as there are bounds, got m=2"):
        sampler(4, 2, generator())


def test_normal_weights_have_the_moments_of_a_normal_distribution():
    a, b = NormalSampler(2.0)(N, 1, generator())
    assert a.mean().item() == pytest.approx(0, abs=0.06)
    assert a.square().mean().item() == pytest.approx(4.0, rel=0.05)
    assert (a**4).mean().item() == pytest.approx(3 * 16, rel=0.1)
    assert b.abs().max().item() <= 2


@pytest.mark.parametrize("sampler", [FourierSampler(3.0), NormalSampler(1.0, phases=True), OrthogonalSampler(1.0)])
def test_phases_go_once_round(sampler):
    b = sampler(N, 2, generator()).b
    assert b.min().item() >= 0
    assert b.max().item() < 2 * pi
    assert torch.exp(1j * b).mean().abs().item() < 0.03


def test_orthogonal_directions_are_orthogonal_block_by_block_and_as_long_as_normal_vectors():
    m = 4
    a = OrthogonalSampler(2.0)(3 * m + 2, m, generator()).a
    for block in a.split(m):
        gram = block @ block.T
        torch.testing.assert_close(gram, gram.diagonal().diag(), rtol=0, atol=1e-12)
    lengths = OrthogonalSampler(2.0)(N, m, generator()).a.norm(dim=1)
    assert lengths.square().mean().item() == pytest.approx(4 * m, rel=0.03)


def kernel_error(sampler, d: int, seed: int) -> float:
    """Largest distance of mean products of features to the Gaussian kernel."""
    x = torch.rand(6, 4, generator=generator(9), dtype=F64)
    a, b = sampler(d, 4, generator(seed))
    z = (x @ a.T - b).cos()
    return (2 * z @ z.T / d - torch.exp(-(torch.cdist(x, x) ** 2) / 2)).abs().max().item()


def mean_error(sampler, d: int) -> float:
    return sum(kernel_error(sampler, d, seed) for seed in range(20)) / 20


def test_products_of_cosines_approach_the_gaussian_kernel_with_the_root_of_their_number():
    errors = [mean_error(NormalSampler(1.0, phases=True), d) for d in (100, 400, 1600)]
    for before, after in pairwise(errors):
        assert 1.5 < before / after < 2.7  # 2 in the mean


def paired_error(sampler, d: int) -> float:
    """Mean square distance to the kernel, of cosines and sines: without the noise of phases."""
    x = torch.rand(6, 8, generator=generator(9), dtype=F64)
    kernel, total = torch.exp(-(torch.cdist(x, x) ** 2) / 2), 0.0
    for seed in range(40):
        a, _ = sampler(d, 8, generator(seed))
        z = x @ a.T
        total += ((z.cos() @ z.cos().T + z.sin() @ z.sin().T) / d - kernel).square().mean().item()
    return total


def test_orthogonal_features_approach_it_with_less_variance():
    assert paired_error(OrthogonalSampler(1.0), 64) < 0.6 * paired_error(NormalSampler(1.0, phases=True), 64)


@pytest.mark.parametrize("build", BANDED)
def test_a_quasi_random_draw_fills_the_same_box_more_evenly(build):
    """Largest distance between the empirical and the true distribution function of the first weight."""

    def discrepancy(sobol: bool) -> float:
        sampler = build(1.0, sobol=sobol)
        gaps = []
        for seed in range(5):
            a = sampler(256, 1, generator(seed)).a.flatten().sort().values
            gaps.append(((a + 1) / 2 - (torch.arange(256) + 0.5) / 256).abs().max().item())
        return sum(gaps) / 5

    assert discrepancy(sobol=True) < 0.5 * discrepancy(sobol=False)


# -- data --------------------------------------------------------------------------------------------------------------


def step(x: torch.Tensor) -> torch.Tensor:
    return torch.tanh(50 * (x[:, 0] - 0.3))


def test_data_driven_nodes_stand_where_the_target_is_steep():
    x = torch.rand(500, 2, generator=generator(1), dtype=F64)
    a, b = DataDrivenSampler().fit(x, step(x))(200, 2, generator())
    # of each node the point in the middle of its pair lies on its hyperplane: how many cut the first axis near 0.3?
    near = lambda nodes: ((nodes.b / nodes.a[:, 0] - 0.3).abs() < 0.2).double().mean().item()  # noqa: E731
    x1 = x[:, :1]
    driven = DataDrivenSampler().fit(x1, step(x1))(200, 1, generator())
    blind = KinkSampler.around(5.0, x1)(200, 1, generator())
    assert near(driven) > 0.8 > 0.5 > near(blind)
    assert a.isfinite().all()
    assert b.isfinite().all()


def test_data_driven_nodes_rise_from_one_data_point_to_another():
    x, y = torch.tensor([[0.0, 1.0], [2.0, 1.0]], dtype=F64), torch.tensor([0.0, 1.0], dtype=F64)
    a, b = DataDrivenSampler().fit(x, y)(1, 2, generator())
    ends = (x @ a.T - b).tanh().sort(dim=0).values
    torch.testing.assert_close(ends, torch.tensor([[-0.5], [0.5]], dtype=F64))
    a, b = DataDrivenSampler(first=0.0, last=1.0).fit(x, y)(1, 2, generator())
    assert sorted((x @ a.T - b).relu()[:, 0].tolist()) == pytest.approx([0.0, 1.0])


def test_data_driven_nodes_exist_for_constant_targets_and_repeated_points():
    x = torch.tensor([[0.0], [0.0], [1.0], [1.0]], dtype=F64)
    a, _ = DataDrivenSampler().fit(x, torch.zeros(4, dtype=F64))(3, 1, generator())  # of four pairs that differ
    torch.testing.assert_close(a.abs(), torch.full((3, 1), log(3), dtype=F64))
    with pytest.raises(ValueError, match="pairs of points must differ, got 0"):
        DataDrivenSampler().fit(x[:2], torch.tensor([0.0, 1.0]))(3, 1, generator())


# -- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lam", [0.0, -1.0, inf, nan])
def test_a_band_must_be_positive_and_finite(lam):
    for build in (*BANDED, NormalSampler, OrthogonalSampler):
        with pytest.raises(ValueError, match=f"must be positive and finite, got .*={lam}"):
            build(lam)


def test_a_kink_sampler_needs_the_box_of_the_data():
    with pytest.raises(ValueError, match=r"the box of the data must be known.* KinkSampler.around\(lam, x\)"):
        KinkSampler(1.0)
    for low, high in ((1.0, 1.0), (0.0, inf), ((0.0, 0.0), (1.0,)), ((0.0, 2.0), (1.0, 1.0))):
        with pytest.raises(ValueError, match="must be finite and below `high`"):
            KinkSampler(1.0, low, high)


def test_two_equal_arguments_make_no_node():
    with pytest.raises(ValueError, match=r"must be finite and differ, got first=1.0, last=1.0"):
        DataDrivenSampler(first=1.0, last=1.0)
