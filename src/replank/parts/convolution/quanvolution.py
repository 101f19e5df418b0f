"""A quantum convolution: one small circuit that looks at every patch of an image."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from replank.circuits.templates import Rotation
from replank.parts._quantum import Ansatz, Encoding, Letter, QuantumPart, Scaling, make_design, values_by_reference
from replank.parts._unit_interval import warn_outside
from replank.parts.convolution._interface import ConvolutionPart, Padding, Size
from replank.parts.papers import HENDERSON2020
from replank.sources import Source


class Quanvolution2d(QuantumPart, ConvolutionPart):
    r"""Expectation values of a trainable circuit into which each patch of the image goes, all channels at once.

    Replaces :class:`torch.nn.Conv2d`, though it is *not* a linear function of the image. A filter is a circuit with
    weights of its own that gives several output channels: expectation values of Pauli strings, ``Z`` on single qubits
    first, then on pairs, and so on. All filters on all patches run in one call of the compiled core. The values of a
    patch go in by channel, then row by row. Up to eight go in as angles, a qubit each; more become the amplitudes of
    few qubits.

    Shape: ``(B, in_channels, H, W) -> (B, out_channels, H', W')``, or without ``B``; dtype and device of the input.

    Args:
        in_channels: of the input.
        out_channels: of the output: the first filter's, then the second's, and so on.
        kernel_size: of the window, one number or (height, width).
        stride: of the window, one number or (height, width).
        padding: by zeros: an int, (height, width), or (top, bottom, left, right).
        bias: whether to add a learned bias.
        n_filters: number of circuits, each of which gives ``ceil(out_channels / n_filters)`` channels, the last perhaps
            fewer. As many as are needed for no filter to give more channels than it has qubits, if not given.
        n_qubits: of each circuit; one for each value of the patch if these are angles, or as few as hold all
            amplitudes, if not given. For what follows see :class:`replank.parts.linear.QuantumLinear`.
        n_layers: layers of the ansatz after each upload.
        n_uploads: how often the angles go in.
        encoding: ``"angle"``, ``"iqp"``, ``"amplitude"`` or ``"homogeneous"``. Mind that patches of images may be zero,
            which ``"amplitude"`` can't take.
        rotation: gate of ``"angle"``.
        ansatz: ``"strongly-entangling"``, ``"basic-entangler"``, ``"hardware-efficient"``, or a circuit of one's own
            without features, which is one layer.
        observable: the Pauli matrix that is measured.
        input_scaling: what the values of a patch are multiplied by: a number, ``math.pi`` for pixels in [0, 1], or
            ``"trainable"``, one for each place in the patch.
        output_scaling: what output channels are multiplied by: a number, or ``"trainable"``, one for each.
        init_scale: standard deviation of the initial angles, which are uniform in [0, 2 pi) if not given.
        unentangled: leaves out all gates on two qubits; what is trained stays the same.
        frozen: whether the circuits' angles stay as they are drawn; scaling and bias are trained.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        UnknownName: no such encoding, rotation, ansatz or observable.
        ValueError: a size that does not exist, more filters than output channels, too few qubits or more than 20,
            options that exclude each other, an ansatz that does not fit; in ``forward``, another number of channels, or
            NaN or infinity in the image.

    Warns:
        UserWarning: in ``forward``, angles are ``math.pi`` times pixels that are not all in [0, 1].

    Source: [henderson2020quanvolutional], whose random quanvolution is ``frozen=True, bias=False, output_scaling=1.0``.
    Differs: there also the choice of gates is random, pixels are encoded by a threshold, and a filter gives one channel
    by the number of ones in its outcome. Trainable circuits, and a channel for each qubit, as in [senokosov2024image].
    """

    source = Source(HENDERSON2020, where="quanvolutional layer", provenance="recalled")

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size = 3,
        stride: Size = 1,
        padding: Padding = 0,
        bias: bool = True,
        *,
        n_filters: int | None = None,
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
        self._set_interface(in_channels, out_channels, kernel_size, stride, padding)
        if n_filters is not None and not 1 <= n_filters <= out_channels:
            raise ValueError(
                f"Quanvolution2d: each filter gives at least one channel, got n_filters={n_filters} for out_channels="
                f"{out_channels}. Take 1 to {out_channels}."
            )
        design = make_design(
            type(self).__name__,
            self._n_inputs,
            1 if n_filters is None else -(-out_channels // n_filters),
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
        if n_filters is None:
            n_filters = -(-out_channels // design.n_qubits)
            design = replace(design, n_outputs=-(-out_channels // n_filters))
        self.n_filters = n_filters
        self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype)) if bias else None
        self._set_circuits(
            design,
            self._n_inputs,
            out_channels,
            n_circuits=n_filters,
            input_scaling=input_scaling,
            output_scaling=output_scaling,
            init_scale=init_scale,
            frozen=frozen,
            device=device,
            dtype=dtype,
        )
        self.reset_parameters()

    @property
    def _n_inputs(self) -> int:
        return self.in_channels * self.kernel_size[0] * self.kernel_size[1]

    def reset_parameters(self) -> None:
        """Draw the angles, and the bias as nn.Conv2d does; trainable factors start at 1."""
        self._reset(self._n_inputs**-0.5)

    def forward(self, input: Tensor) -> Tensor:
        """Cut the image into patches, scale, run the filters, scale, add the bias."""
        self._check_input(input)
        if self.design.scale == math.pi and self.design.encoding == "angle":
            warn_outside(input, type(self).__name__)
        features = self._scaled_input(self._patch_rows(input))
        return self._as_image(self.layer(features.unsqueeze(-2)))

    def reference(self, input: Tensor) -> Tensor:
        """The same filter by filter, by dense matrices, gate by gate."""
        features = self._scaled_input(self._patch_rows(input))
        circuit, observables = self.design.circuit(), self.design.observables()
        values = [values_by_reference(circuit, observables, features, weights) for weights in self.layer.theta]
        return self._as_image(torch.stack(values, -2))

    def _patch_rows(self, input: Tensor) -> Tensor:
        """Each patch as one row: ``(*, C, H, W) -> (*, H', W', C * height * width)``."""
        patches = self._patches(input)
        return patches.movedim(-5, -3).flatten(-3)

    def _as_image(self, values: Tensor) -> Tensor:
        """``(*, H', W', n_filters, K) -> (*, out_channels, H', W')``."""
        channels = values.flatten(-2)[..., : self.out_channels]
        return self._scaled_output(channels).movedim(-1, -3)

    def parameter_formula(self) -> int:
        """``n_filters`` times the angles of a circuit, ``in * height * width`` and ``out`` for trainable factors, bias.

        A circuit has as many angles as that of a :class:`replank.parts.linear.QuantumLinear` with ``in * height *
        width`` features; the bias has ``out`` numbers.
        """
        return self._n_parameters(self._n_inputs, self.out_channels, self.n_filters)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """One filter and several, angles and amplitudes, all kinds of padding, frozen angles."""
        return (
            {"in_channels": 1, "out_channels": 4, "kernel_size": 2, "stride": 2, "n_layers": 1},
            {"in_channels": 2, "out_channels": 7, "padding": (1, 0), "n_layers": 1, "bias": False},
            {
                "in_channels": 1,
                "out_channels": 5,
                "kernel_size": (1, 2),
                "stride": (2, 1),
                "padding": (1, 0, 2, 1),
                "n_filters": 2,
                "rotation": "RY",
                "ansatz": "basic-entangler",
                "n_uploads": 2,
                "input_scaling": "trainable",
                "output_scaling": 2.0,
            },
            {"in_channels": 1, "out_channels": 2, "kernel_size": 2, "n_layers": 1, "frozen": True},
        )

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return f"{super().extra_repr()}, n_filters={self.n_filters}, {self._circuit_repr()}"
