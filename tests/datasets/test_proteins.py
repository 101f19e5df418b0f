"""Sets of proteins, their tokens, and whether test proteins have near relatives among training proteins."""

from __future__ import annotations

import errno
import gzip
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replank.datasets import load, verify
from replank.datasets._packaged import Packaged
from replank.datasets._sequences import Labelled, Parts
from replank.datasets.amp_tm import SET as AMP_TM
from replank.datasets.deeploc1_part import read_table
from replank.datasets.homologues import (
    PEPTIDES,
    PROTEINS,
    Rule,
    check_homologues,
    families,
    grouped_folds,
    homologues,
    shared_words,
)
from replank.datasets.proteins import (
    HYDROPATHY,
    LETTERS,
    PADDING,
    ProteinTokenizer,
    amino_acid_composition,
    toy_proteins,
)
from replank.datasets.scl2205 import SET as SCL2205
from replank.datasets.scl2205 import read_parts
from replank.errors import DataError, MissingData, MissingExtra

proteins = st.lists(st.text(LETTERS, min_size=1, max_size=30), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def scl():
    return load("scl2205")


# -- the sets ----------------------------------------------------------------------------------------------------------


def test_scl2205_has_the_published_class_counts(scl):
    two = scl.of_classes(("Cytoplasm", "Membrane"))
    counts = {name: np.bincount(part.labels).tolist() for name, part in two.parts.items()}
    assert counts == {"train": [1922, 3837], "valid": [166, 277], "test": [377, 604]}
    assert (two.card.n_train, two.card.n_test, two.card.classes) == (5759, 981, ("Cytoplasm", "Membrane"))
    lengths = [len(string) for part in two.parts.values() for string in part.strings]
    assert (min(lengths), max(lengths)) == (31, 4_924)
    assert np.median(lengths) == pytest.approx(455, abs=30)
    assert sum(len(part.strings) for part in scl.parts.values()) == 19_074
    assert len(scl.card.classes) == 13


def test_scl2205s_published_parts_are_not_disjoint_and_the_card_says_so(scl):
    train, test = scl.parts["train"].strings, scl.parts["test"].strings
    assert len(set(train) & set(test)) == 16
    two = scl.of_classes(("Cytoplasm", "Membrane")).parts
    assert homologues(two["test"].strings, two["train"].strings, PROTEINS).sum() == 70
    assert "16 test strings" in scl.card.known_differences[0]
    assert "of the 981 in Cytoplasm and Membrane, 70 share" in scl.card.known_differences[0]


def test_amp_tm_is_split_without_a_family_on_both_sides():
    data = load("amp_tm")
    assert {name: len(part.strings) for name, part in data.parts.items()} == {"train": 329, "test": 83}
    whole = data.parts["train"].strings + data.parts["test"].strings
    assert len(set(whole)) == 412
    assert 23 < np.mean([len(string) for string in whole]) < 25
    assert sum(part.labels.sum() for part in data.parts.values()) == 206
    assert check_homologues(data.parts["train"].strings, data.parts["test"].strings, PEPTIDES) == 0


def test_deeploc_has_the_published_test_proteins():
    if not verify("deeploc1_part").ok:
        pytest.skip("no deeploc1_part: set REPLANK_DATA to test it")
    two = load("deeploc1_part").of_classes(("Cytoplasm", "Cell membrane"))
    counts = {name: np.bincount(part.labels).tolist() for name, part in two.parts.items()}
    assert counts == {"train": [276, 161], "test": [505, 273], "hard": [117, 98]}
    assert homologues(two.parts["hard"].strings, two.parts["train"].strings, PROTEINS).sum() == 0


@pytest.mark.parametrize(
    ("content", "law"),
    [
        (b"split\tlocation\tsequence\n", "must be gzipped text"),
        (gzip.compress(b"split\tsequence\n"), "must have the columns"),
        (gzip.compress(b"split\tlocation\tsequence\nval\tMoon\tMK\n"), "known locations"),
    ],
    ids=["plain", "a column less", "another location"],
)
def test_another_table_is_refused(content, law):
    with pytest.raises(DataError, match=law):
        read_table({"deeploc1_part.tsv.gz": content})


# -- packages ----------------------------------------------------------------------------------------------------------


def test_parts_are_known_by_both_names():
    pandas = pytest.importorskip("pandas")
    tables = {name: pandas.DataFrame({"seq": [name], "scl": ["ER"]}) for name in ("train", "valid", "test")}

    def later(name):
        if name not in tables:
            raise ValueError(name)
        return tables[name]

    def earlier(name):
        return later({"eval": "valid", "heldout": "test"}.get(name, name))

    assert read_parts(later).fingerprint() == read_parts(earlier).fingerprint()
    assert read_parts(later)["valid"].strings == ("valid",)


def packaged(**changes) -> Packaged:
    return replace(AMP_TM, **changes)


def test_other_content_is_refused_with_both_versions():
    other = packaged(read=lambda: Parts(all=Labelled(("MK",), np.array([0]))))
    with pytest.raises(DataError, match=r"modlamp 4\.3\.3 have sha256:0c8a.*got sha256:.* from modlamp .*==4\.3\.3"):
        other.load(None)
    assert [file.state for file in other.verify(None).files] == ["damaged"]


def test_a_package_that_is_not_there_names_the_extra():
    absent = packaged(package="a-package-that-is-not-there")
    with pytest.raises(MissingExtra, match=r"replank\[proteins\]"):
        absent.load(None)
    assert not absent.verify(None).ok
    assert not absent.fetch(None).ok
    assert absent.info.embedded


def test_a_release_without_its_files_names_the_one_that_has_them():
    def read():
        raise FileNotFoundError(errno.ENOENT, "No such file", "scl2205.csv")

    empty = replace(SCL2205, read=read)
    with pytest.raises(FileNotFoundError, match=r"without scl2205\.csv.* install p-scldata==2025\.6\.0"):
        empty.load(None)
    with pytest.raises(MissingData):
        empty.load(None)
    assert [file.state for file in empty.verify(None).files] == ["missing"]


def test_classes_that_are_not_there_are_refused(scl):
    for names in (("Cytoplasm",), ("Cytoplasm", "Cytoplasm"), ("Cytoplasm", "Moon")):
        with pytest.raises(ValueError, match="of_classes: `names` must be two or more different ones"):
            scl.of_classes(names)


# -- relatives ---------------------------------------------------------------------------------------------------------


def words(string: str, k: int) -> set[str]:
    return {string[place : place + k] for place in range(len(string) - k + 1)}


@given(proteins, proteins, st.integers(1, 4))
def test_shared_words_are_those_of_sets(some, others, k):
    found = {(int(i), int(j)): share for i, j, share in zip(*shared_words(some, others, k), strict=True)}
    for i, one in enumerate(some):
        for j, other in enumerate(others):
            common, fewer = words(one, k) & words(other, k), min(len(words(one, k)), len(words(other, k)))
            assert found.get((i, j), 0) == (pytest.approx(len(common) / fewer) if common else 0)


def test_a_mutated_copy_is_a_relative_and_another_protein_is_not():
    stream = np.random.default_rng(0)
    protein, other = ("".join(stream.choice(list(LETTERS), 300)) for _ in range(2))
    for identity, expected in ((0.95, True), (0.85, True), (0.5, False)):
        changed = stream.random(300) > identity
        mutant = "".join(
            stream.choice(list(LETTERS)) if hit else letter for letter, hit in zip(protein, changed, strict=True)
        )
        assert homologues([mutant], [other, protein], PROTEINS)[0] == expected
    assert not homologues([other], [protein], PROTEINS)[0]
    assert homologues(["MK"], ["MK", protein], PROTEINS)[0]  # too short for a word, but the same


def test_leaks_are_refused_unless_allowed():
    train, test = ["MKTAYIAKQRQISFVKSHFSRQ", "GGGGGGGGAAAA"], ["MKTAYIAKQRQISFVKSHFSRQL"]
    with pytest.raises(DataError, match=r"got 1 of 1\. .*allow=True"):
        check_homologues(train, test, PROTEINS)
    assert check_homologues(train, test, PROTEINS, allow=True) == 1
    assert check_homologues(train[1:], test, PROTEINS) == 0


def test_families_are_joined_by_chains_and_stay_in_one_fold():
    chain = ["AAACCCDDD", "CCCDDDEEE", "DDDEEEFFF"]
    rule = Rule(k=3, at_least=0.5)
    assert not homologues(chain[:1], chain[2:], rule).any()
    family = families([*chain, "WWWYYYWWW"], rule)
    assert len(set(family[:3])) == 1
    assert family[3] != family[0]
    strings = [f"{a}{b}{a}{b}K{a}" for a in LETTERS for b in LETTERS if a < b] + chain
    labels = np.arange(len(strings)) % 2
    fold = grouped_folds(strings, labels, n_folds=3, rule=rule, seed=0)
    assert np.array_equal(fold, grouped_folds(strings, labels, n_folds=3, rule=rule, seed=0))
    assert set(fold) == {0, 1, 2}
    for number in range(3):
        held_out, others = ([s for s, f in zip(strings, fold, strict=True) if (f == number) == out] for out in (1, 0))
        assert not homologues(held_out, others, rule).any()
    with pytest.raises(DataError, match="a family for each fold, got 2 families and n_folds=3"):
        grouped_folds([*chain, "WWWYYYWWW"], np.array([0, 1, 0, 1]), n_folds=3, rule=rule, seed=0)


@pytest.mark.parametrize(("k", "at_least"), [(0, 0.5), (13, 0.5), (3, 0.0), (3, 1.1)])
def test_rules_that_make_no_sense_are_refused(k, at_least):
    with pytest.raises(ValueError, match="Rule:"):
        Rule(k, at_least)
    with pytest.raises(DataError, match="upper-case letters"):
        shared_words(["mk"], ["MK"], 2)


# -- tokens ------------------------------------------------------------------------------------------------------------


def test_tokens_are_the_first_residues_and_padding():
    tokens = ProteinTokenizer()(["ACDW", "y", "ACDEFG"], 4)
    assert tokens.tolist() == [[1, 2, 3, 19], [20, 0, 0, 0], [1, 2, 3, 4]]
    assert ProteinTokenizer().n_tokens == 21


def test_unknown_residues_are_padding_with_one_warning():
    with pytest.warns(UserWarning, match="5 residues are not known") as warned:
        tokens = ProteinTokenizer()(["AXA", "BZUA*C"], 5)
    assert len(warned) == 1
    assert tokens.tolist() == [[1, 0, 1, 0, 0], [0, 0, 0, 1, 0]]
    assert ProteinTokenizer(on_unknown="ignore")(["OA"], 2).tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("strings", "law"),
    [
        (["AC", "AC-D"], r"got '-' at position 2 of string 1"),
        (["A C"], r"got ' ' at position 1 of string 0"),
        (["AJ"], r"got 'J'"),
        (["Aλ"], r"at position 1"),
        ([""], r"at least 1 residues, got ''"),
    ],
)
def test_what_is_no_protein_is_refused(strings, law):
    with pytest.raises(ValueError, match=law):
        ProteinTokenizer()(strings, 4)


def test_three_residues_a_token_and_a_reduced_alphabet():
    tokenizer = ProteinTokenizer(3)
    assert tokenizer.n_tokens == 8001
    assert tokenizer(["AAAAACYYYA"], 4).tolist() == [[1, 2, 8000, PADDING]]
    with pytest.raises(ValueError, match="at least 3 residues"):
        tokenizer(["AA"], 2)
    reduced = ProteinTokenizer(reduced=True)
    assert reduced.n_tokens == 5
    assert sorted("".join(HYDROPATHY)) == sorted(LETTERS)
    assert reduced(["AGDK"], 4).tolist() == [[1, 2, 3, 4]]
    assert ProteinTokenizer(2, reduced=True)(["AAKK"], 2).tolist() == [[1, 16]]


def test_compositions_sum_to_one_and_know_no_order():
    composition = amino_acid_composition(["AACX", "caa"])
    assert composition.shape == (2, 20)
    np.testing.assert_allclose(composition.sum(1), 1)
    np.testing.assert_array_equal(composition[0], composition[1])
    with pytest.raises(ValueError, match="must have known residues, got 'XX'"):
        amino_acid_composition(["AA", "XX"])


def test_toy_proteins_differ_in_a_hydrophobic_window():
    toys = toy_proteins(400, 40, seed=0)
    assert toys.strings == toy_proteins(400, 40, seed=0).strings
    assert np.bincount(toys.labels).tolist() == [200, 200]
    share = amino_acid_composition(toys.strings)[:, [LETTERS.index(letter) for letter in "AILMFVW"]].sum(1)
    assert share[toys.labels == 1].mean() > share[toys.labels == 0].mean() + 0.1
    assert share[toys.labels == 0].mean() == pytest.approx(0.376, abs=0.02)
    with pytest.raises(ValueError, match="a window of 15 residues must fit, got length=14"):
        toy_proteins(2, 14, seed=0)


def test_rules_k_mers_and_kmer_tokens_must_have_letters():
    with pytest.raises(ValueError, match="kmer=0"):
        ProteinTokenizer(0)
    with pytest.raises(ValueError, match="length=0"):
        ProteinTokenizer()(["A"], 0)
