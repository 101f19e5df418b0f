"""How much the state behind a sequence depends on each of its tokens."""

from __future__ import annotations

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from replank.circuits.channels import trace_distance
from replank.parts.sequence_encoder import ConvTensorNetwork, PathTensorNetwork
from replank.seeding import torch_stream


@torch.no_grad()
def forgetting_curve(part: PathTensorNetwork | ConvTensorNetwork, tokens: Tensor, *, seed: int) -> np.ndarray:
    """Mean trace distance of the final states of sequences that differ in one token only.

    Args:
        part: a tensor network.
        tokens: ``(n, L)``; places without a token that counts are left out of the mean.
        seed: of the token that is put there instead.

    Returns:
        ``(L,)``, for each place of the token; NaN where no sequence has one.
    """
    counted = part.counted(tokens)
    before = part.densities(tokens, counted)
    # another token than the one that is there, and never the padding, which is token 0
    shift = torch.randint(1, part.num_embeddings - 1, tokens.shape, generator=torch_stream(seed, "changed tokens"))
    others = 1 + (tokens - 1 + shift.to(tokens.device)) % (part.num_embeddings - 1)
    curve = np.full(tokens.shape[1], np.nan)
    for place in range(tokens.shape[1]):
        rows = counted[:, place]
        if rows.any():
            changed = tokens[rows].clone()
            changed[:, place] = others[rows, place]
            after = part.densities(changed, counted[rows])
            curve[place] = float(trace_distance(before[rows], after).mean())
    return curve


def recency(curve: np.ndarray) -> float:
    """Spearman's rank correlation of a curve with the place: 1 if each token counts for more than the one before."""
    known = np.flatnonzero(np.isfinite(curve))
    if len(known) < 3 or np.ptp(curve[known]) == 0:
        return 0.0
    return float(stats.spearmanr(known, curve[known]).statistic)
