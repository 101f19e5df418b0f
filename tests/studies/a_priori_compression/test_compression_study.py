from __future__ import annotations

import fnmatch
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from replank.datasets import load, simulations
from replank.dynamics.wave_fe import WaveFE2D
from replank.errors import DataError
from replank.lab.records import Records
from replank.lab.trial import Measurements, Record, Trial, TrialKey
from replank.measure import conv_macs, count_parameters
from replank.parts.convolution import LowRankConv2d, SeparableFilterConv2d
from replank.seeding import isolated
from replank.studies.a_priori_compression import STUDY
from replank.studies.a_priori_compression import waves as waves_module
from replank.studies.a_priori_compression.arms import decomposed, network, swapped_weights
from replank.studies.a_priori_compression.costs import COLUMNS, layer
from replank.studies.a_priori_compression.fitting import _gap_at_level
from replank.studies.a_priori_compression.network import Known, Shape, WaveNet
from replank.studies.a_priori_compression.rollout import energy_drift, rollout, steps
from replank.studies.a_priori_compression.settings import SCALES, CompressionSettings, World
from replank.studies.a_priori_compression.task import WaveFields, relative_errors
from replank.studies.a_priori_compression.trial import one_shot, run, space_time
from replank.studies.a_priori_compression.waves import at_nodes, element_speed, simulated, waves

TINY = SCALES["smoke"].protocols["one-shot"].settings.world
SMALL = SCALES["small"].protocols["one-shot"]


@pytest.fixture(autouse=True)
def _a_cache_of_its_own(tmp_path_factory, monkeypatch):
    monkeypatch.setattr(simulations, "cache_folder", lambda: tmp_path_factory.getbasetemp() / "waves")


def record_of(arm, protocol="one-shot", seed=0, **overrides) -> Record:
    settings = SCALES["smoke"].protocols[protocol].resolve(arm, "generated", overrides)
    key = TrialKey(STUDY.slug, "smoke", protocol, "generated", arm, seed, "", "", "", 1)
    trial = Trial(key, STUDY.arm(arm), settings, load("generated"), torch.device("cpu"), lambda *_: None)
    return Record(key, "done", run(trial), {}, 0.0, 0.0, 0.0)


def measured(*args, **kwargs) -> Measurements:
    return record_of(*args, **kwargs).measurements


# -- data --------------------------------------------------------------------------------------------------------------


def test_frames_are_the_solvers():
    split = waves(TINY)
    x0, y0, width, *disc = split.test.parameters[1]
    axis = np.linspace(0, 1, TINY.n + 1)
    start = np.outer(axis * (1 - axis), axis * (1 - axis)) * 16
    start *= np.exp(-((axis[None] - x0) ** 2 + (axis[:, None] - y0) ** 2) / (2 * width**2))
    np.testing.assert_allclose(split.test.start[1], start, rtol=1e-6)
    speed = element_speed(TINY.n, *disc)
    motion = WaveFE2D(TINY.n, speed).newmark(start, 0 * start, TINY.dt, TINY.n_steps)
    np.testing.assert_allclose(split.test.frames[1], motion.displacement[5::5], atol=1e-6)
    np.testing.assert_allclose(split.test.speed[1], at_nodes(speed), rtol=1e-6)


def test_parameters_lie_where_the_card_says_and_no_simulation_comes_twice():
    everything = np.concatenate([part.parameters for part in waves(TINY)])
    assert len(np.unique(everything, axis=0)) == TINY.n_train + TINY.n_validation + TINY.n_test
    drawn = np.stack([np.stack(waves_module.numpy_stream(s, "waves").uniform(
        waves_module._LOW, waves_module._HIGH, (300, 7))) for s in range(2)]).reshape(-1, 7)  # fmt: skip
    for low, high, values in zip(
        (0.25, 0.25, 0.06, 0.3, 0.3, 0.1, 0.5), (0.75, 0.75, 0.12, 0.7, 0.7, 0.2, 1.5), drawn.T, strict=True
    ):
        assert low <= values.min() < low + 0.02 * (high - low)
        assert high - 0.02 * (high - low) < values.max() <= high


def test_the_disc_is_where_it_was_drawn():
    speed = element_speed(20, 0.3, 0.6, 0.15, 1.4)
    assert speed[12, 6] == speed[11, 5] == 1.4  # row is y, column x
    assert speed[6, 12] == 1
    assert set(np.unique(speed)) == {1, 1.4}
    fine = element_speed(200, 0.3, 0.6, 0.15, 1.4)
    assert (fine == 1.4).mean() == pytest.approx(np.pi * 0.15**2, rel=0.01)
    nodes = at_nodes(speed)
    assert nodes.shape == (21, 21)
    assert nodes[0, 0] == 1
    assert nodes[12, 6] == 1.4
    np.testing.assert_allclose(at_nodes(np.full((3, 3), 2.0)), 2)


def test_the_archive_says_how_the_data_were_made_and_is_used_again(tmp_path, monkeypatch):
    monkeypatch.setattr(simulations, "cache_folder", lambda: tmp_path)
    world = replace(TINY, seed=3)
    first = waves.__wrapped__(world)
    (path,) = (tmp_path / "simulated").iterdir()
    with np.load(path) as archive:
        text = str(archive["about"])
    assert all(word in text for word in ("Newmark", "8x8 bilinear", '"seed": 3', "scikit-fem", '"width": [0.06, 0.12]'))
    monkeypatch.setattr(waves_module, "simulated", lambda world: pytest.fail("computed twice"))
    assert np.array_equal(waves.__wrapped__(world).train.frames, first.train.frames)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match="Delete it"):
        waves.__wrapped__(world)


def test_a_seed_gives_the_same_waves_and_more_of_them_begin_alike():
    one, two = simulated(TINY), simulated(TINY)
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert np.array_equal(simulated(replace(TINY, n_test=0))["frames"], one["frames"][:-2])
    assert not one["frames"][..., 0].any()
    assert not one["frames"][..., -1, :].any()


def test_nothing_of_the_test_simulations_is_in_the_inputs_scale(monkeypatch):
    split = waves(TINY)
    loud = split._replace(test=split.test._replace(frames=split.test.frames * 100, start=split.test.start * 100))
    plain = measured("dense", epochs="1").metrics
    monkeypatch.setattr("replank.studies.a_priori_compression.trial.waves", lambda world: loud)
    changed = measured("dense", epochs="1").metrics
    assert changed["train_loss"] == plain["train_loss"]
    assert changed["test_loss"] != plain["test_loss"]


def test_inputs_and_targets():
    some = waves(TINY).train
    x, y = one_shot(some, 2.0)
    assert (x.shape, y.shape) == ((6, 2, 9, 9), (6, 4, 9, 9))
    assert torch.equal(x[:, 0] * 2, torch.from_numpy(some.start))
    assert torch.equal(y * 2, torch.from_numpy(some.frames))
    x, y = space_time(some, 2.0)
    assert (x.shape, y.shape) == ((6, 2, 4, 9, 9), (6, 1, 4, 9, 9))
    assert torch.equal(x[:, 1, 3], torch.from_numpy(some.speed))
    torch.testing.assert_close(x[:, 1, 0], torch.from_numpy(some.speed) / 4)
    x, y = steps(some, 2.0)
    assert (x.shape, y.shape) == ((12, 3, 9, 9), (12, 1, 9, 9))
    assert torch.equal(2 * x[3, 0], torch.from_numpy(some.frames)[1, 1])
    assert torch.equal(2 * y[3, 0], torch.from_numpy(some.frames)[1, 3])
    assert torch.equal(x[3, 2], torch.from_numpy(some.speed)[1])


# -- networks ----------------------------------------------------------------------------------------------------------


def build(arm, settings=None, shape=None, seed=0):
    settings = settings or SMALL.resolve(arm, "generated", {})
    shape = shape or Shape(2, 16)
    return network(settings, shape, torch.zeros(1, shape.n_in, *[9] * shape.n_axes), seed)


def test_numbers_of_parameters():
    outside = 2 * 16 * 25 + 16 + 16 * 16 + 16
    biases = 6 * 16
    weights = {
        "dense": 6 * 16 * 16 * 25,
        "rank1": 6 * 16 * (16 + 10),
        "cp": 6 * 16 * (16 + 10 + 16),
        "spatial": 6 * 2 * 16 * 16 * 5,
        "depthwise-separable": 6 * 16 * (25 + 16),
        "low-rank": 6 * (16 * 25 + 16),
    }
    for arm, expected in weights.items():
        model = build(arm)
        assert swapped_weights(model) == expected, arm
        assert count_parameters(model).total == expected + biases + outside, arm


def test_the_thin_network_is_the_largest_with_no_more_parameters():
    thin, budget = build("dense-thin"), count_parameters(build("rank1")).total
    channels = thin.first.out_channels
    assert count_parameters(thin).total <= budget
    with isolated(0, "host"):
        wider = WaveNet(Shape(2, 16), channels=channels + 1, n_blocks=3, kernel_size=5)
    assert count_parameters(wider).total > budget


@pytest.mark.parametrize("arm", ["rank1", "cp", "spatial", "depthwise-separable", "low-rank"])
def test_arms_differ_from_the_dense_one_in_their_blocks_alone(arm):
    dense, other = build("dense"), build(arm)
    for name in ("first", "last"):
        for one, two in zip(getattr(dense, name).parameters(), getattr(other, name).parameters(), strict=True):
            assert torch.equal(one, two)
    kinds = {type(each) for block in other.blocks for each in (block.conv1, block.conv2)}
    assert len(kinds) == 1
    assert nn.Conv2d not in kinds
    if arm == "low-rank":
        assert kinds == {LowRankConv2d}


@pytest.mark.parametrize("arm", ["dense", "rank1", "cp", "spatial", "depthwise-separable", "low-rank"])
def test_kernels_of_all_arms_begin_equally_large(arm):
    squares = []
    for seed in range(12):
        for block in build(arm, seed=seed).blocks:
            for each in (block.conv1, block.conv2):
                kernel = each.weight if arm == "dense" else each.dense_kernel() if arm == "low-rank" else None
                kernel = each.weight_tensor() if kernel is None else kernel
                squares.append(kernel.detach().square().sum((1, 2, 3)).mean())
    assert torch.stack(squares).mean() == pytest.approx(2, rel=0.2)


def test_the_boundary_is_at_rest():
    for shape in (Shape(2, 4), Shape(2, 1, 3)):
        settings = CompressionSettings("one-shot", channels=8, n_blocks=1, kernel_size=3)
        model = build("dense", settings, shape)
        output = model(torch.randn(2, 2, *[6] * shape.n_axes))
        assert output.shape == (2, shape.n_out, *[6] * shape.n_axes)
        assert not output[..., 0, :].any()
        assert not output[..., :, -1].any()
        assert output[..., 1:-1, 1:-1].all()


@pytest.mark.parametrize("shape", [(2, 9, 9), (1, 3, 9, 9), (1, 2, 4, 9, 9)], ids=str)
def test_input_with_other_dimensions_is_refused(shape):
    with pytest.raises(ValueError, match=r"must be \(B, 2, 2 sizes\), got shape"):
        build("dense")(torch.zeros(shape))


def test_decompositions_have_the_parameters_of_cp():
    dense, settings = build("dense"), SMALL.resolve("posthoc-cp", "generated", {})
    found = decomposed(dense, settings, torch.zeros(1, 2, 9, 9))
    assert count_parameters(found.model).total == count_parameters(build("cp")).total
    assert found.macs_after == 6 * conv_macs(SeparableFilterConv2d(16, 16, 5, padding=2, mode="cp", rank=16), (9, 9))
    assert torch.equal(found.model.first.weight, dense.first.weight)


def test_outputs_stay_of_one_size_through_many_blocks():
    torch.manual_seed(0)
    model = WaveNet(Shape(2, 4), channels=32, n_blocks=6, kernel_size=5)
    inner = {}
    model.first.register_forward_hook(lambda module, x, y: inner.update(first=y.std()))
    model.blocks[-1].register_forward_hook(lambda module, x, y: inner.update(last=y.std()))
    model(torch.randn(4, 2, 25, 25))
    assert inner["last"] < 4 * inner["first"]


# -- measures ----------------------------------------------------------------------------------------------------------


def test_errors_are_relative_in_the_norm_of_the_mass_matrix():
    rng = np.random.default_rng(0)
    output, target = rng.normal(size=(2, 3, 2, 7, 7)).astype(np.float32)
    wave = WaveFE2D(6, 1.0)
    expected = wave.norm(output.astype(float) - target) / wave.norm(target)
    found = relative_errors(torch.from_numpy(output), torch.from_numpy(target), 6)
    np.testing.assert_allclose(found.numpy(), expected.reshape(3, 2), rtol=1e-6)
    task, target = WaveFields(6), torch.from_numpy(target)
    metrics = task.metrics(torch.zeros_like(target), target)
    assert metrics["l2_error"] == pytest.approx(1)
    assert metrics["loss"] == pytest.approx(float(target.square().mean()))
    with pytest.raises(ValueError, match="must be"):
        task.check(torch.zeros(1, 2, 7, 7), torch.zeros(1, 3, 7, 7), "training")


def test_the_gap_is_read_where_the_training_error_first_comes_down_to_the_level():
    rows = [(1, 0.9, 1.0), (2, 0.8, 0.95), (3, 0.6, 0.95), (4, 0.75, 0.8), (5, 0.5, 0.9)]
    curves = [{"epoch": e, "train_l2_error": train, "test_l2_error": test} for e, train, test in rows]
    assert _gap_at_level(curves, 0.7)["gap_error_at_level"] == pytest.approx(0.25)
    assert _gap_at_level(curves, 0.4) == {}
    assert _gap_at_level(curves, 0.95) == {}  # it began below


def test_a_rollout_feeds_the_network_its_own_frames():
    class Straight(nn.Module):
        def forward(self, x):
            return (2 * x[:, 1] - x[:, 0])[:, None]

    first = torch.stack((torch.zeros(3, 4, 4), torch.ones(3, 4, 4)), 1)
    frames = rollout(Straight(), first, torch.ones(3, 4, 4), 5)
    assert torch.equal(frames[2, :, 1, 1], torch.arange(7.0))
    runaway = rollout(Known(torch.full((1, 4, 4), torch.inf)), first, torch.ones(3, 4, 4), 2)
    assert runaway.isfinite().all()


def test_energy_drifts_by_what_frames_gain():
    split = waves(TINY)
    frames = np.zeros((2, 4, 9, 9))
    frames[:, :2, 4, 4] = 1.0
    frames[:, 2:, 4, 4] = 2.0
    assert energy_drift(frames, split.test, TINY) == pytest.approx(3)
    fine = replace(TINY, dt=0.005, n_steps=40, every=1)
    resolved = waves.__wrapped__(fine)
    assert energy_drift(resolved.test.frames, resolved.test, fine) < 1e-4


# -- trials ------------------------------------------------------------------------------------------------------------


def test_a_trial_has_the_columns_of_the_table_and_repeats():
    one, two = measured("rank1"), measured("rank1")
    timings = ("_s", "_ms", "mib", "_per_epoch", "_per_s")
    same = {name for name in one.metrics if not name.endswith(timings)}
    assert {name: one.metrics[name] for name in same} == {name: two.metrics[name] for name in same}
    assert one.metrics["parameter_kib"] == one.metrics["parameters"] * 4 / 1024
    assert one.metrics["swapped_weights"] == 2 * 8 * (8 + 6)
    assert one.metrics["macs"] == one.metrics["forward_flops"] / 2
    gap = one.metrics["test_l2_error"] - one.metrics["train_l2_error"]
    assert one.metrics["test_minus_train_l2_error"] == gap == -one.metrics["train_minus_test_l2_error"]
    assert one.artefacts["error_by_frame"].mean() == pytest.approx(one.metrics["test_l2_error"])
    assert one.artefacts["fields"].shape == (2, 4, 9, 9)


def test_what_is_decomposed_was_trained_as_the_dense_arm():
    dense, posthoc, tuned = (measured(arm) for arm in ("dense", "posthoc-cp", "posthoc-cp-tuned"))
    assert posthoc.curves[:2] == tuned.curves[:2] == dense.curves
    assert [row["epoch"] for row in tuned.curves] == [1, 2, 3]
    assert posthoc.metrics["parameters"] == tuned.metrics["parameters"] < dense.metrics["parameters"]
    assert posthoc.metrics["projection_error"] == tuned.metrics["projection_error"] > 0
    assert tuned.metrics["train_loss"] < posthoc.metrics["train_loss"]


def test_trivial_references():
    zero, mean = measured("zero").metrics, measured("frame-mean").metrics
    assert zero["test_l2_error"] == zero["train_l2_error"] == pytest.approx(1)
    split = waves(TINY)
    wave, frames = WaveFE2D(TINY.n, 1.0), split.test.frames.astype(float)
    expected = wave.norm(split.train.frames.astype(float).mean(0) - frames) / wave.norm(frames)
    assert mean["test_l2_error"] == pytest.approx(expected.mean(), rel=1e-5)
    assert zero["parameters"] == mean["parameters"] == 0
    rolled = measured("frame-mean", "step").metrics
    assert rolled["rollout_l2_error"] == pytest.approx(expected[:, 2:].mean(), rel=1e-5)


def test_fewer_simulations_are_the_first_ones():
    few = measured("frame-mean", n_train="2").metrics["test_l2_error"]
    split = waves(TINY)
    wave, frames = WaveFE2D(TINY.n, 1.0), split.test.frames.astype(float)
    expected = wave.norm(split.train.frames[:2].astype(float).mean(0) - frames) / wave.norm(frames)
    assert few == pytest.approx(expected.mean(), rel=1e-5)


def test_layers_that_are_measured():
    sizes = {"dense": 6 * 4 * 9, "rank1": 4 * (6 + 6), "cp": 5 * (6 + 6 + 4), "depthwise_separable": 6 * (9 + 4)}
    for kind, weights in sizes.items():
        made = layer(kind, 6, 4, 3, 5, bias=False)
        assert count_parameters(made).total == weights
        assert made(torch.zeros(1, 6, 7, 8)).shape == (1, 4, 7, 8)
    with pytest.raises(ValueError, match="got kind='thin'"):
        layer("thin", 1, 1, 3, 1)


def test_costs_of_a_layer_stand_beside_those_of_a_dense_one():
    found = measured("rank1", "cost")
    assert found.metrics["weights_of_64_to_64"] == 4736
    assert found.metrics["weights_of_16_to_32"] == 704
    costs, dense = found.artefacts["channels_costs"], found.artefacts["channels_dense"]
    assert costs.shape == dense.shape == (2, len(COLUMNS))
    assert (dense[:, 0] == [8 * 8 * 9 + 8, 64 * 64 * 9 + 64]).all()
    saved = found.metrics["macs_over_dense_at_64_channels"]
    assert saved == (64 * 64 + 64 * 6) / (64 * 64 * 9)
    time = found.metrics["time_over_dense_at_64_channels"]
    assert found.metrics["speed_up_by_time_per_saved_mac"] == pytest.approx(saved / time)
    assert found.metrics["slope_of_macs_in_image"] == pytest.approx(2)
    assert found.metrics["kept_over_dense_at_64_channels"] == 3


# -- the study ---------------------------------------------------------------------------------------------------------


def test_sizes_of_the_card_at_the_paper_scale():
    settings = SCALES["paper"].protocols["one-shot"].settings
    assert settings.world == World(64, 0.005, 200, 10, 1000, 200, 200)
    assert (settings.channels, settings.n_blocks, settings.kernel_size, settings.epochs) == (32, 6, 5, 300)
    middle = SCALES["paper"].protocols["one-shot-32"].settings
    assert (middle.world.n, middle.world.n_steps, middle.world.n_frames, middle.epochs) == (32, 100, 20, 30)
    assert SCALES["paper"].protocols["few"].settings.n_train == 20
    assert SCALES["paper"].seeds == 5
    assert set(SCALES["paper"].protocols) >= set(SCALES["small"].protocols) >= set(SCALES["smoke"].protocols)


def test_the_report_says_that_sizes_are_ours():
    assert any("sizes, margins and data here are ours" in text for text in STUDY.finding)
    assert any("FE data generated here with our parameters" in text for text in STUDY.finding)


def test_every_figure_can_be_drawn():
    records = Records.of(
        [
            *(record_of(arm, seed=seed) for arm in ("dense", "rank1") for seed in (0, 1)),
            record_of("frame-mean"),
            record_of("rank1", "cost"),
            record_of("dense", "cost"),
        ]
    )
    for figure in STUDY.figures:
        for protocol in ("one-shot", "cost"):
            if fnmatch.fnmatchcase(protocol, figure.protocol):
                assert figure.draw(records.only(protocol=protocol)).axes
