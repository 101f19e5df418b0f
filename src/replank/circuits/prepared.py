"""States that lines begin in by their amplitudes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from replank.circuits.finite import NO_DIRECTION, require_finite
from replank.circuits.lowering import Lowered
from replank.circuits.operations import PrepareAmplitudes


def prepared_state(lowered: Lowered, features: Tensor, parameters: Tensor, *, is_mixed: bool) -> Tensor | None:
    """The amplitudes that a circuit begins with, ``(G or 1, B, 2^n)``, complex; none if all lines begin in 0.

    Line 0 is the most significant bit of an index; lines that nothing is said of begin in 0.

    Args:
        lowered: the circuit.
        features: ``(G or 1, B, n_features)``.
        parameters: ``(G or 1, n_parameters)``.
        is_mixed: whether the second half of the lines are the columns of a density matrix.

    Raises:
        ValueError: the amplitudes of a sample are all zero.
    """
    if not lowered.prepared:
        return None
    n = lowered.n_lines // 2 if is_mixed else lowered.n_lines
    state = features.new_ones(1, features.shape[1], 1).to(features.dtype.to_complex())
    order: list[int] = []
    for lines, operation in lowered.prepared:
        amplitudes = _amplitudes(operation, features, parameters)
        state = (state[..., :, None] * amplitudes[..., None, :]).flatten(-2)
        order += lines
    rest = [line for line in range(n) if line not in order]
    padded = torch.stack((state, *[torch.zeros_like(state)] * (2 ** len(rest) - 1)), dim=-1)
    order += rest
    lead = padded.shape[:2]
    state = padded.reshape(*lead, *[2] * n).permute(0, 1, *[2 + order.index(line) for line in range(n)]).flatten(2)
    return (state[..., :, None] * state[..., None, :].conj()).flatten(-2) if is_mixed else state


def _amplitudes(operation: PrepareAmplitudes, features: Tensor, parameters: Tensor) -> Tensor:
    """Amplitudes of one preparation, ``(G or 1, B or 1, 2^k)``."""
    dtype = features.dtype.to_complex()
    if not operation.angles:
        return torch.tensor(operation.amplitudes).to(features.device, dtype)[None, None]
    batch = torch.broadcast_shapes(features.shape[:-1], (len(parameters), 1))  # type: ignore[no-untyped-call]
    values = [angle.evaluate(features, parameters[:, None]).expand(batch) for angle in operation.angles]
    padded = F.pad(torch.stack(values, -1), (0, 2 ** len(operation.wires) - len(values)))
    return _normalised(padded).to(dtype)


def _normalised(rows: Tensor) -> Tensor:
    # divided by the largest entry first: squares of large or small numbers leave the range of single precision
    largest = rows.abs().amax(-1, keepdim=True).detach()
    scaled = rows * require_finite(1 / largest, NO_DIRECTION)
    return scaled / torch.linalg.vector_norm(scaled, dim=-1, keepdim=True)
