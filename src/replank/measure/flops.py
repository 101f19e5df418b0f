"""How many floating-point operations a forward pass takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from replank.circuits.cost import counting_operations
from replank.measure.evaluation import evaluating

FLOP_COUNTER = (
    "torch FlopCounterMode, forward pass, 2 per multiply-add; plus eigh at 9n³ and matrix_exp at 10n³; complex "
    "arithmetic at 4 times the real; plus all operations of circuits' states; other element-wise operations are not "
    "counted"
)
"""What the number of :func:`forward_flops` means, to be printed beside it."""


def forward_flops(module: nn.Module, *inputs: Tensor) -> int:
    """Floating-point operations of one forward pass in evaluation mode, the same on every device.

    Counted: matrix and vector products, convolutions, attention, recurrent layers, eigendecompositions of symmetric
    matrices, matrix exponentials, and all that is done to the states of circuits. Everything else, element-wise
    operations and transforms made of them above all, is not. Work that does not depend on the input, such as building a
    unitary from its angles, is counted in full: it weighs most for a single sample.

    Args:
        module: what to run; it is left as it was.
        inputs: arguments of ``forward``; by convention one sample, as a batch of one.
    """
    counter = FlopCounterMode(display=False, custom_mapping=_FORMULAS)
    with evaluating(module), _no_fused_kernels(), counter, counting_operations() as circuits:
        module(*inputs)
    return counter.get_total_flops() + circuits.flops


@contextmanager
def _no_fused_kernels() -> Iterator[None]:
    """Make torch take attention and recurrent layers apart: the counter does not know all of their fused kernels."""
    fast_path = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH), torch.backends.cudnn.flags(enabled=False):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)


@dataclass(frozen=True)
class _RealOperations:
    """A formula for real numbers, made to count complex ones: a complex multiply-add takes four real ones."""

    formula: Callable[..., int]
    _get_raw: ClassVar[bool] = True  # asks FlopCounterMode for tensors, not shapes: a dtype is needed

    def __call__(self, *args: Any, **kwargs: Any) -> int:
        is_complex = any(isinstance(arg, Tensor) and arg.is_complex() for arg in args)
        return (4 if is_complex else 1) * self.formula(*args, **kwargs)


def _matrix_vector(matrix: Tensor, *_: Any, **__: Any) -> int:
    return 2 * matrix.numel()


def _inner_product(a: Tensor, *_: Any, **__: Any) -> int:
    return 2 * a.numel()


def _eigh(matrix: Tensor, *_: Any, **__: Any) -> int:
    # symmetric QR algorithm with eigenvectors: Golub and Van Loan, Matrix Computations, section 8.3. It takes 4n³/3
    # without them, but torch computes them even for eigvalsh while a dispatch mode looks on.
    n_matrices, n = math.prod(matrix.shape[:-2]), matrix.shape[-1]
    return n_matrices * 9 * n**3


def _matrix_exp(matrix: Tensor, *_: Any, **__: Any) -> int:
    # Taylor polynomial of degree 18 in five matrix products, which torch uses: Bader, Blanes and Casas, Mathematics 7
    # (2019) 1174. The squarings after it depend on the norm, so that they are left out of a count made from shapes.
    n_matrices, n = math.prod(matrix.shape[:-2]), matrix.shape[-1]
    return n_matrices * 5 * 2 * n**3


def _lstm_layer(sequence: Tensor, input_weight: Tensor, hidden_weight: Tensor, *_: Any, **__: Any) -> int:
    n_steps = math.prod(sequence.shape[:-1])
    return 2 * n_steps * (input_weight.numel() + hidden_weight.numel())


_ATEN = torch.ops.aten
_FORMULAS = {
    operation: _RealOperations(formula)
    for operation, formula in {
        **flop_registry,
        _ATEN.mv: _matrix_vector,
        _ATEN.dot: _inner_product,
        _ATEN.vdot: _inner_product,
        _ATEN._linalg_eigh: _eigh,
        _ATEN.linalg_matrix_exp: _matrix_exp,
        _ATEN.mkldnn_rnn_layer: _lstm_layer,  # LSTM on a CPU, which can't be taken apart without a warning
    }.items()
}
