"""Fast weight programmers whose fast network is a circuit: what do they forecast, and what do they know of order?"""

from __future__ import annotations

from replank.lab.study import Contrast, Study
from replank.lab.trial import Arm
from replank.parts.papers import CHEN2024FASTWEIGHTS
from replank.studies.quantum_fast_weights.claims import CLAIMS
from replank.studies.quantum_fast_weights.figures import FIGURES
from replank.studies.quantum_fast_weights.settings import SCALES
from replank.studies.quantum_fast_weights.trial import run

STUDY = Study(
    slug="quantum-fast-weights",
    title="Can a circuit that a linear network programs take the place of a recurrent one?",
    paper=CHEN2024FASTWEIGHTS,
    question=(
        "A slow linear network reads a sequence and adds, step by step, to the angles of a circuit: the angles are the "
        "memory, and nothing is fed back through the circuit. The recurrent core is swapped, between a classical LSTM, "
        "a quantum one, and fast weights with a circuit or with a classical network of the same parameters; windows, "
        "their order, optimiser and epochs stay. Beside them stand forecasts that need no training at all."
    ),
    arms=(
        Arm("lstm", "A classical LSTM of nearly the same size: 117 parameters against 111.", "baseline"),
        Arm("qfwp", "Fast weights as published: 8 qubits, 2 layers, 4 read-outs."),
        Arm("qlstm", "The paper's rival, as published: an LSTM of six circuits of 4 qubits, 149 parameters."),
        Arm("cfwp", "Fast weights with a random tanh network for the circuit, the same 111 parameters.", "control"),
        Arm("qfwp-unentangled", "Fast weights without CNOTs: each read-out is a sine of a sum.", "control"),
        Arm("qfwp-decay", "Fast weights that keep 0.9 of their angles at each step, so that order counts."),
        Arm("qfwp-ring", "Fast weights with the second entangler of the published code, which reaches all qubits."),
        Arm("echo-state", "100 random tanh units that are never trained, read by ridge regression.", "control"),
        Arm(
            "ridge", "Ridge regression of the four values, its penalty chosen on the last training windows.", "control"
        ),
        Arm("ar", "Least squares of the four values: an autoregression with five parameters.", "control"),
        Arm("persistence", "Tomorrow is like today: the last value.", "control"),
        Arm("random", "In grid worlds: every action alike, whatever is seen.", "control"),
    ),
    scales=SCALES,
    run=run,
    claims=CLAIMS,
    headline_metric="test_log10nmse",
    contrast=Contrast(
        arm="qfwp",
        same_size=("lstm", "cfwp", "qfwp-unentangled"),
        others=("qlstm", "ar", "echo-state", "persistence"),
        says=(
            "No forecast that an LSTM of the same size does not make: on the pendulum and on sunspots the LSTM's error "
            "is lower beyond doubt, elsewhere the two can't be told apart. A classical network in the circuit's place "
            "does about as well, and least squares on the same four values, with five parameters, beats all of them "
            "on every series."
        ),
        protocol="series",
    ),
    finding=(
        "Fast weights as published can't know in which order the earlier steps of a window came: updates add, and each "
        "depends on its own input alone. The output is the same, to rounding, for every permutation of all steps but "
        "the last. A decay below 1, which is ours, repairs that with no parameter more.",
        "What fast weights come to depends more on where training starts than on anything that is compared here: on "
        "the pendulum the best of five starts has an error sixteen times lower than the worst, where the quantum "
        "LSTM's five differ by a seventh. The official script makes one run without a seed. That is why most verdicts "
        "on errors are inconclusive. 100 epochs leave it so: the study's page tells of them.",
        "After 15 epochs, on average over starts, neither quantum model forecasts as well as repeating the last value, "
        "on any series; the classical LSTM does on the pendulum alone. Least squares needs no epoch.",
        "In the grid world the classical cores learn within 30,000 steps, and best of all does the classical network "
        "in the circuit's place, with the very same parameters. The circuit hardly gets beyond random actions.",
    ),
    figures=FIGURES,
)
