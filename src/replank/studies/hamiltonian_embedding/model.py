"""The models of all arms: what each is given of an image, and what it makes of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from replank.circuits import Circuit, QuantumLayer
from replank.circuits.angle import theta, x
from replank.circuits.image_hamiltonian import image_hamiltonian
from replank.circuits.observables import Probabilities
from replank.circuits.reuploading import ReuploadingClassifier
from replank.circuits.spectra import precompute
from replank.circuits.templates import amplitude_embedding, convolution_block
from replank.circuits.templates.blocks import place
from replank.circuits.templates.dense_qcnn import dense_qcnn, dense_qcnn_wires
from replank.circuits.unitary_blocks import BrickwallSU4, FullSU, RotationBlock, UnitaryBlock
from replank.parts.linear import GROUP, SoftmaxLinear
from replank.studies.hamiltonian_embedding.settings import DEPTHS, EmbeddingSettings

View = Callable[[Tensor], Tensor]
"""From images ``(n, N, N)`` to what a model is given of them."""

ROTATIONS_DEPTH = 5  # of RY and CNOT in a layer: as many angles, 15 for three qubits, as one tied SU(4) has


@dataclass(frozen=True)
class ArmModel:
    """A model and its view of the images.

    Args:
        module: from views to scores.
        view: what is made of the images once, before training.
        n_effective: how many trained numbers move the scores.
    """

    module: nn.Module
    view: View
    n_effective: int


Builder = Callable[[EmbeddingSettings, int], ArmModel]
"""From settings and the side of an image, a power of two, to a model; parameters are drawn from torch's generator."""


def build(arm: str, settings: EmbeddingSettings, side: int) -> ArmModel:
    """The model of an arm."""
    return BUILDERS[arm](settings, side)


# -- the embedding and its variants ------------------------------------------------------------------------------------


def published_block(settings: EmbeddingSettings, n_qubits: int, *, tied: bool = True, **options: Any) -> UnitaryBlock:
    """The trainable unitaries as published; the pairs of a chain share one gate, unless they are untied."""
    if settings.block == "full":
        return FullSU(n_qubits, settings.n_layers, **options)
    if settings.block == "brickwall":
        return BrickwallSU4(n_qubits, settings.n_layers, **options)
    return BrickwallSU4(n_qubits, settings.n_layers, _chain(n_qubits), tied=tied, **options)


def _chain(n_qubits: int) -> list[tuple[int, int]]:
    return [(qubit, qubit + 1) for qubit in range(n_qubits - 1)]


def embedding(
    settings: EmbeddingSettings,
    side: int,
    *,
    block: Callable[..., UnitaryBlock] = published_block,
    rotated: bool = False,
    shuffled: bool = False,
    **options: Any,
) -> ArmModel:
    """The re-uploading circuit.

    Args:
        settings: sizes.
        side: of an image.
        block: makes the trainable unitaries from settings and the number of qubits.
        rotated: whether all Hamiltonians are conjugated by one random orthogonal matrix.
        shuffled: whether the pixels of all images change places in one random way.
        options: of :class:`ReuploadingClassifier`.
    """
    n_qubits = _log2(side) + (options.get("mode") == "block")
    model = ReuploadingClassifier(
        settings.n_classes, block(settings, n_qubits), readout=range(settings.n_read_out), **options
    )
    return ArmModel(model.on_spectra(), _view(model, side, rotated, shuffled), model.n_effective)


def _view(model: ReuploadingClassifier, side: int, rotated: bool, shuffled: bool) -> View:
    orthogonal = torch.linalg.qr(torch.randn(side, side))[0] if rotated else None
    order = torch.randperm(side * side) if shuffled else None

    def view(images: Tensor) -> Tensor:
        if order is not None:
            images = images.flatten(1)[:, order.to(images.device)].reshape(images.shape)
        spectra = precompute(model.hamiltonians(images))
        return (spectra if orthogonal is None else spectra.conjugated(orthogonal.to(images.device))).pack()

    return view


def _full(settings: EmbeddingSettings, n_qubits: int) -> UnitaryBlock:
    return FullSU(n_qubits, settings.n_layers)


def _rotations(settings: EmbeddingSettings, n_qubits: int) -> UnitaryBlock:
    return RotationBlock(n_qubits, settings.n_layers, ROTATIONS_DEPTH)


# -- other encodings, on the compiled core -----------------------------------------------------------------------------


def qcnn(settings: EmbeddingSettings, side: int) -> ArmModel:
    """Amplitudes, then convolution and pooling; six weights of each convolution but the first are never used."""
    n = 2 * _log2(side)
    circuit = amplitude_embedding(n).extend(dense_qcnn(n, settings.n_convolutions))
    wires = dense_qcnn_wires(n, settings.n_convolutions)
    return _circuit(settings, circuit, wires, n_unused=6 * (settings.n_convolutions - 1))


def amplitude(settings: EmbeddingSettings, side: int) -> ArmModel:
    """Amplitudes, once, then chains of SU(4): as many layers as have no more weights than the untied circuit."""
    n = 2 * _log2(side)
    each, budget = 15 * (n - 1), 15 * (n // 2 - 1) * settings.n_layers
    circuit = amplitude_embedding(n)
    for _ in range(max(1, budget // each)):
        _append_chain(circuit)
    return _circuit(settings, circuit, range(n))


def angle(settings: EmbeddingSettings, side: int) -> ArmModel:
    """Each pixel once as an angle, spread over the layers, RY and RZ in turns on each qubit, and chains of SU(4)."""
    n, layers = _log2(side), settings.n_layers
    in_turn = math.ceil(side * side / (n * layers))  # rotations of a qubit in each layer
    circuit = Circuit(n)
    pixels = iter(range(side * side))
    for _ in range(layers):
        for turn, qubit in ((turn, qubit) for turn in range(in_turn) for qubit in range(n)):
            pixel = next(pixels, None)
            if pixel is not None:
                circuit.gate("RZ" if turn % 2 else "RY", (math.pi * x[pixel],), (qubit,))
        _append_chain(circuit)
    return _circuit(settings, circuit, range(n))


def _append_chain(circuit: Circuit) -> None:
    """An SU(4) of its own on each pair of neighbours, with the next weights."""
    for pair in _chain(circuit.n_qubits):
        start = circuit.n_parameters
        circuit.extend(place(convolution_block(), pair, circuit.n_qubits, theta[start : start + 15]))


def _circuit(settings: EmbeddingSettings, circuit: Circuit, wires: Any, *, n_unused: int = 0) -> ArmModel:
    """A circuit of flat images, read out on as few of the wires as have an outcome for each class."""
    read = tuple(wires)[: max(1, (settings.n_classes - 1).bit_length())]
    layer = QuantumLayer(circuit, Probabilities(read), init_scale=1.0)
    module = nn.Sequential(layer, _First(settings.n_classes))
    return ArmModel(module, flat, layer.theta.numel() - n_unused)


class _First(nn.Module):
    """The first so many outputs."""

    def __init__(self, n: int):
        super().__init__()
        self.n = n

    def forward(self, input: Tensor) -> Tensor:
        """Shape ``(*, k) -> (*, n)``."""
        return input[..., : self.n]


# -- classical controls ------------------------------------------------------------------------------------------------


def flat(images: Tensor) -> Tensor:
    """All pixels, ``(n, N^2)``."""
    return images.flatten(1)


def symmetrised(images: Tensor) -> Tensor:
    """What the symmetric embedding keeps: the upper triangle of ``(M + M^T) / 2``, ``(n, N (N + 1) / 2)``."""
    rows, columns = torch.triu_indices(images.shape[-1], images.shape[-1])
    return image_hamiltonian(images)[:, rows, columns]


def _classical(module: nn.Module, view: View = flat) -> ArmModel:
    return ArmModel(module, view, sum(parameter.numel() for parameter in module.parameters()))


def logistic(settings: EmbeddingSettings, side: int) -> ArmModel:
    """Logistic regression on the pixels."""
    return _classical(nn.Linear(side * side, settings.n_classes))


def logistic_symmetrised(settings: EmbeddingSettings, side: int) -> ArmModel:
    """Logistic regression on what the symmetric embedding keeps."""
    return _classical(nn.Linear(side * (side + 1) // 2, settings.n_classes), symmetrised)


def softmax_linear(settings: EmbeddingSettings, side: int) -> ArmModel:
    """A linear map whose scores are bounded as probabilities are."""
    return _classical(SoftmaxLinear(side * side, settings.n_classes, bias=False))


def linear_same_size(settings: EmbeddingSettings, side: int) -> ArmModel:
    """The strongest linear map with no more weights than the published circuit uses."""
    budget = _meta_size(settings, side, tied=True)
    return _classical(GROUP.same_size(nn.Linear(side * side, settings.n_classes), budget))


def mlp(settings: EmbeddingSettings, side: int, *, tied: bool = True) -> ArmModel:
    """One hidden layer of as many units as have no more weights than the published circuit uses."""
    n_in, n_out = side * side, settings.n_classes
    hidden = max(1, (_meta_size(settings, side, tied=tied) - n_out) // (n_in + n_out + 1))
    return _classical(nn.Sequential(nn.Linear(n_in, hidden), nn.Tanh(), nn.Linear(hidden, n_out)))


def _meta_size(settings: EmbeddingSettings, side: int, *, tied: bool) -> int:
    """How many trained numbers the published circuit uses: angles and times."""
    block = published_block(settings, _log2(side), tied=tied, device="meta")
    return block.n_effective + settings.n_layers


def _log2(side: int) -> int:
    return (side - 1).bit_length()


BUILDERS: Mapping[str, Builder] = {
    "qcnn": qcnn,
    "embedding": embedding,
    "embedding-untied": partial(embedding, block=partial(published_block, tied=False)),
    "embedding-one-start": embedding,
    **{f"layers-{n}": embedding for n in DEPTHS},  # their settings differ
    "fixed-times": partial(embedding, block=partial(published_block, tied=False), times="fixed"),
    "amplitude": amplitude,
    "angle": angle,
    "conjugated": partial(embedding, block=partial(published_block, tied=False), rotated=True),
    "shuffled-pixels": partial(embedding, block=partial(published_block, tied=False), shuffled=True),
    "full-blocks": partial(embedding, block=_full),
    "ry-cnot-blocks": partial(embedding, block=_rotations),
    "frozen-blocks": partial(embedding, block=partial(published_block, tied=False, frozen=True)),
    "hermitian": partial(embedding, block=partial(published_block, tied=False), mode="hermitian"),
    "two-blocks": partial(embedding, block=partial(published_block, tied=False), mode="block"),
    "logistic": logistic,
    "logistic-symmetrised": logistic_symmetrised,
    "linear-same-size": linear_same_size,
    "mlp": mlp,
    "mlp-untied": partial(mlp, tied=False),
    "softmax-linear": softmax_linear,
}
