"""States that lines begin in by their amplitudes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from replank.circuits.finite import NO_DIRECTION, require_finite
from replank.circuits.lowering import Lowered
from replank.circuits.operations import PrepareAmplitudes

_COMPLEX = {
    torch.float32: torch.complex64,
    torch.float64: torch.complex128,
}  # torch.compile knows no dtype.to_complex()


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
    first, *others = (_amplitudes(operation, features, parameters) for _, operation in lowered.prepared)
    state = first.expand(-1, features.shape[1], -1)
    for amplitudes in others:
        state = (state[..., :, None] * amplitudes[..., None, :]).flatten(-2)
    order = [line for lines, _ in lowered.prepared for line in lines]
    rest = [line for line in range(n) if line not in order]
    if rest:
        state = F.pad(state[..., None], (0, 2 ** len(rest) - 1)).flatten(-2)
        order += rest
    if order != list(range(n)):
        axes = [2 + order.index(line) for line in range(n)]
        state = state.reshape(*state.shape[:2], *[2] * n).permute(0, 1, *axes).flatten(2)
    return (state[..., :, None] * state[..., None, :].conj()).flatten(-2) if is_mixed else state


def _amplitudes(operation: PrepareAmplitudes, features: Tensor, parameters: Tensor) -> Tensor:
    """Amplitudes of one preparation, ``(G or 1, B or 1, 2^k)``."""
    dtype = _COMPLEX[features.dtype]
    if not operation.angles:
        return torch.tensor(operation.amplitudes).to(features.device, dtype)[None, None]
    if operation.feature_row is not None:  # thousands of amplitudes one by one take longer than the circuit
        first, count = operation.feature_row
        constants = [angle.constant for angle in operation.angles[count:]]
        numbers = torch.tensor(constants, dtype=torch.float64).to(features)
        row = features[..., first : first + count]
        values = torch.cat((row, numbers.expand(*row.shape[:-1], -1)), -1) if len(numbers) else row
    else:
        batch = torch.broadcast_shapes(features.shape[:-1], (len(parameters), 1))  # type: ignore[no-untyped-call]
        columns = [angle.evaluate(features, parameters[:, None]).expand(batch) for angle in operation.angles]
        values = torch.stack(columns, -1)
    padded = F.pad(values, (0, 2 ** len(operation.wires) - values.shape[-1]))
    return _normalised(padded).to(dtype)


def _normalised(rows: Tensor) -> Tensor:
    # divided by the largest entry first: squares of large or small numbers leave the range of single precision
    largest = require_finite(rows.abs().amax(-1, keepdim=True).detach())
    scaled = require_finite(rows / largest, NO_DIRECTION)
    return scaled / torch.linalg.vector_norm(scaled, dim=-1, keepdim=True)
