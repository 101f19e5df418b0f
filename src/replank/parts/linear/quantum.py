"""A parametrised quantum circuit in the place of a linear layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from replank.circuits.templates import Rotation
from replank.parts._quantum import Ansatz, Encoding, Letter, QuantumPart, Scaling, make_design, values_by_reference
from replank.parts.linear._interface import LinearPart
from replank.sources import Source


class QuantumLinear(QuantumPart, LinearPart):
    r"""Expectation values of a trainable circuit into which the features go: ``y = a * <P>(x) + b``.

    Replaces :class:`torch.nn.Linear`, though it is *not* a linear function of the input. Up to eight features go in as
    angles, a qubit each; more become the amplitudes of few qubits, 784 of ten. Outputs are expectation values of Pauli
    strings, ``Z`` on single qubits first, then on pairs, and so on, each in [-1, 1] before it is scaled.

    Shape: ``(*, in_features) -> (*, out_features)``, same dtype and device as the input. Half precision is computed in
    single.

    Args:
        in_features: size of each input.
        out_features: size of each output, at most ``2^n_qubits - 1``.
        bias: whether to add a learned bias.
        n_qubits: number of qubits. If not given, one for each angle, or as few as hold all amplitudes, and enough for
            the outputs. With more angles than qubits, these go in one after another with the ansatz in between; with
            fewer, they come repeatedly.
        n_layers: layers of the ansatz after each upload.
        n_uploads: how often the angles go in, each time with an ansatz of its own behind them: with m uploads of
            ``"angle"`` the output is a Fourier series in each feature up to the frequency m.
        encoding: ``"angle"``, ``"iqp"`` (with phases by products of two features), ``"amplitude"`` (features divided by
            their norm, as published: a sample must not be zero) or ``"homogeneous"`` (the same with the number 1 behind
            the features: every sample will do, and its scale is seen). If not given, ``"angle"`` for up to eight
            features and ``"homogeneous"`` for more.
        rotation: gate of ``"angle"``.
        ansatz: ``"strongly-entangling"``, ``"basic-entangler"``, ``"hardware-efficient"``, or a circuit of one's own
            without features, which is one layer.
        observable: the Pauli matrix that is measured.
        input_scaling: what features are multiplied by: a number, or ``"trainable"``, one for each.
        output_scaling: the same for outputs. Bounded by 1, logits learn slowly.
        init_scale: standard deviation of the initial angles, which are uniform in [0, 2 pi) if not given.
        unentangled: leaves out all gates on two qubits; what is trained stays the same. Amplitudes may be entangled
            before.
        frozen: whether the circuit's angles stay as they are drawn; scaling and bias are trained.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        UnknownName: no such encoding, rotation, ansatz or observable.
        ValueError: too few qubits, or options that exclude each other; in ``forward``, another number of features, a
            NaN or infinite one, or with ``"amplitude"`` none that differs from 0.

    Source: our own; its circuits are those of Schuld et al. (2020), arXiv 1804.00633, and of their relatives in
    PennyLane and Qiskit, see :mod:`replank.circuits.templates`.
    """

    source = Source(None, where="encoding, ansatz and read-out of the field's circuits", provenance="ours")

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        n_qubits: int | None = None,
        n_layers: int = 3,
        n_uploads: int = 1,
        encoding: Encoding | None = None,
        rotation: Rotation = "RX",
        ansatz: Ansatz = "strongly-entangling",
        observable: Letter = "Z",
        input_scaling: Scaling = 1.0,
        output_scaling: Scaling = "trainable",
        init_scale: float | None = None,
        unentangled: bool = False,
        frozen: bool = False,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(in_features, out_features, bias, device, dtype)
        design = make_design(
            type(self).__name__,
            in_features,
            out_features,
            n_qubits=n_qubits,
            n_layers=n_layers,
            n_uploads=n_uploads,
            encoding=encoding,
            rotation=rotation,
            ansatz=ansatz,
            observable=observable,
            input_scaling=input_scaling,
            unentangled=unentangled,
        )
        self._set_circuits(
            design,
            in_features,
            out_features,
            input_scaling=input_scaling,
            output_scaling=output_scaling,
            init_scale=init_scale,
            frozen=frozen,
            device=device,
            dtype=dtype,
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the angles, and the bias as nn.Linear does; trainable factors start at 1."""
        self._reset(self.in_features**-0.5)

    def forward(self, input: Tensor) -> Tensor:
        """Scale, run the circuit, scale, add the bias."""
        self._check_input(input)
        return self._scaled_output(self.layer(self._scaled_input(input)))

    def reference(self, input: Tensor) -> Tensor:
        """The same by dense matrices, gate by gate."""
        design = self.design
        features = self._scaled_input(input)
        values = values_by_reference(design.circuit(), design.observables(), features, self.layer.theta)
        return self._scaled_output(values)

    def parameter_formula(self) -> int:
        """Angles of the circuit, ``in`` and ``out`` for trainable factors, ``out`` for the bias.

        The circuit has ``3 n_qubits n_layers`` angles (strongly entangling), ``n_qubits n_layers`` (basic entangler) or
        ``2 n_qubits (n_layers + 1)`` (hardware-efficient) for each upload, and that ``ceil(in / n_qubits)`` times if
        features are angles.
        """
        return self._n_parameters(self.in_features, self.out_features)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """All encodings and ansätze, more angles than qubits and fewer, factors of both kinds, both controls."""
        return (
            {"in_features": 3, "out_features": 2, "n_layers": 1},
            {"in_features": 9, "out_features": 5, "n_layers": 1, "bias": False},
            {
                "in_features": 5,
                "out_features": 3,
                "n_qubits": 2,
                "n_layers": 1,
                "encoding": "angle",
                "rotation": "RY",
                "ansatz": "hardware-efficient",
                "observable": "X",
                "input_scaling": "trainable",
                "init_scale": 0.5,
            },
            {
                "in_features": 2,
                "out_features": 2,
                "n_qubits": 3,
                "n_uploads": 2,
                "encoding": "iqp",
                "ansatz": "basic-entangler",
                "observable": "Y",
                "input_scaling": 0.7,
                "output_scaling": 3.0,
            },
            {"in_features": 4, "out_features": 2, "encoding": "amplitude", "n_layers": 1, "frozen": True},
            {
                "in_features": 3,
                "out_features": 5,
                "n_layers": 1,
                "encoding": "iqp",
                "output_scaling": 1.0,
                "unentangled": True,
            },
        )

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return f"{super().extra_repr()}, {self._circuit_repr()}"
