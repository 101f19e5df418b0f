"""amp_tm: 206 antimicrobial peptides and 206 transmembrane segments, as the package modlamp carries them."""

from __future__ import annotations

import numpy as np

from replank.datasets._card import Card
from replank.datasets._packaged import Packaged
from replank.datasets._sequences import Labelled, Parts
from replank.datasets.homologues import PEPTIDES, grouped_folds

_CARD = Card(
    name="amp_tm",
    title="AMP/TM (206 antimicrobial peptides and 206 transmembrane segments of proteins)",
    about="AMP/TM",
    licence="BSD-3-Clause (modlamp)",
    source="https://pypi.org/project/modlamp/, modlamp.datasets.load_AMPvsTM()",
    citation="Schneider et al. (2017), Hybrid Network Model for Deep Learning of Chemical Data, Mol. Inf. 36, 1600011",
    n_train=329,
    n_test=83,
    classes=("TM", "AMP"),
    split="made by replank: a fifth of the strings, no string of which is a homologue of a training string",
    known_differences=("no official split; peptides of one family are many, and stay on one side here",),
)


def _read() -> Parts:
    from modlamp.datasets import load_AMPvsTM

    found = load_AMPvsTM()
    return Parts(all=Labelled(tuple(map(str, found.sequences)), np.asarray(found.target, np.int64)))


def _split(parts: Parts) -> Parts:
    strings, labels = parts["all"]
    is_test = grouped_folds(strings, labels, n_folds=5, rule=PEPTIDES, seed=0) == 0
    return Parts(
        {
            name: Labelled(tuple(np.array(strings, object)[chosen]), labels[chosen])
            for name, chosen in (("train", ~is_test), ("test", is_test))
        }
    )


SET = Packaged(
    _CARD,
    package="modlamp",
    version="4.3.3",
    extra="proteins",
    read=_read,
    sha256="0c8a9afb8e10f6ffc3b24883b5c58ad75631b1b60e2b545cc9bbaa7c23a9fd38",
    split=_split,
)
