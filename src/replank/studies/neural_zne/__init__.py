"""Zero-noise extrapolation by neural networks: what does a network add to a straight line, and to an exponential?"""

from __future__ import annotations

from replank.lab.study import Contrast, Study
from replank.lab.trial import Arm
from replank.parts.papers import BHATTACHARJEE2024
from replank.studies.neural_zne.claims import CLAIMS
from replank.studies.neural_zne.figures import FIGURES
from replank.studies.neural_zne.settings import SCALES, STANDARD
from replank.studies.neural_zne.trial import run

STUDY = Study(
    slug="neural-zne",
    title="Does a neural network extrapolate to zero noise better than a straight line or an exponential?",
    paper=BHATTACHARJEE2024,
    question=(
        "A circuit's energy is measured at the noise of a device and at more of it, and extrapolated to none. The "
        "extrapolator is swapped: a network that is fitted to the circuit's own values, the usual curves, a Gaussian "
        "process, and networks that have seen other circuits. Circuits, noise, shots and scales stay as they are."
    ),
    arms=(
        Arm("none", "The energy at the device's noise, taken as it is.", "baseline"),
        Arm("linear", "A straight line by least squares."),
        Arm("polynomial-2", "A parabola by least squares."),
        Arm("richardson-3", "The parabola through the first, the middle and the last value."),
        Arm("richardson-5", "The polynomial through all five values: least bias, most variance."),
        Arm("exponential", "An exponential that decays to 0, as depolarising noise makes it: the physical prior."),
        Arm("exponential-free", "An exponential with an asymptote of its own."),
        Arm("gp", "A Gaussian process: the usual nonparametric curve, with error bars.", "control"),
        Arm("ffnn", "The paper's: feed-forward networks from error probability to energy, an ensemble a circuit."),
        Arm("ffnn-full", "Interpolation, not ZNE: the network is given values of a tenth of the noise.", "control"),
        Arm("richardson-full", "Interpolation, not ZNE: a polynomial through the same values.", "control"),
        Arm("learned-linear", "One weight for each scale, learned from other circuits by least squares.", "control"),
        Arm("conditioned", "A network trained on other circuits; it sees values, angles, gates and noise."),
        Arm("conditioned-values", "The same without a description of the circuit.", "control"),
        Arm("conditioned-blind", "The same without noisy values: a surrogate that mitigates nothing.", "control"),
    ),
    scales=SCALES,
    run=run,
    claims=CLAIMS,
    headline_metric="median_error",
    contrast=Contrast(
        arm="ffnn",
        same_size=STANDARD,
        others=("none", "learned-linear", "conditioned"),
        says=(
            "Nothing: fitted to a circuit's own values, the paper's network has a larger median error than a straight "
            "line under every noise. Where noise is turned up directly and values are exact it is the last of all "
            "eight; with shots it overtakes those that multiply the noise of shots, and has twice the error of an "
            "exponential."
        ),
    ),
    finding=(
        "A network of tanh units levels off where its data end: nothing in its loss says what comes before them. With "
        "exact values it goes about half of the way from the device's value to the exact one. The ensemble's own error "
        "bars do not tell, for its members level off alike. The abstract does not say on which error probabilities the "
        "paper's network is trained; here no arm but those that end in -full is given less noise than the device has, "
        "and the fit itself refuses it.",
        "Given a tenth of the noise, the same network is forty times as accurate, and a polynomial through the same "
        "values ten thousand times more accurate still: that is interpolation, which needs a better device than there "
        "is.",
        "A network can win where it has seen other circuits, whose exact values must be simulated. Where noise is "
        "turned up by folding, which is not smooth in the scale, it is six times as accurate as the next best. With "
        "exact values of noise that is turned up directly, Richardson extrapolation from all five scales gets to "
        "errors of the same order on random circuits, or to none, and needs no training. With shots the network is not "
        "told apart from an exponential that knows that energies decay to 0. One that sees the circuit and no values "
        "learns nothing of use from some hundred circuits.",
        "Errors are of energies divided by the largest absolute eigenvalue of their Hamiltonian. Below 1e-12 they are "
        "rounding and count as that: errors of reading make energies polynomials of low degree, for which Richardson "
        "extrapolation is exact.",
    ),
    figures=FIGURES,
)
