"""Words that meet in a tree, with gates between its branches: a quantum convolutional network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from replank.parts._inspect import inspect
from replank.parts.papers import HARVEY2023
from replank.parts.sequence_encoder._chain import HandedOn, Site, apply_to_pair, merge_pair, shortest_bonds
from replank.parts.sequence_encoder._reduction import ReductionName
from replank.parts.sequence_encoder._tensor_network import Ansatz, Placer, Sharing, TensorNetwork, warn_of_rare
from replank.sources import Source


class ConvTensorNetwork(TensorNetwork):
    r"""Log-probabilities of one qubit at the root of a binary tree of words with gates between the branches.

    Replaces :class:`torch.nn.EmbeddingBag`, though order matters. At a level with m words a trained unitary U acts on
    the pairs (2, 3), (4, 5), ..., unless m = 2; then a trained unitary I on (1, 2), (3, 4), ..., of which the second
    word leaves. There are ``log2 L`` levels. A token that does not count is the padding's word. The head is one more
    block, after which qubit ``q // 2`` is measured; outputs are ``log(p + 1e-7)``.

    It is contracted exactly, as a chain of tensors whose bonds grow by the number of a word's coefficients a level and
    never beyond what the shorter side can hold: a treewidth of ``O(log L)``, never ``2^L`` numbers.

    With q = 1 and one layer of Sim14 there are ``3 V + 3`` parameters and 8 for each U and each I: 16 if uniform,
    ``8 (2 log2 L - 1)`` if hierarchical.

    Shape: ``(B, L) -> (B, 2)``, in the parameters' dtype.

    Args:
        num_embeddings: number of tokens, V.
        embedding_dim: two, the outcomes of a qubit.
        padding_idx: the token that does not count.
        n_qubits: q, of a word.
        n_layers: of the ansatz.
        sharing: ``"uniform"``: one pair (U, I); ``"hierarchical"``: one for each level.
        reduction: ``"discard"``: the second word is traced out; ``"postselect"``: it is measured, and runs in which it
            is not 0 are thrown away.
        ansatz: ``"sim14"``, ``"sim9"`` or ``"iqp"``; single qubits always get RX, RZ, RX.
        max_len: the longest sequence, a power of two; needed for hierarchical sharing.
        pad: whether sequences are filled up to a power of two with the padding's word.
        frozen: whether U and I stay as they are drawn, then from ``U(0, 2 pi)``.
        init_scale: angles are drawn from ``U(0, init_scale)``.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        UnknownName: no such sharing, reduction or ansatz.
        ValueError: a count less than 1, other than two outputs, a ``max_len`` that is missing or no power of two,
            padding that is asked for without a token for it; in ``forward``, lengths that are no power of two, or
            too long, and what the group refuses.

    Source: [harvey2023sequence], whose convolutional network it is; used for proteins in [kundu2024protein].
    """

    source = Source(HARVEY2023, where="convolutional tensor networks, and the code", provenance="official code")

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
        pad: bool = False,
        frozen: bool = False,
        init_scale: float = 0.01,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(num_embeddings, embedding_dim, padding_idx)
        if max_len is not None and max_len.bit_count() != 1:
            raise ValueError(f"ConvTensorNetwork: `max_len` must be a power of two, got max_len={max_len}.")
        if pad and padding_idx is None:
            raise ValueError("ConvTensorNetwork: pad=True needs a word to pad with, got padding_idx=None.")
        self.pad = pad
        self._set_up(
            n_qubits=n_qubits, n_layers=n_layers, sharing=sharing, reduction=reduction, ansatz=ansatz,
            max_len=max_len, frozen=frozen, init_scale=init_scale, device=device, dtype=dtype,
        )  # fmt: skip

    def _unitary_counts(self) -> dict[str, int]:
        levels = 1 if self.sharing == "uniform" or self.max_len is None else self.max_len.bit_length() - 1
        # the last level has no pair to entangle
        return {"entanglers": levels if self.sharing == "uniform" else levels - 1, "isometries": levels}

    def final_vectors(self, input: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """One level after the other."""
        words = self._word_vectors(self._filled(input, mask))
        entanglers = self._reduction.gate(self._unitaries("entanglers"))
        isometries = self._reduction.first_of_two(self._unitaries("isometries"))
        chain = [word[:, None, :, None] for word in words.unbind(1)]
        kept = [torch.ones_like(words[:, 0, 0].real)]
        level = 0
        while len(chain) > 1:
            row = level if self.sharing == "hierarchical" else 0
            bonds = [site.shape[-1] for site in chain[::2]]
            entangled = _entangled(chain, entanglers[row]) if len(chain) > 2 else list(chain)
            merged: list[Site] = []
            for left, right, bond in zip(entangled[::2], entangled[1::2], bonds, strict=True):
                site, size = self._reduction.rescaled(merge_pair(left, right, isometries[row], bond), 3)
                merged.append(site)
                kept.append(size.expand_as(kept[0]))
            chain = shortest_bonds(merged)
            level += 1
        sizes = torch.stack(kept)
        inspect(sizes, warn_of_rare)
        return chain[0][:, 0, :, 0], sizes.log().sum(0)

    def _filled(self, input: Tensor, mask: Tensor) -> Tensor:
        """Sequences whose length is a power of two, with the padding's word where a token does not count.

        Raises:
            ValueError: the length is no power of two and is not to be filled up, or is too long; a mask without a
                token to pad with.
        """
        length = input.shape[1]
        whole = 1 << (length - 1).bit_length()
        if whole != length and not self.pad:
            raise ValueError(
                f"ConvTensorNetwork: lengths must be powers of two, got {length}. Cut the sequences, or say pad=True."
            )
        if self.sharing == "hierarchical" and self.max_len is not None and whole > self.max_len:
            raise ValueError(
                f"ConvTensorNetwork: there are unitaries for max_len={self.max_len} words, got sequences of length "
                f"{length}. Cut them, or build the part for longer ones."
            )
        if self.padding_idx is None:
            inspect(mask, _check_all_counted)
            return input
        return functional.pad(input.masked_fill(~mask, self.padding_idx), (0, whole - length), value=self.padding_idx)

    def _place(self, tokens: Sequence[int | None], placer: Placer) -> None:
        for register, token in enumerate(tokens):
            known = self.padding_idx if token is None else token
            assert known is not None
            placer.put("words", known, (register,))
        registers, level = list(range(placer.n_registers)), 0
        while len(registers) > 1:
            row = level if self.sharing == "hierarchical" else 0
            if len(registers) > 2:
                for pair in zip(registers[1:-1:2], registers[2:-1:2], strict=True):
                    placer.put("entanglers", row, pair)
            for pair in zip(registers[::2], registers[1::2], strict=True):
                placer.put("isometries", row, pair)
                placer.drop(pair[1])
            registers, level = registers[::2], level + 1

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Both sharings and reductions, one qubit and two, and frozen."""
        return (
            {"num_embeddings": 4, "padding_idx": 0, "init_scale": 2.0},
            {
                "num_embeddings": 3,
                "sharing": "hierarchical",
                "max_len": 4,
                "reduction": "postselect",
                "init_scale": 1.0,
            },
            {"num_embeddings": 3, "padding_idx": 2, "n_qubits": 2, "pad": True, "init_scale": 1.5},
            {"num_embeddings": 3, "frozen": True, "reduction": "postselect", "init_scale": 2.0},
        )

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return f"{super().extra_repr()}, pad={self.pad}"


def _entangled(chain: list[Site], gate: Tensor) -> list[Site | HandedOn]:
    """A gate on each pair of neighbours between the outermost two words, which stay as they are."""
    inner = zip(chain[1:-1:2], chain[2:-1:2], strict=True)
    return [chain[0], *(site for pair in inner for site in apply_to_pair(*pair, gate)), chain[-1]]


def _check_all_counted(mask: Tensor) -> None:
    if not mask.all():
        raise ValueError(
            "ConvTensorNetwork: a token that does not count needs a word in its place, got padding_idx=None. Build the "
            "part with a padding token."
        )
