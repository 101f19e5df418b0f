"""A data re-uploading circuit whose data Hamiltonian is the whole feature vector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from replank.circuits import reuploading_states, su_unitary
from replank.circuits.evolution import series_states
from replank.parts._angles import KeepsComplex, Parametrisation, angle_parameter, draw_normal
from replank.parts.linear._interface import LinearPart
from replank.parts.papers import WANG2024CREEP
from replank.sources import Source

_MOST_QUBITS = 12

Times = Literal["fixed", "trainable"]


class HamiltonianReuploadLinear(KeepsComplex, LinearPart):
    r"""Probabilities of a circuit that alternates evolution under the features with trainable unitaries.

    Replaces :class:`torch.nn.Linear`. The features, zero-padded on the right to ``4^n`` and read row by row as a matrix
    ``M``, give the Hamiltonian ``H = (M + M^T) / 2``. From ``|+>^n``, each of ``n_reps`` repetitions applies
    ``exp(+i H t_r)`` and then ``exp(+i sum_k theta_rk P_k)``, over all Pauli strings but the identity. Outputs are the
    probabilities of the first ``out_features`` basis states, qubit 0 being the most significant bit, plus a bias. They
    are *not* a linear function of the input, and the input's antisymmetric part is not seen at all.

    Shape: ``(*, in_features) -> (*, out_features)``, same dtype and device as the input. Half precision is computed in
    single.

    Args:
        in_features: size of each input, at most ``4^n_qubits``.
        out_features: size of each output, at most ``2^n_qubits``.
        bias: whether to add a learned bias.
        n_qubits: number of qubits; the smallest that holds both sizes if not given. At most 12.
        n_reps: number of repetitions.
        times: ``"fixed"`` at ``1 / n_reps``, or ``"trainable"``: one for each repetition, starting there.
        init_scale: standard deviation of the initial angles and biases.
        parametrisation: ``"real"`` angles, or ``"complex"`` ones, whose matrices do not stay unitary in training and
            whose outputs then are no probabilities.
        device: of the parameters.
        dtype: of the parameters' real parts.

    Raises:
        ValueError: too few or too many qubits, no repetition, an option that does not exist; in ``forward``, another
            number of features, or a NaN or infinite one.

    Source: [wang2024creep], DataReUploadingLinear of the official code. Differs: angles are real unless asked
    otherwise, as in its JAX version; the torch version has complex ones. Trainable times and ``init_scale`` are ours.
    """

    source = Source(WANG2024CREEP, where="DataReUploadingLinear", provenance="official code")

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        n_qubits: int | None = None,
        n_reps: int = 10,
        times: Times = "fixed",
        init_scale: float = 1.0,
        parametrisation: Parametrisation = "real",
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(in_features, out_features, bias, device, dtype)
        self.n_qubits = _checked_qubits(in_features, out_features, n_qubits)
        if n_reps < 1:
            raise ValueError(f"HamiltonianReuploadLinear: there must be a repetition, got n_reps={n_reps}.")
        if times not in get_args(Times):
            raise ValueError(f'HamiltonianReuploadLinear: `times` must be "fixed" or "trainable", got {times!r}.')
        self.n_reps, self.init_scale, self.parametrisation = n_reps, init_scale, parametrisation
        self.theta = angle_parameter(
            n_reps,
            4**self.n_qubits - 1,
            parametrisation=parametrisation,
            owner=type(self).__name__,
            device=device,
            dtype=dtype,
        )
        self.times = nn.Parameter(torch.empty(n_reps, device=device, dtype=dtype)) if times == "trainable" else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw real angles and biases from N(0, init_scale^2); times start at ``1 / n_reps``."""
        draw_normal(self.theta, self.init_scale)
        if self.bias is not None:
            draw_normal(self.bias, self.init_scale)
        if self.times is not None:
            nn.init.constant_(self.times, 1 / self.n_reps)

    def forward(self, input: Tensor) -> Tensor:
        """Probabilities of the first ``out_features`` outcomes, plus bias."""
        return self._read_out(self.probabilities(input))

    def probabilities(self, input: Tensor) -> Tensor:
        """Probabilities of all ``2^n`` outcomes, qubit 0 being the most significant bit.

        Shape: ``(*, in_features) -> (*, 2^n_qubits)``. They sum to one, unless the parametrisation is complex.
        """
        self._check_input(input)
        return self._probabilities(input, reuploading_states)

    def unitaries(self) -> Tensor:
        """The trainable matrices, ``(n_reps, 2^n, 2^n)``; unitary if the parametrisation is real."""
        return su_unitary(self.theta.to(_computing(self.theta.dtype)))

    def reference(self, input: Tensor) -> Tensor:
        """The same by ``torch.matrix_exp``."""
        return self._read_out(self._probabilities(input, series_states))

    def _probabilities(self, input: Tensor, evolve: Any) -> Tensor:
        # phases and eigenvectors need more digits than half precision has
        with torch.autocast(input.device.type, enabled=False):
            dtype = _computing(self.theta.dtype).to_real()
            features = input.reshape(-1, self.in_features).to(dtype)
            fixed = features.new_full((1,), 1 / self.n_reps)
            times = fixed if self.times is None else self.times.to(dtype)
            states = evolve(features, self.unitaries(), times)
            probabilities = torch.view_as_real(states).square().sum(-1)
            return probabilities.reshape(*input.shape[:-1], 2**self.n_qubits).to(self.theta.dtype.to_real())

    def _read_out(self, probabilities: Tensor) -> Tensor:
        outputs = probabilities[..., : self.out_features]
        return outputs if self.bias is None else outputs + self.bias

    def parameter_formula(self) -> int:
        """``n_reps * (4^n - 1)``, ``out`` for the bias, ``n_reps`` for trainable times; a complex angle counts once."""
        angles = self.n_reps * (4**self.n_qubits - 1)
        return angles + self.out_features * (self.bias is not None) + self.n_reps * (self.times is not None)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Padding and none, fixed and trainable times, real and complex angles, all outcomes and some."""
        return (
            {"in_features": 5, "out_features": 3, "n_reps": 2},
            {"in_features": 4, "out_features": 2, "bias": False, "n_reps": 3, "times": "trainable"},
            {"in_features": 6, "out_features": 4, "n_reps": 2, "parametrisation": "complex", "init_scale": 0.5},
            {"in_features": 3, "out_features": 2, "n_qubits": 2, "n_reps": 1},
        )

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        times = "fixed" if self.times is None else "trainable"
        return (
            f"{super().extra_repr()}, n_qubits={self.n_qubits}, n_reps={self.n_reps}, times={times!r}, "
            f"init_scale={self.init_scale}, parametrisation={self.parametrisation!r}"
        )


def _computing(dtype: torch.dtype) -> torch.dtype:
    """The dtype to compute in: single precision at least."""
    return torch.promote_types(dtype, torch.float32)


def _checked_qubits(in_features: int, out_features: int, n_qubits: int | None) -> int:
    smallest = max(1, ((in_features - 1).bit_length() + 1) // 2, (out_features - 1).bit_length())
    n_qubits = smallest if n_qubits is None else n_qubits
    if n_qubits < smallest:
        raise ValueError(
            f"HamiltonianReuploadLinear: n qubits hold 4^n inputs and 2^n outputs, got n_qubits={n_qubits} for "
            f"in_features={in_features} and out_features={out_features}. It takes at least {smallest}."
        )
    if n_qubits > _MOST_QUBITS:
        gib = 8 * 4.0**n_qubits / 2**30
        raise ValueError(
            f"HamiltonianReuploadLinear: at most {_MOST_QUBITS} qubits, got n_qubits={n_qubits}: one complex64 matrix "
            f"of 2^n x 2^n would take {gib:.3g} GiB, and there is one for each repetition and each sample."
        )
    return n_qubits
