"""The arms' models: token numbers to logits."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from replank.datasets.proteins import PADDING
from replank.errors import UsageError
from replank.parts.sequence_encoder import (
    ConvolutionEncoder,
    ConvTensorNetwork,
    GRUEncoder,
    KmerComposition,
    PathTensorNetwork,
)
from replank.studies.quantum_tensor_networks_protein.settings import ProteinSettings

EmbedFn = Callable[[Sequence[str]], Any]
"""From whole proteins to an array of numbers ``(n, d)``."""

EMBEDDED = "embedding-logistic"
SHARINGS = {"u": "uniform", "h": "hierarchical"}
AS_PUBLISHED = ProteinSettings(classes=("Cytoplasm", "Membrane"), length=92)
N_TOKENS = 21  # 20 amino acids and the padding
ABOUT_PAPERS_SIZE = {"token_size": 8, "hidden_size": 12}  # 973 parameters for 21 tokens


def build(arm: str, settings: ProteinSettings, n_tokens: int) -> nn.Module:
    """An arm's model of token numbers ``(B, L)``.

    The classical encoders ``gru`` and ``cnn1d`` have no more parameters than ``hptn``.
    """
    common: dict[str, Any] = {"padding_idx": PADDING}
    match arm:
        case "aac-logistic":
            return KmerComposition(n_tokens, **common)
        case "kmer-logistic":
            return KmerComposition(n_tokens, k=2, **common)
        case "gru-973":
            return GRUEncoder(n_tokens, **ABOUT_PAPERS_SIZE, **common)
        case "gru":
            return GRUEncoder.within(budget(settings, n_tokens), n_tokens, **common)
        case "cnn1d":
            return ConvolutionEncoder.within(budget(settings, n_tokens), n_tokens, **common)
        case "ptn-frozen":
            return network("hptn", settings, n_tokens, frozen=True)
    name, _, rest = arm.partition("-")
    return network(name, settings, n_tokens, reduction="postselect" if rest == "postselect" else "discard")


def network(name: str, settings: ProteinSettings, n_tokens: int, **options: Any) -> nn.Module:
    """A tensor network by its short name, ``"uptn"`` or ``"hctn"``."""
    kind = {"ptn": PathTensorNetwork, "ctn": ConvTensorNetwork}[name[1:]]
    return kind(
        n_tokens,
        padding_idx=PADDING,
        n_qubits=settings.n_qubits,
        n_layers=settings.n_layers,
        sharing=SHARINGS[name[0]],
        max_len=settings.length,
        **options,
    )


def budget(settings: ProteinSettings, n_tokens: int) -> int:
    """The parameters of the hierarchical path network."""
    with torch.device("meta"):
        return sum(each.numel() for each in network("hptn", settings, n_tokens).parameters())


def parameters_as_published(arm: str) -> dict[str, float]:
    """The parameters of the paper's best network at the length that gives about as many as it says; of no other."""
    if arm != "hptn":
        return {}
    return {"parameters_at_92": float(budget(AS_PUBLISHED, N_TOKENS))}


class EmbeddingLogistic(nn.Module):
    """Logistic regression on numbers that stand for whole proteins: ``(B, d) -> (B, 2)``, the first logit being 0."""

    def __init__(self, n_features: int):
        super().__init__()
        self.linear = nn.Linear(n_features, 1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Logits."""
        return nn.functional.pad(self.linear(features), (1, 0))


def find_embedding(path: str) -> EmbedFn:
    """The function that ``"module:function"`` names.

    Raises:
        UsageError: there is none.
    """
    module, _, name = path.partition(":")
    try:
        function: EmbedFn = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(
            f"embed_fn: must name a function as module:function, got {path!r} ({error}). Weights of protein language "
            "models are a download; a module of one's own that loads them must be on the path."
        ) from error
    return function


def embedded(path: str, strings: Sequence[str]) -> np.ndarray:
    """What a function makes of whole proteins, ``(n, d)``, float32.

    Raises:
        UsageError: it gives no row of finite numbers for each.
    """
    features = np.asarray(find_embedding(path)(strings), np.float32)
    if features.ndim != 2 or len(features) != len(strings) or not np.isfinite(features).all():
        raise UsageError(
            f"embed_fn: must give finite numbers of shape ({len(strings)}, d), got shape {features.shape} from {path}."
        )
    return features
