"""Which trials a run consists of: every arm, seed, protocol and data set that belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from replank import datasets as data
from replank.errors import UnknownName, UsageError
from replank.lab.study import Protocol, Scale, Study
from replank.lab.trial import Settings


class Cell(NamedTuple):
    """One trial, before it is known what the data and the code are."""

    protocol: str
    dataset: str
    seed: int
    arm: str
    settings: Settings


def cells(
    study: Study,
    scale_name: str,
    *,
    arms: Sequence[str] | None = None,
    seeds: int | None = None,
    datasets: Sequence[str] | None = None,
    protocols: Sequence[str] | None = None,
    overrides: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> list[Cell]:
    """All arms of one seed before the next seed: whatever has been run can be compared.

    Args:
        study: what is run.
        scale_name: at which scale.
        arms: names of arms; all unless given.
        seeds: number of seeds, numbered from 0; as the scale says unless given.
        datasets: names of data sets; as the scale says, and as there are files, unless given.
        protocols: names of protocols; all of the scale unless given.
        overrides: settings as text, by name.
        folder: where data files lie.

    Raises:
        UnknownName: an arm, scale, protocol, data set or setting that does not exist.
        UsageError: a number or a setting that can't be used, or nothing is left to run.
    """
    scale = study.scale(scale_name)
    if seeds is not None and seeds < 1:
        raise UsageError(f"run_study: `seeds` must be at least 1, got seeds={seeds}.")
    chosen_arms = _chosen(f"arm of {study.slug}", arms, [arm.name for arm in study.arms])
    chosen_protocols = _chosen(f"protocol of {study.slug} at scale {scale_name}", protocols, list(scale.protocols))
    chosen_sets = scale.available(folder) if datasets is None else tuple(_not_empty("data set", datasets))
    for name in chosen_sets:
        data.info(name)  # refuses a name that no data set has
    n_seeds = {arm: seeds or scale.seeds_of(arm) for arm in chosen_arms}
    found = [
        Cell(name, dataset, seed, arm, protocol.resolve(arm, dataset, overrides or {}))
        for name, protocol in ((name, scale.protocols[name]) for name in chosen_protocols)
        for dataset in _sets_of(protocol, chosen_sets)
        for seed in range(max(n_seeds.values()))
        for arm in chosen_arms
        if seed < n_seeds[arm] and protocol.is_for_arm(arm)
    ]
    if not found:
        raise UsageError(_nothing(study, scale, chosen_arms, chosen_protocols, chosen_sets))
    return found


def _sets_of(protocol: Protocol, chosen: Sequence[str]) -> list[str]:
    """The chosen sets that the protocol is for; one that makes its own data does not ask which are chosen."""
    if protocol.makes_its_data:
        return [data.GENERATED]
    return [name for name in dict.fromkeys(chosen) if protocol.is_for_dataset(name)]


def _nothing(study: Study, scale: Scale, arms: Sequence[str], protocols: Sequence[str], datasets: Sequence[str]) -> str:
    takes = "; ".join(
        f"{name}: arms {', '.join(each.arms)} on {', '.join(each.datasets)}" for name, each in scale.protocols.items()
    )
    return (
        f"run_study: some protocol of {study.slug} must take the arms ({', '.join(arms)}) and data sets "
        f"({', '.join(datasets) or 'none: their files are missing'}), got protocols {', '.join(protocols)}. "
        f"They take {takes}."
    )


def _chosen(kind: str, asked: Sequence[str] | None, known: Sequence[str]) -> list[str]:
    """The names asked for, in the study's order."""
    if asked is None:
        return list(known)
    for name in _not_empty(kind, asked):
        if name not in known:
            raise UnknownName(kind, name, known)
    return [name for name in known if name in asked]


def _not_empty(kind: str, asked: Sequence[str]) -> Sequence[str]:
    if not asked:
        raise UsageError(f"run_study: at least one {kind} must be named, got none. Leave it out for all.")
    return asked
