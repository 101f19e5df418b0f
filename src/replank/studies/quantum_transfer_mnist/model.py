"""The pipeline's pieces: from latent features to a classifier's input, and the classifier."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from replank.circuits import Probabilities, QuantumLayer
from replank.circuits.templates import hardware_efficient_layers
from replank.features.angle_scaler import AngleScaler
from replank.features.pca import PCAProjector
from replank.features.quantum_map import Hadamard, QuantumFeatureMap, feature_circuit, product_xor_features
from replank.features.random_maps import RandomFourierFeatures, RandomReLUFeatures
from replank.lab.feature_maps import MapBuilder

MODES: tuple[Hadamard, ...] = ("none", "first", "all")
SHOTS = (100, 1024, 10_000, 100_000)
WIDTHS = (128, 64)


def classifier(n_features: int, n_classes: int, dropout: float) -> nn.Sequential:
    """``n_features``-128-64-``n_classes`` with batch normalisation, ReLU and dropout behind each hidden layer.

    The first layer is drawn last, so that all others start alike for any number of features.
    """
    wide, narrow = WIDTHS
    rest = [
        nn.BatchNorm1d(wide), nn.ReLU(), nn.Dropout(dropout),
        nn.Linear(wide, narrow), nn.BatchNorm1d(narrow), nn.ReLU(), nn.Dropout(dropout),
        nn.Linear(narrow, n_classes),
    ]  # fmt: skip
    return nn.Sequential(nn.Linear(n_features, wide), *rest)


class ProductFeatures(nn.Module):
    """The closed form of the quantum feature map, in its place."""

    def __init__(self, hadamard: Hadamard):
        super().__init__()
        self.hadamard: Hadamard = hadamard

    def forward(self, angles: Tensor) -> Tensor:
        """``(*, n) -> (*, 2^n)``."""
        return product_xor_features(angles, self.hadamard)


class Pipeline:
    """All arms' feature maps, each of latent features ``(n, n_latents)``; fitted on those of the training set alone.

    Args:
        training: latent features of the training set.
        n_components: principal components, one qubit each.
        n_trained_layers: layers of the circuit that is trained.
    """

    def __init__(self, training: Tensor, *, n_components: int, n_trained_layers: int):
        self.pca = PCAProjector(n_components).fit(training)
        self.scaler = AngleScaler().fit(self.pca(training))
        self.maps = self._maps(training, n_components, n_trained_layers)

    def angles(self, latents: Tensor) -> Tensor:
        """One angle a qubit, in [0, pi]: ``(n, n_components)``."""
        return self.scaler(self.pca(latents))

    def _maps(self, training: Tensor, n: int, n_layers: int) -> dict[str, MapBuilder]:
        quantum = partial(QuantumFeatureMap, n)
        of_angles: dict[str, Callable[[], nn.Module]] = {
            **{f"quantum-{mode}": partial(quantum, mode) for mode in MODES},
            "product-none": partial(ProductFeatures, "none"),
            **{f"no-cnots-{mode}": partial(quantum, mode, entangle=False) for mode in MODES},
            **{f"shots-{shots}": partial(quantum, shots=shots) for shots in SHOTS},
            "fourier": partial(RandomFourierFeatures, n, 2**n),
            "relu": partial(RandomReLUFeatures, n, 2**n),
            "trained-circuit": partial(trained_circuit, n, n_layers),
        }
        return {
            "latents": nn.Identity,
            "pca": lambda: self.pca,
            **{arm: partial(self._behind_angles, build) for arm, build in of_angles.items()},
            "trained-angles": lambda: nn.Sequential(trained_angles(self.pca, self.scaler), quantum()),
            "trained-five": lambda: trained_angles(self.pca, self.scaler),
            "v1-reupload": partial(reuploading_map, training, n),
        }

    def _behind_angles(self, build: Callable[[], nn.Module]) -> nn.Module:
        return nn.Sequential(self.pca, self.scaler, build())


def reuploading_map(training: Tensor, n_qubits: int) -> nn.Sequential:
    """All latent features as angles, a qubit each at a time, with Hadamards on all qubits as v1's abstract says."""
    scaler = AngleScaler().fit(training)
    return nn.Sequential(scaler, QuantumFeatureMap(n_qubits, "all", n_features=training.shape[1]))


def trained_circuit(n_qubits: int, n_layers: int) -> QuantumLayer:
    """The fixed circuit with trained layers behind it, whose angles start near zero."""
    circuit = feature_circuit(n_qubits).extend(hardware_efficient_layers(n_qubits, n_layers))
    return QuantumLayer(circuit, Probabilities(), init_scale=0.1)


@torch.no_grad()
def trained_angles(pca: PCAProjector, scaler: AngleScaler) -> nn.Linear:
    """A trainable affine map that starts as the angles of the frozen pipeline, without the clipping."""
    low, high = scaler.range
    per_unit = (high - low) / (scaler.greatest - scaler.least)
    layer = nn.Linear(pca.components.shape[1], pca.n_components, device=pca.mean.device, dtype=pca.mean.dtype)
    layer.weight.copy_(per_unit[:, None] * pca.components)
    layer.bias.copy_(low - per_unit * (pca.components @ pca.mean + scaler.least))
    return layer


def closed_form_gap(arm: str, angles: Tensor) -> dict[str, float]:
    """The largest difference between an exact quantum arm's features and their closed form; nothing of other arms."""
    exact = {f"{kind}-{mode}": (mode, kind == "quantum") for kind in ("quantum", "no-cnots") for mode in MODES}
    if arm not in exact:
        return {}
    measured = QuantumFeatureMap(angles.shape[1], *exact[arm])(angles)
    return {"closed_form_gap": float((measured - product_xor_features(angles.double(), *exact[arm])).abs().max())}
