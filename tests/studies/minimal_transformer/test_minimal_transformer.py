"""The study: its arms are swaps on one host, its counts, its rules, and the same numbers from the same seed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from replank.datasets import load
from replank.lab.claim import judge, table_of
from replank.lab.executors import InProcess
from replank.lab.run import run_study
from replank.measure.parameters import count_parameters
from replank.parts.attention import MultiHeadSimilarityAttention, NarrowAttention
from replank.studies.minimal_transformer import STUDY
from replank.studies.minimal_transformer.arms import ARMS, FULL, FULL_MLP, MINIMUM, NARROW, VARIANT_OF, ladder
from replank.studies.minimal_transformer.claims import REDUCED, falls_with
from replank.studies.minimal_transformer.costs import encoder
from replank.studies.minimal_transformer.settings import MEDIUM_ARMS, PUBLISHED, SCALES, SMOKE
from replank.studies.minimal_transformer.trial import counted

CLAIM = {claim.id: claim for claim in STUDY.claims}


@pytest.fixture(scope="module")
def models():
    rungs = ladder(SMOKE, load("digits").card)
    return {arm.name: rungs.model(arm.name, seed=3) for arm in ARMS}


def test_arms_share_all_that_they_do_not_swap(models):
    host = models[FULL_MLP].state_dict()
    for arm, model in models.items():
        same = {name: value for name, value in model.state_dict().items() if ".attention." not in name}
        assert all(torch.equal(value, host[name]) for name, value in same.items())
        assert ("encoders.0.feedforward.mlp.0.weight" in same) == arm.startswith(FULL_MLP)
    assert all(torch.equal(value, host[name]) for name, value in models[FULL].state_dict().items())


def test_arms_are_what_they_say(models):
    for arm, variant in VARIANT_OF.items():
        attention = models[arm].encoders[0].attention
        assert isinstance(attention, MultiHeadSimilarityAttention)
        assert attention.variant == variant
        assert isinstance(models[arm].encoders[0].feedforward, nn.Identity)
    assert models["symmetric-tri-unit"].encoders[0].attention.init_scale == 1
    frozen = models["wqk-novo-frozen"].encoders[0].attention
    assert not any(each.requires_grad for each in frozen.parameters())
    assert isinstance(models[NARROW].encoders[0].attention, NarrowAttention)
    sizes = [count_parameters(models[arm]).total for arm in (NARROW, MINIMUM)]
    assert 0.8 * sizes[1] < sizes[0] <= sizes[1]


def test_shares_of_parameters_are_the_papers():
    shares = counted()
    assert shares["parameters_without_mlp_over_full"] == pytest.approx(105_610 / 304_906)
    assert shares["parameters_symmetric_over_full"] == pytest.approx(80_650 / 304_906)
    assert shares["parameters_minimum_over_full"] == pytest.approx(30_730 / 304_906)
    assert shares["parameters_minimum_over_12_full"] == pytest.approx(30_730 / 604_810)


def test_published_settings_and_medium_arms():
    assert (PUBLISHED.epochs, PUBLISHED.depth, PUBLISHED.batch_size, PUBLISHED.lr) == (500, 6, 512, 1e-3)
    published = SCALES["paper"].protocols["published"]
    assert published.resolve("full-mlp-deep", "mnist", {}).depth == 12
    assert set(REDUCED) < set(MEDIUM_ARMS)
    medium = SCALES["medium"].protocols["medium"].resolve(FULL, "mnist", {})
    assert (medium.n_train, medium.epochs, medium.width, medium.depth, medium.patch_size) == (0, 10, 64, 6, 7)
    assert SCALES["medium"].seeds == 2


def test_imagenet_and_cifar_claims_are_not_tested_without_them():
    table = table_of(**{arm: {"test_loss": [0.1, 0.2]} for arm in REDUCED}).assign(
        scale="small", protocol="small", dataset="mnist10k"
    )
    judged = {each.claim.id: each.verdict for each in judge([CLAIM["C8"], CLAIM["C11"]], table)}
    assert judged["C8"].status == judged["C11"].status == "not tested"
    assert "cifar10" in judged["C8"].reason
    assert "imagenet" in judged["C11"].reason


def test_the_gap_must_fall_with_the_ratio():
    rule = falls_with("gap", "q", ("a", "b", "c"))

    def table(signs):
        return table_of(
            **{
                arm: {"gap": [sign * (1 - n) * (1 + seed) for seed, sign in enumerate(signs)], "q": [n] * len(signs)}
                for n, arm in enumerate("abc", 1)
            }
        )

    assert rule(table([1, 1, 1])).status == "reproduced"
    assert rule(table([-1, -1, -1])).status == "not reproduced"
    assert rule(table([1, -1, 1])).status == "inconclusive"
    assert rule(table([1])).status == "inconclusive"
    assert rule(table([1, 1])[lambda rows: rows["arm"] != "c"]).status == "not tested"
    assert rule(table([1, 1]).assign(q=1.0)).status == "not tested"


def test_timed_encoders_are_those_of_the_arms():
    sizes = {arm: count_parameters(encoder(arm, 64, PUBLISHED, 0)).total for arm in (FULL_MLP, FULL, MINIMUM)}
    assert sizes == {FULL_MLP: 49_984, FULL: 16_768, MINIMUM: 4_160 + 128}


def test_two_runs_of_one_seed_give_the_same_numbers(tmp_path):
    tables = []
    for name in ("one", "two"):
        run = run_study(
            STUDY.slug, scale="smoke", protocols=["smoke"], arms=[FULL_MLP, "symmetric-tri"],
            ledger=tmp_path / f"{name}.sqlite", executor=InProcess(),
        )  # fmt: skip
        same = [column for column in run.records.table if column.startswith(("test_", "train_loss", "train_acc"))]
        tables.append(run.records.table[["arm", "seed", *same]])
    assert tables[0].equals(tables[1])


def test_bad_patches_are_refused():
    with pytest.raises(ValueError, match="image_size=8, patch_size=3"):
        ladder(replace(SMOKE, patch_size=3), load("digits").card).model(FULL)
