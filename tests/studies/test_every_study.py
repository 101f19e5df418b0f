"""What holds for every study, found by looking: a new one is tested without a line here."""

from __future__ import annotations

import fnmatch

import pytest
import torch

from replank import discovery
from replank.lab.executors import InProcess
from replank.lab.run import run_study
from replank.lab.study import studies

STUDIES = studies()
CLAIMS = [(study, claim) for study in STUDIES.values() for claim in study.claims]
RULES = [(claim, protocol) for _, claim in CLAIMS for protocol in claim.rules]


def test_every_folder_is_a_study():
    assert not discovery.broken("replank.studies")
    assert {name.replace("_", "-") for name in discovery.members("replank.studies")} == set(STUDIES)
    assert all(study.slug == slug for slug, study in STUDIES.items())


@pytest.mark.parametrize(("claim", "protocol"), RULES, ids=[f"{claim.id}-{protocol}" for claim, protocol in RULES])
def test_every_claim_can_fail(claim, protocol):
    assert claim.rules[protocol](claim.counterexample).status == "not reproduced"


@pytest.mark.parametrize(("study", "claim"), CLAIMS, ids=[f"{study.slug}-{claim.id}" for study, claim in CLAIMS])
def test_every_claim_knows_real_protocols(study, claim):
    protocols = {name for scale in study.scales.values() for name in scale.protocols}
    assert set(claim.rules) <= protocols
    assert claim.statement
    assert claim.reported


@pytest.mark.parametrize("study", STUDIES.values(), ids=STUDIES.keys())
def test_claims_and_arms_have_names_of_their_own(study):
    assert len({claim.id for claim in study.claims}) == len(study.claims)
    assert len({arm.name for arm in study.arms}) == len(study.arms)
    assert study.baseline.kind == "baseline"
    assert {"smoke", "small", "paper"} <= set(study.scales)


@pytest.mark.parametrize("study", [s for s in STUDIES.values() if s.contrast], ids=lambda study: study.slug)
def test_every_contrast_is_of_arms_that_some_protocol_compares(study):
    contrast = study.contrast
    arms = [contrast.arm, *contrast.same_size, *contrast.others]
    assert set(arms) <= {arm.name for arm in study.arms}
    assert len(set(arms)) == len(arms)
    assert contrast.same_size
    assert contrast.says.endswith(".")
    for scale in study.scales.values():
        protocols = [each for name, each in scale.protocols.items() if fnmatch.fnmatchcase(name, contrast.protocol)]
        assert any(
            each.is_for_arm(contrast.arm) and any(map(each.is_for_arm, contrast.same_size)) for each in protocols
        )


@pytest.mark.parametrize("study", [s for s in STUDIES.values() if s.ladder], ids=lambda study: study.slug)
def test_every_arm_has_a_rung(study):
    for scale in study.scales.values():
        for protocol in scale.protocols.values():
            ladder = study.ladder(protocol.settings, scale.datasets[0])
            assert list(ladder.rungs) == [arm.name for arm in study.arms if protocol.is_for_arm(arm.name)]


@pytest.mark.study
@pytest.mark.parametrize("study", STUDIES.values(), ids=STUDIES.keys())
def test_smoke_scale_runs_and_can_be_judged(study, tmp_path):
    threads = torch.get_num_threads()
    run = run_study(study.slug, scale="smoke", ledger=tmp_path / "ledger.sqlite", executor=InProcess())
    assert run.failed == 0, run.records.table[["arm", "seed", "error"]]
    assert run.done == len(run.keys)
    assert {key.arm for key in run.keys} == {arm.name for arm in study.arms}
    assert {judgement.claim.id for judgement in run.judgements} == {claim.id for claim in study.claims}
    assert all(judgement.verdict.reason for judgement in run.judgements)
    assert torch.get_num_threads() == threads
    again = run_study(study.slug, scale="smoke", ledger=tmp_path / "ledger.sqlite", executor=InProcess())
    assert (again.done, again.reused) == (0, run.done)
