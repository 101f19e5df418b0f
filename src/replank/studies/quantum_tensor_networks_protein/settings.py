"""What a trial of this study needs to know, at each scale."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from replank.lab.study import Protocol, Scale


@dataclass(frozen=True)
class ProteinSettings:
    """Data, sizes and training.

    Args:
        classes: the two that are told apart.
        split: ``"published"``, or ``"folds"``: all strings in ``n_folds`` folds without a family in two, of which the
            one with the seed's number is held out.
        n_folds: of cross-validation.
        homologues: whether training strings that are near relatives of held-out ones are left out, or kept.
        kmer_rule: letters of the words by which relatives are found.
        shared_words: share of common words from which on two strings are relatives.
        n_train: training strings, drawn by the seed; 0 means all.
        n_valid: validation strings, likewise; 0 means all, if the set has some.
        balanced: whether equally many of both classes are drawn.
        length: tokens of a sequence, a power of two for trees.
        kmer: residues of a token.
        reduced: whether residues are read as their four classes of hydropathy.
        n_qubits: of a word.
        n_layers: of the ansatz.
        lr: step size of AdamW.
        clip: bound of each number of a gradient.
        batch_size: samples a step.
        epochs: passes over the training set.
        evaluate_every: epochs from one evaluation to the next.
        n_forgetting: test sequences whose tokens are changed one by one; 0 means that forgetting is not measured.
        embed_fn: what the arm ``embedding-logistic`` sees: ``"module:function"``, from a list of whole proteins to
            numbers ``(n, d)``.
    """

    classes: tuple[str, str]
    split: Literal["published", "folds"] = "published"
    n_folds: Annotated[int, Field(ge=2)] = 5
    homologues: Literal["left out", "kept"] = "left out"
    kmer_rule: PositiveInt = 5
    shared_words: Annotated[float, Field(gt=0, le=1)] = 0.2
    n_train: NonNegativeInt = 0
    n_valid: NonNegativeInt = 0
    balanced: bool = True
    length: PositiveInt = 32
    kmer: PositiveInt = 1
    reduced: bool = False
    n_qubits: PositiveInt = 1
    n_layers: PositiveInt = 1
    lr: PositiveFloat = 0.01
    clip: PositiveFloat = 100.0
    batch_size: PositiveInt = 64
    epochs: PositiveInt = 10
    evaluate_every: PositiveInt = 5
    n_forgetting: NonNegativeInt = 0
    embed_fn: str = "replank.datasets.proteins:amino_acid_composition"


PROTEINS = ProteinSettings(classes=("Cytoplasm", "Membrane"), n_train=1500, n_valid=300, n_forgetting=50)
DEEPLOC = ProteinSettings(classes=("Cytoplasm", "Cell membrane"), balanced=False, epochs=30, evaluate_every=15)
PEPTIDES = ProteinSettings(
    classes=("TM", "AMP"),
    split="folds",
    kmer_rule=3,
    shared_words=0.5,
    balanced=False,
    length=16,
    epochs=30,
    evaluate_every=15,
)

# AdamW's step 0.01, batches of 64 and the bound of gradients are the published code's. Linear models on frequencies
# need other steps: chosen by training loss among 0.01, 0.03, 0.1, 0.3 and 1, none by validation or test data.
CLASSICAL = {"aac-logistic": {"lr": 0.3}, "kmer-logistic": {"lr": 1.0}, "embedding-logistic": {"lr": 0.03}}

NETWORKS = ("uptn", "hptn", "uctn", "hctn")
WITHOUT_TREES = ("gru*", "cnn1d", "*-logistic", "?ptn*", "ptn-frozen")


def _on(name: str, settings: ProteinSettings, about: str, arms: tuple[str, ...] = ("*",)) -> Protocol:
    return Protocol(settings, by_arm=CLASSICAL, about=about, arms=arms, datasets=(name,))


SMALL = {
    "proteins": _on(
        "scl2205",
        PROTEINS,
        "cytoplasm or membrane from the first 32 residues; 1,500 training and 300 validation proteins, half of each "
        "class, drawn by each seed among those without near relatives in the test set; all 981 test proteins",
    ),
    "deeploc": _on(
        "deeploc1_part",
        DEEPLOC,
        "the same question of DeepLoc 1.0: 437 training proteins less near relatives, 778 test and 215 hard ones",
        WITHOUT_TREES,
    ),
    "peptides": _on(
        "amp_tm",
        PEPTIDES,
        "antimicrobial or transmembrane from the first 16 residues; five folds without a family in two, one a seed",
    ),
}
SETS = ("scl2205", "deeploc1_part", "amp_tm")

_TINY = replace(PEPTIDES, n_train=80, length=8, epochs=2, evaluate_every=2, n_forgetting=4)
_AT_92 = replace(PROTEINS, n_train=0, n_valid=0, balanced=False, length=92, epochs=30, evaluate_every=10)
_AT_128 = replace(_AT_92, length=128)
_QUANTUM_ALONE = (*(f"{network}*" for network in NETWORKS), "ptn-frozen")

SCALES = {
    "smoke": Scale(
        {"peptides": _on("amp_tm", _TINY, "tiny, to see that everything runs")},
        datasets=("amp_tm",),
        seeds=1,
        minutes=0.2,
    ),
    "small": Scale(SMALL, datasets=SETS, seeds=5, minutes=4, without_files={"deeploc1_part": None}),
    "paper": Scale(
        {
            "length-92": _on(
                "scl2205",
                _AT_92,
                "all training proteins without near relatives in the test set, 92 residues: the length at which the "
                "hierarchical path has about 800 parameters; 30 epochs",
                WITHOUT_TREES,
            ),
            "length-128": _on("scl2205", _AT_128, "the same with 128 residues, which trees can take, too"),
            "two-qubits": _on(
                "scl2205", replace(_AT_92, n_qubits=2), "two qubits a word, 92 residues", ("gru", "cnn1d", "?ptn*")
            ),
            "words-of-three": _on(
                "scl2205",
                replace(_AT_92, length=32, kmer=3, reduced=True),
                "96 residues as 32 words of three, each residue as its class of hydropathy",
            ),
            "relatives": _on(
                "scl2205",
                replace(_AT_92, homologues="kept"),
                "the published split as it is, with near relatives on both sides",
                WITHOUT_TREES,
            ),
            "esm2": _on(
                "scl2205",
                replace(_AT_92, embed_fn="esm2_embedding:embed"),
                "logistic regression on ESM2 embeddings, which the user's module esm2_embedding gives",
                ("gru", "hptn", "embedding-logistic"),
            ),
            "deeploc": SMALL["deeploc"],
            "peptides": SMALL["peptides"],
        },
        datasets=SETS,
        seeds=5,
        minutes=1500,
        without_files={"deeploc1_part": None},
    ),
}
