"""Hamiltonian embedding: a whole image drives the time evolution of a few qubits, again and again."""

from __future__ import annotations

from replank.lab.study import Contrast, Study
from replank.lab.trial import Arm
from replank.parts.papers import WANG2024HAMILTONIAN
from replank.studies.hamiltonian_embedding.claims import CLAIMS
from replank.studies.hamiltonian_embedding.figures import FIGURES
from replank.studies.hamiltonian_embedding.settings import DEPTHS, SCALES
from replank.studies.hamiltonian_embedding.trial import run

STUDY = Study(
    slug="hamiltonian-embedding",
    title="Can qubits classify images by evolving under them?",
    paper=WANG2024HAMILTONIAN,
    question=(
        "The image, made symmetric, is the Hamiltonian of as many qubits as its side has bits. Evolution under it, "
        "for trained times, alternates with trained unitaries, and probabilities of outcomes are the scores of the "
        "classes. The paper compares this with a quantum convolutional network that holds the image in its "
        "amplitudes. Here encoding, trained unitaries and symmetrisation are exchanged one at a time, and linear "
        "models stand beside them."
    ),
    arms=(
        Arm("qcnn", "The image as amplitudes, then convolution and pooling: the paper's rival.", "baseline"),
        Arm("embedding", "As published; on digits both gates of a layer read the same angles, as in its code."),
        Arm("embedding-untied", "Each gate has angles of its own: the published circuit without the slip."),
        Arm(
            "embedding-one-start",
            "All seeds start from the same parameters, as in the published code: how much spread does that hide?",
        ),
        *(Arm(f"layers-{n}", f"The published circuit with {n} layers.") for n in DEPTHS),
        Arm("fixed-times", "Untied, every time fixed at one over the number of layers: does training times matter?"),
        Arm("amplitude", "Untied chains of SU(4) on the image as amplitudes: is it the Hamiltonian?"),
        Arm("angle", "Untied chains of SU(4) between pixels as angles, each pixel once: is it the Hamiltonian?"),
        Arm(
            "conjugated",
            "Untied, all Hamiltonians turned by one random orthogonal matrix: same spectra, no rows and columns.",
            "control",
        ),
        Arm(
            "shuffled-pixels",
            "Untied, pixels of all images moved in one random way: a linear model would not notice.",
            "control",
        ),
        Arm("full-blocks", "One full SU(2^n) a layer in the place of gates on pairs."),
        Arm("ry-cnot-blocks", "RY rotations and CNOTs in the place of gates on pairs, as many angles: real unitaries."),
        Arm("frozen-blocks", "Random unitaries that are never trained, only the times are: do they matter?", "control"),
        Arm("hermitian", "Untied, the antisymmetric part of the image kept as an imaginary one."),
        Arm("two-blocks", "Untied, the whole image kept off the diagonal, on one more qubit."),
        Arm("logistic", "Logistic regression on the pixels.", "control"),
        Arm("logistic-symmetrised", "Logistic regression on what the symmetric embedding keeps.", "control"),
        Arm("linear-same-size", "The strongest linear map with no more weights than the circuit uses.", "control"),
        Arm("mlp", "One hidden layer, no more weights than the published circuit uses.", "control"),
        Arm("mlp-untied", "One hidden layer, no more weights than the untied circuit uses.", "control"),
        Arm(
            "softmax-linear", "A linear map whose scores are bounded as probabilities are: is it the bound?", "control"
        ),
    ),
    scales=SCALES,
    run=run,
    claims=CLAIMS,
    headline_metric="test_accuracy",
    contrast=Contrast(
        arm="embedding",
        same_size=("logistic", "logistic-symmetrised", "linear-same-size", "mlp", "softmax-linear"),
        others=("qcnn", "amplitude", "embedding-untied", "frozen-blocks"),
        says=(
            "The published circuit beats the convolutional network that it is published against, and stays behind "
            "logistic regression on the same pixels. The same gates on the image's amplitudes do as well on digits, so "
            "that the gap to the network is no merit of the Hamiltonian."
        ),
    ),
    finding=(
        "Scores are probabilities without a factor, so that cross-entropy over eight classes can't fall below "
        "ln(1 + 7/e) = 1.27401, whatever the frequencies of the classes: the loss plot shows the line.",
        "In the published digits circuit both SU(4) gates of a layer read the same 15 of the layer's 30 angles: 465 "
        "numbers are allocated, 240 are used. “embedding” runs it as published, “embedding-untied” without the slip.",
        "All published runs of the embedding start from the same parameters, so that their spread is that of splits "
        "and orders alone. Here each seed has a start of its own; “embedding-one-start” shows the published way.",
        "The published accuracy on MNIST is the mean over test batches, the last of which has 17 images. Tables show "
        "the plain accuracy; the published one is recorded as test_batch_mean_accuracy, and claims at paper scale "
        "are judged on it.",
    ),
    figures=FIGURES,
)
