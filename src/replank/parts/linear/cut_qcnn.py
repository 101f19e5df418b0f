"""The chain of two-qubit blocks, cut into shorter chains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Self

import torch

from replank.circuits import Circuit
from replank.circuits.cutting import Basis, CutCircuit, CutQuantumLayer, WireCut
from replank.circuits.layer import QuantumLayer
from replank.parts.linear.qcnn import QCNNLayer
from replank.parts.papers import LI2025DISTRIBUTED
from replank.sources import Source


class CutQCNNLayer(QCNNLayer):
    r"""The same as :class:`QCNNLayer`, from circuits on fewer qubits: eight come from four and five.

    Replaces :class:`torch.nn.Linear`. The chain is cut on wires, each between the block that ends there and the block
    that begins there; the fragments' results make up the whole's exactly. Values, gradients, parameters and state are
    those of the uncut part, so that either loads the other's ``state_dict``.

    Shape: ``(*, in_features) -> (*, out_features)``, same dtype and device as the input. Half precision is computed in
    single.

    Args:
        in_features: size of each input, and number of qubits of the uncut chain.
        out_features: size of each output, at most ``in_features``.
        bias: whether to add a learned bias.
        n_layers: how often the chain is run through. The wire is cut again wherever a layer comes back to it: ``2
            n_layers - 1`` times for two fragments.
        shared: whether all blocks of a layer have the same two angles.
        n_fragments: number of fragments, 2 or more; with one layer, a wire is cut for each but the last.
        basis: how a cut wire begins: in 4 ``"states"``, or in all 6 ``"eigen"`` states, the 8-term sum.
        skip_zero_y: leave out the term of Y. Amplitudes are real, so that it is zero: 5 executions for one cut and not
            7, and an overhead of 9 and not 16. For one layer.
        max_width: the qubits that a fragment may have; any number if not given.
        init_scale: standard deviation of the initial angles, which are uniform in [0, 2 pi) if not given.
        frozen: whether the angles stay as they are drawn; the bias is trained.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        CircuitCutError: a fragment is wider than ``max_width``, or terms of Y can't be left out.
        ValueError: as the uncut part; or fewer than 2 fragments, or more than there are blocks.

    Source: [li2025distributed], quantum circuit splitting into fragments of 4 and 5 qubits. ``skip_zero_y``, more
    fragments than two and more layers than one are ours.
    """

    source = Source(LI2025DISTRIBUTED, where="quantum circuit splitting, from a summary", provenance="recalled")
    most_qubits = None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        n_layers: int = 1,
        shared: bool = False,
        n_fragments: int = 2,
        basis: Basis = "states",
        skip_zero_y: bool = False,
        max_width: int | None = None,
        init_scale: float | None = None,
        frozen: bool = False,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        if not 2 <= n_fragments <= max(2, in_features - 1):
            raise ValueError(
                f"CutQCNNLayer: a chain of n qubits has 2 to n - 1 fragments, got n_fragments={n_fragments} for "
                f"in_features={in_features}."
            )
        self.n_fragments, self.max_width = n_fragments, max_width
        self.basis, self.skip_zero_y = basis, skip_zero_y
        super().__init__(
            in_features,
            out_features,
            bias,
            n_layers=n_layers,
            shared=shared,
            init_scale=init_scale,
            frozen=frozen,
            device=device,
            dtype=dtype,
        )

    def _check_sizes(self, n_layers: int) -> None:
        super()._check_sizes(n_layers)
        if self.in_features < 3:
            raise ValueError(
                f"CutQCNNLayer: a chain that is cut has two blocks, got in_features={self.in_features}. Take 3 or more."
            )

    def _make_layer(self, **options: Any) -> QuantumLayer:
        circuit = self.circuit()
        cuts = [cut for wire in self.cut_wires() for cut in _cuts_between_blocks(circuit, wire)]
        return CutQuantumLayer(
            circuit,
            self.observables(),
            cuts,
            basis=self.basis,
            skip_zero_y=self.skip_zero_y,
            max_width=self.max_width,
            **options,
        )

    @property
    def pieces(self) -> CutCircuit | None:
        """The circuit in fragments; ``None`` of a part that :meth:`uncut` made, or one without entanglement."""
        return self.layer.pieces if isinstance(self.layer, CutQuantumLayer) else None

    def uncut(self) -> Self:
        """The same part, with the very same parameters, that runs the whole chain at once."""
        return self._with_layer(self.layer.whole() if isinstance(self.layer, CutQuantumLayer) else self.layer)

    def cut_wires(self) -> list[int]:
        """The wires that are cut, about equally far from each other."""
        return [number * (self.in_features - 1) // self.n_fragments for number in range(1, self.n_fragments)]

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Both bases, with and without Y, three fragments, two layers, shared angles, frozen ones."""
        return (
            {"in_features": 4, "out_features": 4, "bias": False, "max_width": 3},
            {"in_features": 3, "out_features": 2, "basis": "eigen", "init_scale": 0.5},
            {"in_features": 4, "out_features": 4, "n_fragments": 3, "skip_zero_y": True},
            {"in_features": 3, "out_features": 2, "n_layers": 2, "shared": True},
            {"in_features": 3, "out_features": 3, "frozen": True},
        )

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return (
            f"{super().extra_repr()}, n_fragments={self.n_fragments}, basis={self.basis!r}, "
            f"skip_zero_y={self.skip_zero_y}, max_width={self.max_width}"
        )


def _cuts_between_blocks(circuit: Circuit, wire: int) -> Iterator[WireCut]:
    """Wherever the wire goes from one of its two blocks to the other: after the CNOT of the first."""
    gates = [(index, gate.wires) for index, gate in enumerate(circuit) if len(gate.wires) == 2 and wire in gate.wires]
    for (index, pair), (_, following) in pairwise(gates):
        if pair != following:
            yield WireCut(wire, index)
