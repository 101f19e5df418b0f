"""Proteins as sentences: do quantum tensor networks of amino acids see more than which amino acids there are?"""

from __future__ import annotations

from replank.lab.study import Contrast, Study
from replank.lab.trial import Arm
from replank.parts.papers import KUNDU2024
from replank.studies.quantum_tensor_networks_protein.claims import CLAIMS
from replank.studies.quantum_tensor_networks_protein.figures import FIGURES
from replank.studies.quantum_tensor_networks_protein.settings import SCALES
from replank.studies.quantum_tensor_networks_protein.trial import run

_KINDS = {
    "uptn": "a path of words with one unitary",
    "hptn": "a path of words with a unitary for each position",
    "uctn": "a tree of words with one pair of unitaries",
    "hctn": "a tree of words with a pair of unitaries for each level",
}

STUDY = Study(
    slug="quantum-tensor-networks-protein",
    title="Do quantum tensor networks read proteins, or only count amino acids?",
    paper=KUNDU2024,
    question=(
        "A protein is a sentence whose words, amino acids, are trained states of one qubit. A network of trained "
        "unitaries joins them two at a time, in a path or in a tree, and one qubit is measured at the end. The encoder "
        "of the sequence is swapped: four networks, each with qubits discarded or post-selected, recurrent and "
        "convolutional networks with no more parameters, and logistic regressions on what occurs in the sequence."
    ),
    arms=(
        Arm("gru", "A gated recurrent unit with no more parameters than hptn.", "baseline"),
        Arm("cnn1d", "A convolution and maximum with no more parameters than hptn.", "control"),
        Arm("gru-973", "A gated recurrent unit with 973 parameters, about the paper's 800.", "control"),
        Arm("aac-logistic", "Logistic regression on the composition of the same residues: 21 parameters.", "control"),
        Arm("kmer-logistic", "Logistic regression on pairs of neighbouring residues: 401 parameters.", "control"),
        Arm(
            "embedding-logistic",
            "Logistic regression on numbers for the whole protein: its composition, or what the setting embed_fn "
            "names.",
            "control",
        ),
        *(Arm(name, f"{about[0].upper()}{about[1:]}; qubits are discarded.") for name, about in _KINDS.items()),
        *(
            Arm(f"{name}-postselect", f"{about[0].upper()}{about[1:]}; qubits are post-selected.")
            for name, about in _KINDS.items()
        ),
        Arm(
            "ptn-frozen",
            "hptn with random unitaries, of which only words and head are trained: does training them matter?",
            "control",
        ),
    ),
    scales=SCALES,
    run=run,
    claims=CLAIMS,
    headline_metric="test_balanced_accuracy",
    contrast=Contrast(
        arm="hptn",
        same_size=("gru", "cnn1d"),
        others=("aac-logistic", "kmer-logistic", "embedding-logistic", "ptn-frozen"),
        says=(
            "Nothing on these data: where qubits are discarded, the hierarchical path is less accurate than a count of "
            "the very same residues with 21 parameters, on all three sets, and no better than a recurrent or "
            "convolutional network of its size. With post-selection in the place of discarding it comes level with "
            "them, at the price of keeping about one run in a thousand."
        ),
    ),
    finding=(
        "Where qubits are discarded, each step is a channel: probabilities sum to 1 by themselves, and what two "
        "beginnings have lost of their difference, no later step brings back. With random unitaries the final state "
        "depends on little but the last few residues. Training starts near the identity, which hands the first of two "
        "words on as it is. Trained paths come to depend on all residues but the first about alike, as a count does; "
        "trained trees mostly on the first few. Post-selection is not bound by this: it divides, and can amplify. "
        "Here it is better in all four networks and on all three sets; its price in runs is measured.",
        "Relatives: SCL2205 is published as homology-reduced, yet 70 of the 981 test proteins of both classes share a "
        "fifth or more of the shorter one's 5-mers with a training protein, and 7 are training proteins. Training "
        "proteins that are such relatives of a test or validation protein, and validation proteins that are of a test "
        "protein, are left out here (111 of 6,202), as are those of DeepLoc (3 of 437); test sets stay as published. "
        "Peptides are dealt into folds by families, which share half of their 3-mers. The rule finds near relatives, "
        "of about 70 % identity or more, and no remote ones: for these there is only the sets' own reduction. The "
        "protocol “relatives” at the paper's scale runs the published split as it is.",
        "What is seen: networks, recurrent and convolutional ones read the first 32 residues, or 16 of peptides. The "
        "arm embedding-logistic sees whole proteins: their composition, with 21 parameters, is the best of all arms on "
        "every set. Embeddings of a language model can take its place by a setting; their weights are a download, so "
        "that the paper's comparison with ESM2 is not tested here.",
        "The paper's proteins, length, training and qubits per word are not known to us. Networks are those of Harvey "
        "et al. (2023), whose public code gave definitions and training; the formula 66 + 8 (L - 1) gives 794 "
        "parameters at 92 residues, which fits the paper's “about 800”.",
    ),
    figures=FIGURES,
)
