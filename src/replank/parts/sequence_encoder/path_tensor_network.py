"""Words that meet one after the other: a quantum recurrent network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from replank.circuits.channels import kraus_from_isometry
from replank.parts._inspect import inspect
from replank.parts.papers import HARVEY2023
from replank.parts.sequence_encoder._reduction import ReductionName
from replank.parts.sequence_encoder._tensor_network import Ansatz, Placer, Sharing, TensorNetwork, warn_of_rare
from replank.sources import Source


class PathTensorNetwork(TensorNetwork):
    r"""Log-probabilities of one qubit behind a chain of words: ``s_{t+1} = D[U_t (s_t (x) word(x_{t+1}))]``.

    Replaces :class:`torch.nn.EmbeddingBag`, though order matters. A word is a trained state of q qubits, U a trained
    unitary on two words, and D keeps the first of them. A token that does not count leaves the state as it is; if it is
    the first, the state begins in 0. The head is one more block, after which qubit ``q // 2`` is measured; outputs are
    ``log(p + 1e-7)``. Cost grows as L, never as ``2^L``.

    With q = 1 and one layer of Sim14 there are ``3 V + 3`` parameters and 8 for each U; with q > 1, ``4 q`` a word and
    for the head, ``8 q`` for each U, times ``n_layers``.

    Shape: ``(B, L) -> (B, 2)``, in the parameters' dtype.

    Args:
        num_embeddings: number of tokens, V.
        embedding_dim: two, the outcomes of a qubit.
        padding_idx: the token that does not count.
        n_qubits: q, of a word.
        n_layers: of the ansatz.
        sharing: ``"uniform"``: one U; ``"hierarchical"``: one for each position.
        reduction: ``"discard"``: the second word is traced out; ``"postselect"``: it is measured, and runs in which it
            is not 0 are thrown away.
        ansatz: ``"sim14"``, ``"sim9"`` or ``"iqp"``; single qubits always get RX, RZ, RX.
        max_len: the longest sequence; needed for hierarchical sharing.
        frozen: whether U stays as it is drawn, then from ``U(0, 2 pi)``.
        init_scale: angles are drawn from ``U(0, init_scale)``.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        UnknownName: no such sharing, reduction or ansatz.
        ValueError: a count less than 1, other than two outputs, no ``max_len`` where it is needed; in ``forward``,
            sequences longer than that, and what the group refuses.

    Source: [harvey2023sequence], whose path network it is; used for proteins in [kundu2024protein].
    """

    source = Source(HARVEY2023, where="path tensor networks, and the code", provenance="official code")

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int = 2,
        *,
        padding_idx: int | None = None,
        n_qubits: int = 1,
        n_layers: int = 1,
        sharing: Sharing = "uniform",
        reduction: ReductionName = "discard",
        ansatz: Ansatz = "sim14",
        max_len: int | None = None,
        frozen: bool = False,
        init_scale: float = 0.01,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(num_embeddings, embedding_dim, padding_idx)
        self._set_up(
            n_qubits=n_qubits, n_layers=n_layers, sharing=sharing, reduction=reduction, ansatz=ansatz,
            max_len=max_len, frozen=frozen, init_scale=init_scale, device=device, dtype=dtype,
        )  # fmt: skip

    def _unitary_counts(self) -> dict[str, int]:
        return {"steps": 1 if self.sharing == "uniform" or self.max_len is None else self.max_len - 1}

    def step_kraus(self) -> Tensor:
        """The Kraus matrices of each step that discards, ``(n_steps, 2^q, 2^q, 4^q)``: channels from two words."""
        return kraus_from_isometry(self._unitaries("steps"), (0,), (2**self.n_qubits,) * 2)

    def final_vectors(self, input: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """One word after the other."""
        length = input.shape[1]
        self._check_length(length)
        words = self._word_vectors(input)
        steps = self._reduction.first_of_two(self._unitaries("steps"))[: length - 1].expand(length - 1, -1, -1)
        ground = words.new_zeros(2**self.n_qubits, dtype=words.dtype.to_complex())
        ground = self._reduction.words(torch.eye(len(ground), dtype=ground.dtype, device=ground.device)[0])
        state = torch.where(mask[:, :1], words[:, 0], ground)
        kept = []
        for word, counts, step in zip(words[:, 1:].unbind(1), mask[:, 1:].unbind(1), steps.mT, strict=True):
            both = (state[:, :, None] * word[:, None, :]).flatten(1)
            state, weight = self._reduction.rescaled(torch.where(counts[:, None], both @ step, state), 1)
            kept.append(weight)
        if not kept:
            return state, torch.zeros_like(state[:, 0].real)
        weights = torch.stack(kept)
        inspect(weights, warn_of_rare)
        return state, weights.log().sum(0)

    def _check_length(self, length: int) -> None:
        if self.sharing == "hierarchical" and self.max_len is not None and length > self.max_len:
            raise ValueError(
                f"PathTensorNetwork: there is a unitary for each of max_len={self.max_len} positions, got sequences of "
                f"length {length}. Cut them, or build the part for longer ones."
            )

    def _place(self, tokens: Sequence[int | None], placer: Placer) -> None:
        for position, token in enumerate(tokens):
            if token is None:
                continue
            placer.put("words", token, (position,))
            if position:
                placer.put("steps", position - 1 if self.sharing == "hierarchical" else 0, (0, position))
                placer.drop(position)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Both sharings and reductions, one qubit and two, each ansatz, and frozen."""
        return (
            {"num_embeddings": 4, "padding_idx": 0, "init_scale": 2.0},
            {
                "num_embeddings": 3,
                "sharing": "hierarchical",
                "max_len": 5,
                "reduction": "postselect",
                "init_scale": 1.0,
            },
            {"num_embeddings": 3, "padding_idx": 2, "n_qubits": 2, "n_layers": 2, "init_scale": 1.5},
            {"num_embeddings": 3, "ansatz": "sim9", "frozen": True, "reduction": "postselect", "init_scale": 2.0},
            {"num_embeddings": 3, "ansatz": "iqp", "n_qubits": 2, "init_scale": 2.0},
        )
