"""Several small quantum circuits side by side in the place of a linear layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from replank.circuits import Circuit, theta
from replank.circuits.templates import Rotation
from replank.parts._quantum import Ansatz, Encoding, Letter, QuantumPart, Scaling, make_design, values_by_reference
from replank.parts.linear._interface import LinearPart
from replank.parts.papers import SENOKOSOV2024
from replank.sources import Source


class ParallelQuantumLinear(QuantumPart, LinearPart):
    r"""Expectation values of independent circuits, each of which sees its share of the features and gives its share.

    Replaces :class:`torch.nn.Linear`, though it is *not* a linear function of the input, and output group i depends on
    feature group i alone. All circuits have one structure and weights of their own, and run in one call of the compiled
    core. The k-th takes the next ``in_features / n_circuits`` features and gives the next ``out_features / n_circuits``
    outputs. If these are no integers, the first circuits take one more, as in ``torch.tensor_split``; where one is
    missing, a zero goes in, and what would come out is dropped.

    Shape: ``(*, in_features) -> (*, out_features)``, same dtype and device as the input. Half precision is computed in
    single.

    Args:
        in_features: size of each input.
        out_features: size of each output.
        bias: whether to add a learned bias.
        n_circuits: number of circuits, at most ``in_features`` and at most ``out_features``; four, or as many as are
            allowed, if not given.
        n_qubits: of each circuit; this and all further options as in :class:`QuantumLinear`.
        n_layers: layers of the ansatz after each upload.
        n_uploads: how often the angles go in.
        encoding: ``"angle"``, ``"iqp"``, ``"amplitude"`` or ``"homogeneous"``.
        rotation: gate of ``"angle"``.
        ansatz: ``"strongly-entangling"``, ``"basic-entangler"``, ``"hardware-efficient"``, or a circuit of one's own
            without features, which is one layer.
        observable: the Pauli matrix that is measured.
        input_scaling: what features are multiplied by: a number, or ``"trainable"``, one for each.
        output_scaling: the same for outputs.
        init_scale: standard deviation of the initial angles, which are uniform in [0, 2 pi) if not given.
        unentangled: leaves out all gates on two qubits; what is trained stays the same.
        frozen: whether the circuits' angles stay as they are drawn; scaling and bias are trained.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        UnknownName: no such encoding, rotation, ansatz or observable.
        ValueError: more circuits than features or outputs, too few qubits or more than 20, options that exclude each
            other, an ansatz that does not fit; in ``forward``, another number of features, a NaN or infinite one.

    Source: [senokosov2024image], the quantum layer of HQNN-Parallel, which is ``n_circuits=4, observable="Y",
    bias=False, output_scaling=1.0`` for 20 features and outputs as we recall it. All options are ours.
    """

    source = Source(SENOKOSOV2024, where="parallel quantum layers of HQNN-Parallel", provenance="recalled")

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        n_circuits: int | None = None,
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
        most = min(in_features, out_features)
        self.n_circuits = min(4, most) if n_circuits is None else n_circuits
        if not 1 <= self.n_circuits <= most:
            raise ValueError(
                f"ParallelQuantumLinear: each circuit needs a feature and an output, got n_circuits={n_circuits} for "
                f"in_features={in_features} and out_features={out_features}. Take 1 to {most}."
            )
        design = make_design(
            type(self).__name__,
            -(-in_features // self.n_circuits),
            -(-out_features // self.n_circuits),
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
            n_circuits=self.n_circuits,
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
        """Scale, split, run the circuits, join, scale, add the bias."""
        self._check_input(input)
        groups = _split(self._scaled_input(input), self.n_circuits)
        return self._scaled_output(_join(self.layer(groups), self.out_features))

    def reference(self, input: Tensor) -> Tensor:
        """The same circuit by circuit, by dense matrices, gate by gate."""
        groups = torch.tensor_split(self._scaled_input(input), self.n_circuits, dim=-1)
        n_outputs = [len(each) for each in torch.arange(self.out_features).tensor_split(self.n_circuits)]
        circuit, observables = self.design.circuit(), self.design.observables()
        values = [
            values_by_reference(
                circuit, observables[:count], F.pad(group, (0, self.design.n_features - group.shape[-1])), weights
            )
            for group, count, weights in zip(groups, n_outputs, self.layer.theta, strict=True)
        ]
        return self._scaled_output(torch.cat(values, -1))

    def parameter_formula(self) -> int:
        """``n_circuits`` times the angles of a circuit, ``in`` and ``out`` for trainable factors, ``out`` for the bias.

        A circuit has as many angles as that of a :class:`QuantumLinear` with ``ceil(in / n_circuits)`` features, or
        ``n_layers`` times those of a circuit as ansatz.
        """
        return self._n_parameters(self.in_features, self.out_features, self.n_circuits)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Features and outputs that can be divided by the number of circuits and that can't, angles and amplitudes."""
        return (
            {"in_features": 6, "out_features": 4, "n_circuits": 2, "n_layers": 1},
            {"in_features": 5, "out_features": 7, "n_circuits": 3, "encoding": "homogeneous", "bias": False},
            {
                "in_features": 3,
                "out_features": 4,
                "n_layers": 1,
                "observable": "Y",
                "input_scaling": "trainable",
                "output_scaling": 1.0,
            },
            {"in_features": 4, "out_features": 3, "n_circuits": 1, "n_layers": 1, "unentangled": True},
            {"in_features": 4, "out_features": 4, "n_circuits": 2, "n_layers": 2, "ansatz": _example_layer()},
        )

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return f"{super().extra_repr()}, n_circuits={self.n_circuits}, {self._circuit_repr()}"


def _example_layer() -> Circuit:
    return Circuit(2).ry(theta[0], 0).cz(0, 1).rx(theta[1], 1).rx(theta[0], 0)


def _split(features: Tensor, n: int) -> Tensor:
    """``(*, F) -> (*, n, ceil(F / n))``; the last groups lack a feature and get a zero if n does not divide F."""
    lead, (width, n_longer) = features.shape[:-1], divmod(features.shape[-1], n)
    if not n_longer:
        return features.reshape(*lead, n, width)
    cut = n_longer * (width + 1)
    longer = features[..., :cut].reshape(*lead, n_longer, width + 1)
    shorter = features[..., cut:].reshape(*lead, n - n_longer, width)
    return torch.cat((longer, F.pad(shorter, (0, 1))), -2)


def _join(values: Tensor, n_outputs: int) -> Tensor:
    """``(*, n, ceil(n_outputs / n)) -> (*, n_outputs)``, the last of the last groups left out."""
    width, n_longer = divmod(n_outputs, values.shape[-2])
    if not n_longer:
        return values.flatten(-2)
    return torch.cat((values[..., :n_longer, :].flatten(-2), values[..., n_longer:, :width].flatten(-2)), -1)
