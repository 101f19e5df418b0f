"""Quantum recurrent networks as reservoirs: is it worth while to train the circuits, or to have them at all?"""

from __future__ import annotations

from replank.lab.study import Contrast, Study
from replank.lab.trial import Arm
from replank.parts.papers import CHEN2022RESERVOIR
from replank.studies.quantum_reservoir.claims import CLAIMS
from replank.studies.quantum_reservoir.figures import FIGURES
from replank.studies.quantum_reservoir.settings import SCALES
from replank.studies.quantum_reservoir.trial import run

STUDY = Study(
    slug="quantum-reservoir",
    title="Quantum recurrent networks as reservoirs: must the circuits be trained, must they be there?",
    paper=CHEN2022RESERVOIR,
    question=(
        "The cell of a recurrent network is swapped, between three classical ones and three whose gates are circuits; "
        "and so is what is trained: the whole network, or the linear read-out behind a cell that stays as it was "
        "drawn. Windows, their order, optimiser and epochs stay. Beside RMSprop, the read-out is solved for; beside "
        "the circuits stand random tanh units of the same number, echo state networks, and forecasts without any "
        "cell."
    ),
    arms=(
        Arm("lstm", "A classical LSTM with the state of the quantum ones: 3 units, 76 parameters.", "baseline"),
        Arm("rnn", "A classical RNN with 3 units, 22 parameters."),
        Arm("gru", "A classical GRU with 3 units, 58 parameters."),
        Arm("lstm-matched", "An LSTM with as many parameters as QLSTM, as nearly as can be: 4 units, 117.", "control"),
        Arm("rnn-matched", "An RNN with as many parameters as QRNN: 4 units, 33.", "control"),
        Arm("gru-matched", "A GRU with as many parameters as QGRU: 4 units, 89.", "control"),
        Arm("qrnn", "One circuit of 4 qubits and 2 layers in the place of the RNN's map, 28 parameters."),
        Arm("qgru", "Three circuits in the place of the GRU's gates, 76 parameters."),
        Arm("qlstm", "Four circuits in the place of the LSTM's gates, 100 parameters."),
        Arm("qlstm-six", "The LSTM of the published code, with six circuits, 149 parameters."),
        Arm("rnn-rc", "A random RNN; its read-out of 4 parameters is trained, as of all that follow."),
        Arm("gru-rc", "A random GRU."),
        Arm("lstm-rc", "A random LSTM."),
        Arm("rnn-matched-rc", "A random RNN with the parameters of QRNN, frozen ones included.", "control"),
        Arm("gru-matched-rc", "A random GRU with the parameters of QGRU.", "control"),
        Arm("lstm-matched-rc", "A random LSTM with the parameters of QLSTM.", "control"),
        Arm("qrnn-rc", "QRNN with random angles, drawn as in the published code: of spread 0.01."),
        Arm("qgru-rc", "QGRU likewise."),
        Arm("qlstm-rc", "QLSTM likewise."),
        Arm("qlstm-six-rc", "The published code's LSTM with the switch that it has for this."),
        Arm("qrnn-rc-uniform", "QRNN with angles drawn from the whole circle."),
        Arm("qgru-rc-uniform", "QGRU with angles drawn from the whole circle."),
        Arm("qlstm-rc-uniform", "QLSTM with angles drawn from the whole circle."),
        Arm("qlstm-six-rc-uniform", "The published code's LSTM with angles drawn from the whole circle."),
        Arm("qrnn-rc-unentangled", "QRNN with uniform angles and no CNOTs: a delay line, bent.", "control"),
        Arm("qgru-rc-unentangled", "QGRU with uniform angles and no CNOTs.", "control"),
        Arm("qlstm-rc-unentangled", "QLSTM with uniform angles and no CNOTs.", "control"),
        Arm("qrnn-rc-tanh", "QRNN whose circuit is replaced by random tanh units, of the same number.", "control"),
        Arm("qgru-rc-tanh", "QGRU whose circuits are replaced by random tanh units.", "control"),
        Arm("qlstm-rc-tanh", "QLSTM whose circuits are replaced by random tanh units.", "control"),
        Arm("echo-state-small", "An echo state network with as many units as the circuits give: 3.", "control"),
        Arm("echo-state", "An echo state network of the usual size: 100 units, ridge regression.", "control"),
        Arm("ridge", "Ridge regression of the four values, penalty chosen on the last training windows.", "control"),
        Arm("ar", "Least squares of the four values: an autoregression with five parameters.", "control"),
        Arm("persistence", "Tomorrow is like today: the last value.", "control"),
    ),
    scales=SCALES,
    run=run,
    claims=CLAIMS,
    headline_metric="test_log10nmse",
    contrast=Contrast(
        arm="qrnn-rc",
        same_size=("rnn-rc", "gru-rc", "lstm-rc", "qrnn-rc-tanh", "echo-state-small"),
        others=("qrnn-rc-uniform", "qrnn-rc-unentangled", "rnn-matched-rc", "echo-state", "ridge", "persistence"),
        says=(
            "No forecast that random classical cells with the same three state variables do not make: on NARMA10 and "
            "on sunspots the best of these is better beyond doubt, elsewhere the two can't be told apart. And that is "
            "the best of six quantum reservoirs, chosen by training error; ridge regression of the four values alone, "
            "with five parameters, is better on every series."
        ),
        protocol="[rd]*",
    ),
    finding=(
        "With the published angles, of spread 0.01, there is next to no reservoir. Without angles QRNN's first output "
        "is the present input, bent, and all others stay zero; with them, states move by 0.007 on average. What a "
        "linear read-out gets out of a QRNN is in numbers of that size, which ridge regression blows up and fifteen "
        "epochs of RMSprop do not.",
        "How a read-out is fitted matters more than whether the circuit is trained. Solved for, that of a QRNN that "
        "was never trained has a lower test error on NARMA5, NARMA10 and sunspots than the same cell with all weights "
        "trained for fifteen epochs; on the other two series the two can't be told apart.",
        "In the circuit's own place random tanh units do worse on the pendulum and on J2, and elsewhere can't be told "
        "from it. They are drawn from [-1, 1], as an echo state network's input weights; other scales were not tried.",
        "Settling early is no merit. On both NARMA series QLSTM's read-out settles first of the three, within three "
        "epochs: it has learnt the mean and nothing else, and its error is the variance of the targets.",
        "Quantum reservoirs remember less than classical ones with the same state: 0.5 to 0.8 inputs against 0.9 to "
        "1.7, where the last four values themselves hold three. A gate that is the sigmoid of an expectation value "
        "can't close: it keeps at most 73 %, a time constant of 3.2 steps.",
    ),
    figures=FIGURES,
)
