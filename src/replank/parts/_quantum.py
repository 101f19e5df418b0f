"""What parts made of circuits have in common: how features go in, what is trained, and what is read out."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations, islice
from typing import Any, Literal, Self, get_args

import torch
from torch import Tensor, nn

from replank.circuits import Circuit, PauliSum, reference
from replank.circuits.angle import Angle, theta, x
from replank.circuits.estimators import Gradient
from replank.circuits.gates import pauli_matrix
from replank.circuits.layer import QuantumLayer
from replank.circuits.noise import NoiseModel
from replank.circuits.operations import UNITARY, PrepareAmplitudes, PrepareProduct
from replank.circuits.templates import (
    Rotation,
    amplitude_embedding,
    angle_embedding,
    basic_entangler_layers,
    hardware_efficient_layers,
    iqp_embedding,
    strongly_entangling_layers,
)
from replank.circuits.templates.blocks import place
from replank.errors import UnknownName

Encoding = Literal["angle", "iqp", "amplitude", "homogeneous"]
"""How features go in. The first two are angles and can be repeated, the others amplitudes:

- ``"angle"``: a rotation of one qubit by each feature;
- ``"iqp"``: phases by each feature and by each product of two, see
  :func:`replank.circuits.templates.iqp_embedding`;
- ``"amplitude"``: the features divided by their norm; a sample must not be zero, and its scale is not seen;
- ``"homogeneous"``: the features and the number 1, divided by their norm; every sample will do, and its scale is seen.
"""

_Template = Literal["strongly-entangling", "basic-entangler", "hardware-efficient"]

Ansatz = _Template | Circuit
"""What is trained: a template of :mod:`replank.circuits.templates`, or a circuit of one's own without features.

The latter is one layer, which each layer repeats with weights of its own; it is immutable from then on.
"""

Letter = Literal["X", "Y", "Z"]
"""The Pauli matrix that is measured."""

Scaling = float | Literal["trainable"]
"""A fixed factor, or a trainable one for each number, which starts at 1."""

_MOST_ANGLES = 8  # features up to which each gets a qubit of its own, unless asked otherwise
MOST_QUBITS = 20  # a batch of larger states fits into no ordinary memory


@dataclass(frozen=True)
class Design:
    """A circuit that stands in for a map from features to outputs.

    Args:
        n_features: numbers that go in.
        n_outputs: numbers that come out: expectation values of Pauli strings of one letter, on single qubits first,
            then on pairs, and so on.
        n_qubits: number of qubits.
        n_layers: layers of the ansatz after each upload.
        n_uploads: how often the features go in, each time followed by the ansatz.
        encoding: how they go in. As angles, as many as there are qubits go in at a time, with the ansatz in between;
            if there are fewer than qubits, they come repeatedly.
        rotation: gate of the encoding ``"angle"``.
        scale: what features are multiplied by.
        ansatz: what is trained.
        letter: the Pauli matrix that is measured.
        unentangled: whether gates on two qubits are left out. Amplitudes may be entangled all the same.
    """

    n_features: int
    n_outputs: int
    n_qubits: int
    n_layers: int
    n_uploads: int
    encoding: Encoding
    rotation: Rotation
    scale: float
    ansatz: Ansatz
    letter: Letter
    unentangled: bool

    def circuit(self) -> Circuit:
        """The circuit; features are ``x[0]``, ``x[1]``, ..., weights ``theta[0]``, ``theta[1]``, ..."""
        circuit = Circuit(self.n_qubits)
        for encoding in self._encodings():
            circuit.extend(encoding)
            circuit.extend(self._ansatz(start=circuit.n_parameters))
        return without_entanglers(circuit) if self.unentangled else circuit

    def observables(self) -> list[PauliSum]:
        """The Pauli strings, one for each output."""
        wires = (chosen for size in range(1, self.n_qubits + 1) for chosen in combinations(range(self.n_qubits), size))
        return [
            PauliSum(((tuple((wire, self.letter) for wire in chosen), 1.0),))
            for chosen in islice(wires, self.n_outputs)
        ]

    def n_parameters(self) -> int:
        """Number of weights, in closed form."""
        n, layers = self.n_qubits, self.n_layers
        match self.ansatz:
            case "strongly-entangling":
                in_a_block = 3 * n * layers
            case "basic-entangler":
                in_a_block = n * layers
            case "hardware-efficient":
                in_a_block = 2 * n * (layers + 1)
            case Circuit() as own:
                in_a_block = own.n_parameters * layers
        chunks = math.ceil(self.n_features / n) if self.encoding in ("angle", "iqp") else 1
        return self.n_uploads * chunks * in_a_block

    def _encodings(self) -> Iterator[Circuit]:
        n = self.n_qubits
        if self.encoding == "amplitude":
            yield amplitude_embedding(n, features=x[: self.n_features])
        elif self.encoding == "homogeneous":
            # (s x, 1) and (x, 1 / s) have one direction, and bare features are faster to prepare
            yield amplitude_embedding(n, features=(*x[: self.n_features], 1 / self.scale))
        else:
            features = [self.scale * feature for feature in x[: self.n_features]]
            features = [features[i % len(features)] for i in range(max(n, len(features)))]
            chunks = [features[first : first + n] for first in range(0, len(features), n)]
            for chunk in chunks * self.n_uploads:
                yield self._angles(chunk)

    def _angles(self, features: list[Angle]) -> Circuit:
        if self.encoding == "angle":
            return angle_embedding(self.n_qubits, features=features, rotation=self.rotation)
        return iqp_embedding(self.n_qubits, features=features + [Angle()] * (self.n_qubits - len(features)))

    def _ansatz(self, start: int) -> Circuit:
        match self.ansatz:
            case "strongly-entangling":
                return strongly_entangling_layers(self.n_qubits, self.n_layers, start=start)
            case "basic-entangler":
                return basic_entangler_layers(self.n_qubits, self.n_layers, start=start)
            case "hardware-efficient":
                return hardware_efficient_layers(self.n_qubits, self.n_layers, start=start)
            case Circuit() as own:
                return _repeated(own, self.n_layers, start)


def make_design(
    owner: str,
    n_features: int,
    n_outputs: int,
    *,
    n_qubits: int | None,
    n_layers: int,
    n_uploads: int,
    encoding: Encoding | None,
    rotation: Rotation,
    ansatz: Ansatz,
    observable: Letter,
    input_scaling: Scaling,
    unentangled: bool,
) -> Design:
    """A design with its gaps filled, checked.

    Args:
        owner: the part's name, for messages.
        n_features: numbers that go in.
        n_outputs: numbers that come out.
        n_qubits: as few as hold the features and have a Pauli string for each output, if not given; a qubit for each
            feature that is an angle.
        n_layers: see :class:`Design`.
        n_uploads: see :class:`Design`.
        encoding: ``"angle"`` for up to eight features and ``"homogeneous"`` for more, if not given.
        rotation: see :class:`Design`.
        ansatz: see :class:`Design`.
        observable: the letter.
        input_scaling: what features are multiplied by; a trainable factor is the part's business.
        unentangled: see :class:`Design`.

    Raises:
        UnknownName: no such encoding, ansatz or letter.
        ValueError: qubits that are too few or too many, no layer or upload, options that exclude each other, a factor
            that is 0 or not finite, a circuit as ansatz that does not fit.
    """
    if encoding is None:
        encoding = "angle" if n_features <= _MOST_ANGLES else "homogeneous"
    chosen: dict[str, tuple[str, Any]] = {"encoding": (encoding, Encoding), "observable": (observable, Letter)}
    if not isinstance(ansatz, Circuit):
        chosen["ansatz"] = (ansatz, _Template)
    for what, (choice, known) in chosen.items():
        if choice not in get_args(known):
            raise UnknownName(what, str(choice), get_args(known))
    for name, value in (("n_layers", n_layers), ("n_uploads", n_uploads)):
        if value < 1:
            raise ValueError(f"{owner}: there must be at least one, got {name}={value}.")
    is_angle = encoding in ("angle", "iqp")
    if n_uploads > 1 and not is_angle:
        raise ValueError(f"{owner}: amplitudes can go in only once, got n_uploads={n_uploads} and {encoding=}.")
    if rotation != "RX" and encoding != "angle":
        raise ValueError(f'{owner}: `rotation` is an option of encoding="angle", got {rotation=} and {encoding=}.')
    scale = _fixed_factor(owner, "input_scaling", input_scaling)
    if scale != 1 and encoding == "amplitude":
        raise ValueError(f"{owner}: amplitudes are divided by their norm, got {input_scaling=}. It has no effect.")
    if is_angle:
        least, wanted = 1, n_features
    else:
        least = wanted = max(1, (n_features - (encoding == "amplitude")).bit_length())
    least = max(least, n_outputs.bit_length())  # n qubits have 2^n - 1 Pauli strings of one letter
    if n_qubits is None:
        n_qubits = ansatz.n_qubits if isinstance(ansatz, Circuit) else max(least, wanted)
    if n_qubits < least:
        raise ValueError(
            f"{owner}: n qubits hold 2^n amplitudes and have 2^n - 1 Pauli strings of one letter, got n_qubits="
            f"{n_qubits} for {n_features} features ({encoding=}) and {n_outputs} outputs. It takes at least {least}."
        )
    if n_qubits > MOST_QUBITS and not unentangled:
        raise ValueError(
            f"{owner}: entangled circuits go up to {MOST_QUBITS} qubits, got n_qubits={n_qubits}. Let fewer qubits "
            "take the features one after another, or take several circuits."
        )
    if isinstance(ansatz, Circuit):
        _check_layer(owner, ansatz.freeze(), n_qubits)
    return Design(
        n_features, n_outputs, n_qubits, n_layers, n_uploads, encoding, rotation, scale, ansatz, observable, unentangled
    )


def _check_layer(owner: str, ansatz: Circuit, n_qubits: int) -> None:
    """Refuse a circuit that can't be a layer."""
    if ansatz.n_qubits != n_qubits:
        raise ValueError(
            f"{owner}: a circuit as ansatz must have as many qubits as the part, got {ansatz.n_qubits} for n_qubits="
            f"{n_qubits}."
        )
    if ansatz.n_features or not all(isinstance(each, UNITARY) for each in ansatz):
        raise ValueError(
            f"{owner}: a circuit as ansatz must be made of gates without features, got {ansatz} with "
            f"n_features={ansatz.n_features}. Features go in by `encoding`."
        )


def _repeated(layer: Circuit, n_layers: int, start: int) -> Circuit:
    """A circuit several times, with weights of its own each time."""
    circuit, n_qubits, n_weights = Circuit(layer.n_qubits), layer.n_qubits, layer.n_parameters
    for number in range(n_layers):
        first = start + number * n_weights
        circuit.extend(place(layer, range(n_qubits), n_qubits, theta[first : first + n_weights]))
    return circuit


def _fixed_factor(owner: str, name: str, scaling: Scaling) -> float:
    """The number that something is multiplied by apart from trainable factors."""
    if scaling == "trainable":
        return 1.0
    if not isinstance(scaling, int | float) or not math.isfinite(scaling) or not scaling:
        raise ValueError(f'{owner}: `{name}` must be a number other than 0, or "trainable", got {name}={scaling!r}.')
    return float(scaling)


class QuantumPart(nn.Module):
    """What such parts add to the base class of their group: the circuits, and the factors around them."""

    design: Design
    layer: QuantumLayer
    input_scale: nn.Parameter | None
    output_scale: nn.Parameter | None
    output_scaling: Scaling
    bias: nn.Parameter | None

    def _set_circuits(
        self,
        design: Design,
        n_inputs: int,
        n_outputs: int,
        *,
        n_circuits: int | None = None,
        input_scaling: Scaling,
        output_scaling: Scaling,
        init_scale: float | None,
        frozen: bool,
        device: Any,
        dtype: torch.dtype | None,
    ) -> None:
        """Make the circuits and the factors; nothing is drawn yet but the angles.

        Args:
            design: of each circuit.
            n_inputs: how many trainable factors there are before the circuits.
            n_outputs: and how many behind them.
            n_circuits: see :class:`replank.circuits.QuantumLayer`.
            input_scaling: the factors before.
            output_scaling: and those behind.
            init_scale: standard deviation of the initial angles.
            frozen: whether these are not trained.
            device: of the parameters.
            dtype: of the parameters.

        Raises:
            ValueError: ``output_scaling`` is 0 or not finite.
        """
        self.design, self.output_scaling = design, output_scaling
        self._output_factor = _fixed_factor(type(self).__name__, "output_scaling", output_scaling)
        self.layer = QuantumLayer(
            design.circuit(),
            design.observables(),
            n_circuits=n_circuits,
            init_scale=init_scale,
            frozen=frozen,
            device=device,
            dtype=dtype,
        )
        self.input_scale, self.output_scale = (
            nn.Parameter(torch.empty(size, device=device, dtype=dtype)) if scaling == "trainable" else None
            for size, scaling in ((n_inputs, input_scaling), (n_outputs, output_scaling))
        )

    def _reset(self, bound: float) -> None:
        """Draw the angles, and the bias from [-bound, bound]; trainable factors start at 1."""
        self.layer.reset_parameters()
        for scale in (self.input_scale, self.output_scale):
            if scale is not None:
                nn.init.ones_(scale)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)

    def _scaled_input(self, input: Tensor) -> Tensor:
        return input if self.input_scale is None else input * self.input_scale

    def _scaled_output(self, values: Tensor) -> Tensor:
        """Expectation values ``(*, n_outputs)`` times their factors, plus bias."""
        if self.output_scale is not None:
            if self.bias is not None:
                return torch.addcmul(self.bias, values, self.output_scale)
            return values * self.output_scale
        if self._output_factor != 1:
            values = values * self._output_factor
        return values if self.bias is None else values + self.bias

    def _n_parameters(self, n_inputs: int, n_outputs: int, n_circuits: int = 1) -> int:
        factors = n_inputs * (self.input_scale is not None) + n_outputs * (self.output_scale is not None)
        return n_circuits * self.design.n_parameters() + factors + n_outputs * (self.bias is not None)

    def without_entanglement(self) -> Self:
        """A copy with the same parameters whose circuits lack all gates on two qubits."""
        design = replace(self.design, unentangled=True)
        twin = copy.deepcopy(self)
        twin.design, twin.layer = design, twin.layer.with_circuit(design.circuit())
        return twin

    def on(
        self,
        *,
        shots: int | None = None,
        noise: NoiseModel | None = None,
        trajectories: int | None = None,
        gradient: Gradient = "adjoint",
        generator: torch.Generator | None = None,
    ) -> Self:
        """The same part, with the very same parameters, as a device would run its circuits.

        Arguments and errors are those of :meth:`replank.circuits.QuantumLayer.on`. For a whole model:
        ``swap(model, QuantumLinear, lambda part: part.on(shots=1000))``.
        """
        part = copy.copy(self)
        part._modules = dict(self._modules)  # a shallow copy shares it
        part.layer = self.layer.on(
            shots=shots, noise=noise, trajectories=trajectories, gradient=gradient, generator=generator
        )
        return part

    def _circuit_repr(self) -> str:
        design, layer = self.design, self.layer
        scaling = "trainable" if self.input_scale is not None else design.scale
        return (
            f"n_qubits={design.n_qubits}, n_layers={design.n_layers}, n_uploads={design.n_uploads}, "
            f"encoding={design.encoding!r}, rotation={design.rotation!r}, ansatz={design.ansatz!r}, "
            f"observable={design.letter!r}, input_scaling={scaling!r}, output_scaling={self.output_scaling!r}, "
            f"init_scale={layer.init_scale}, unentangled={design.unentangled}, "
            f"frozen={not layer.theta.requires_grad}"
        )


def values_by_reference(circuit: Circuit, observables: list[PauliSum], features: Tensor, weights: Tensor) -> Tensor:
    """Expectation values of Pauli strings, gate by gate.

    Shape: ``features`` ``(*, n_features)``, ``weights`` ``(n_parameters,)``; the result is ``(*, K)``.
    """
    flat = features.reshape(-1, features.shape[-1])
    states = reference.state(circuit, flat, weights)
    values = []
    for observable in observables:
        ((word, _),) = observable.terms
        turned = states
        for wire, letter in word:
            turned = reference.apply(turned, pauli_matrix(letter).to(states), (wire,))
        values.append((states.conj() * turned).sum(-1).real)
    return torch.stack(values, -1).reshape(*features.shape[:-1], -1)


def without_entanglers(circuit: Circuit) -> Circuit:
    prepared = PrepareAmplitudes | PrepareProduct
    kept = (each for each in circuit if isinstance(each, prepared) or len(each.wires) == 1)
    return Circuit(circuit.n_qubits, kept)
