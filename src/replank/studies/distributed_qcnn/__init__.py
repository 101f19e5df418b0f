"""A distributed quantum convolution: does it matter that the circuit is cut, and does it matter that it is there?"""

from __future__ import annotations

from replank.lab.study import Contrast, Study
from replank.lab.trial import Arm
from replank.parts.papers import LI2025DISTRIBUTED
from replank.studies.distributed_qcnn.claims import CLAIMS
from replank.studies.distributed_qcnn.figures import FIGURES
from replank.studies.distributed_qcnn.settings import SCALES
from replank.studies.distributed_qcnn.trial import run

STUDY = Study(
    slug="distributed-qcnn",
    title="What changes when a quantum layer is cut into two, and what does the layer do in the first place?",
    paper=LI2025DISTRIBUTED,
    question=(
        "Between a convolutional network and a linear classifier stands a chain of two-qubit blocks on 8 qubits. The "
        "paper cuts the chain on one wire, runs fragments of 4 and 5 qubits, and puts the expectation values together "
        "again. Here the cut layer takes the place of the uncut one: in outputs, gradients, training, accuracy, "
        "executions and shots. And classical layers of the same shape take the place of both."
    ),
    arms=(
        Arm("qcnn", "The chain of 7 blocks on 8 qubits, 14 angles, run at once.", "baseline"),
        Arm("qcnn-cut-exact", "The same chain cut on wire 3: fragments of 4 and 5 qubits, 7 executions, exact values."),
        Arm("qcnn-cut-eigen", "Cut, with all six eigenstates prepared: the 8-term sum, 3 + 6 executions.", "control"),
        Arm("qcnn-cut-real", "Cut, without the term of Y, which is zero for real amplitudes: 5 executions.", "control"),
        Arm("qcnn-cut-twice", "Cut on wires 2 and 4: three fragments of at most 4 qubits, 19 executions.", "control"),
        Arm(
            "qcnn-cut-pool",
            "Cut, and every execution a task of its own on a pool of processes; gradients by parameter shift.",
        ),
        Arm("qcnn-shared", "All blocks share two angles, as a convolution shares its kernel.", "control"),
        Arm("qcnn-frozen", "Random angles that are never trained: does training the circuit matter?", "control"),
        Arm("qcnn-unentangled", "Without its CNOTs, a sine of each feature: does entanglement matter?", "control"),
        Arm("linear-tanh", "Linear(8, 8) and a tanh, 72 parameters: the classical layer of that shape.", "control"),
        Arm("diagonal-tanh", "A factor, an offset and a tanh for each number, 16 parameters for 14.", "control"),
        Arm("identity", "No middle layer: the classifier reads the angles. Does the middle do anything?", "control"),
    ),
    scales=SCALES,
    run=run,
    claims=CLAIMS,
    headline_metric="test_accuracy",
    contrast=Contrast(
        arm="qcnn",
        same_size=("linear-tanh", "diagonal-tanh"),
        others=("identity", "qcnn-frozen", "qcnn-unentangled", "qcnn-shared", "qcnn-cut-exact"),
        says="On no set can the quantum layer be told from a linear or a diagonal layer with a tanh in its place, and "
        "nothing in the middle does as well; digits and scans look better without its CNOTs than with them. Cutting it "
        "changes no output, gradient or training, only the price: seven circuits for one, and ten to sixteen times "
        "the shots.",
        protocol="images-*",
    ),
    finding=(
        "Only the abstract and a summary of the paper could be read: the block, the order of the encoding's gates, the "
        "range of the angles, the read-out and the training are ours. Its skin data sets are read from your files; "
        "without them the claims on them are “not tested”.",
        "The fragments run as tasks that know nothing of each other. In “qcnn-cut-pool” they run in other processes, "
        "and the widest circuit and the largest register that any of them held are counted there: five qubits.",
        "Theory gives 16 times the variance for each cut if one term of the sum is drawn for each shot. That is what "
        "is measured, 16 for one cut and 256 for two; but nobody has to draw terms. With as many shots for each of the "
        "seven executions, the same error takes about ten times the shots in all, and with two cuts about 25 times. "
        "Amplitudes are real here, so that the term of Y is zero: without it theory gives 9, and five executions.",
        "The synthetic lesions are drawn, and every arm tells all of them apart: they test nothing but that colour "
        "images run. Medical MNIST tests no medical task either: three numbers an image that see no anatomy give a "
        "random forest more than any of these networks has learned of it.",
    ),
    figures=FIGURES,
)
