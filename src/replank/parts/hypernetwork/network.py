"""A network that predicts the parameters of another one."""

from __future__ import annotations

import fnmatch
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Self, get_args

import torch
from torch import Tensor, nn

from replank.errors import UnknownName
from replank.parts._input import check_dtype
from replank.parts.activation import find_activation
from replank.parts.hypernetwork.encoding import WIDENED, Encoding, encode_hyper_input
from replank.parts.hypernetwork.primary import check_predictable
from replank.parts.initialiser._interface import Initialiser
from replank.parts.initialiser.kaiming_normal import KaimingNormalInitialiser
from replank.parts.initialiser.per_tensor_fan_out import PerTensorFanOutInitialiser
from replank.parts.initialiser.xavier_normal import XavierNormalInitialiser
from replank.parts.papers import ORTIZ2024
from replank.sources import Source

Shape = tuple[int, ...]
Shapes = Mapping[str, Sequence[int]]
Norm = Literal["layer", "batch"]
Init = Literal["kaiming_fan_out", "kaiming_fan_in", "xavier"]

SLOPE = 0.01
"""Of ``nn.LeakyReLU`` on its left."""
NORMS: Mapping[str, Callable[..., nn.Module]] = {"layer": nn.LayerNorm, "batch": nn.BatchNorm1d}
INITIALISERS: Mapping[str, Initialiser] = {
    "kaiming_fan_out": KaimingNormalInitialiser(mode="fan_out", a=SLOPE),
    "kaiming_fan_in": KaimingNormalInitialiser(a=SLOPE),
    "xavier": XavierNormalInitialiser(),
}


class HyperNetwork(nn.Module):
    r"""From named hyper-inputs to named tensors: ``theta = theta_0 + H h(E(gamma))``.

    h is a stack of linear layers with activations, the body; H the weight of the last layer, ``head.weight``, and
    theta_0 its bias, ``head.bias``. Without ``residual`` that bias starts at zero, as every other: predictions are then
    positively homogeneous in the encoded input before training, ``theta(a gamma) = a theta(gamma)``, if activations are
    and there is neither encoding nor normalisation. With ``residual`` it starts from the usual values of the predicted
    tensors. The functions that can be learned are the same: *where training starts* is what is different. Weight decay
    meets theta_0 as it meets any bias.

    It is no part of a group: no torch layer gives out tensors by name. :class:`~replank.parts.linear.HyperLinear` is
    one whose weight comes from such a network.

    Shape: inputs ``(*shape)`` or ``(B, *shape)``, all alike; outputs likewise.

    Args:
        input_shapes: of the hyper-inputs by name; they are concatenated in the order of their names.
        output_shapes: of the predicted tensors by name, in this order.
        hidden_sizes: widths of the body's layers; none for a linear map.
        encoding: see :func:`encode_hyper_input`; ``"cos|sin"`` for magnitude-invariant parametrisations.
        residual: whether theta_0 starts from the usual values: Kaiming's normal ones for weights, 0 for biases, 1 for
            weights of a single dimension.
        activation: between the layers, by its name in :func:`replank.parts.activation.find_activation`.
        norm: ``"layer"`` or ``"batch"`` normalisation before each activation.
        init: of the body; the head starts by fan out, for each predicted tensor by itself.
        clamp: whether hyper-inputs outside [0, 1] are clamped.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: a shape without entries, a width below 1, or an option that is not known.

    Source: [ortiz2024mip].
    """

    source = Source(ORTIZ2024, "definition of MIP; hyperlight, HyperNet", "official code")

    def __init__(
        self,
        input_shapes: Shapes,
        output_shapes: Shapes,
        hidden_sizes: Sequence[int],
        encoding: Encoding | None = None,
        residual: bool = False,
        activation: str = "leaky_relu",
        *,
        norm: Norm | None = None,
        init: Init = "kaiming_fan_out",
        clamp: bool = False,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self.input_shapes = _checked("input_shapes", input_shapes)
        self.output_shapes = _checked("output_shapes", output_shapes)
        self.hidden_sizes = tuple(hidden_sizes)
        if min(self.hidden_sizes, default=1) < 1:
            raise ValueError(f"HyperNetwork: `hidden_sizes` must be positive, got hidden_sizes={self.hidden_sizes}.")
        _check_option("encoding", encoding or "none", get_args(Encoding))
        _check_option("norm", norm, (None, *NORMS))
        _check_option("init", init, INITIALISERS)
        self.encoding: Encoding = encoding or "none"
        self.residual, self.activation, self.norm, self.init, self.clamp = residual, activation, norm, init, clamp
        where = {"device": device, "dtype": dtype}
        sizes = (self.encoded_size, *self.hidden_sizes)
        layers: list[nn.Module] = []
        for inner, outer in itertools.pairwise(sizes):
            layers.append(nn.Linear(inner, outer, **where))
            layers += [NORMS[norm](outer, **where)] if norm else []
            layers.append(find_activation(activation))
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(sizes[-1], sum(map(math.prod, self.output_shapes.values())), **where)
        self.reset_parameters()

    @classmethod
    def from_module(
        cls,
        primary: nn.Module,
        input_shapes: Shapes,
        hidden_sizes: Sequence[int],
        *,
        include: str | Sequence[str] = "*",
        **options: Any,
    ) -> Self:
        """A hypernetwork for a module's parameters; with ``residual=True``, theta_0 is what they are now.

        Args:
            primary: is left as it is.
            input_shapes: of the hyper-inputs.
            hidden_sizes: widths of the body.
            include: globs of the parameters that are predicted, e.g. ``"conv*"``; a star crosses dots.
            **options: as the constructor's.

        Raises:
            UnknownName: a glob that matches no parameter.
            ValueError: parameters that are tied or not known yet.
        """
        check_predictable(primary)
        parameters = dict(primary.named_parameters())
        globs = [include] if isinstance(include, str) else list(include)
        for glob in globs:
            if not fnmatch.filter(parameters, glob):
                raise UnknownName("parameter of the primary network", glob, parameters)
        chosen = {
            name: parameter
            for name, parameter in parameters.items()
            if any(fnmatch.fnmatchcase(name, glob) for glob in globs)
        }
        first = next(iter(chosen.values()))
        where: dict[str, Any] = {"device": first.device, "dtype": first.dtype}
        made = cls(input_shapes, {name: each.shape for name, each in chosen.items()}, hidden_sizes, **where | options)
        if made.residual:
            with torch.no_grad():
                made.head.bias.copy_(torch.cat([each.detach().flatten() for each in chosen.values()]))
        return made

    @property
    def encoded_size(self) -> int:
        """How many numbers the body sees."""
        return sum(map(math.prod, self.input_shapes.values())) * WIDENED.get(self.encoding, 1)

    def reset_parameters(self) -> None:
        """Draw the parameters anew, from torch's default generator."""
        for layer in self.body:
            if isinstance(layer, nn.Linear):
                INITIALISERS[self.init](layer)
            elif isinstance(layer, nn.LayerNorm | nn.BatchNorm1d):
                layer.reset_parameters()
        PerTensorFanOutInitialiser(self.output_shapes, a=SLOPE)(self.head)
        if self.residual:
            with torch.no_grad():
                for name, values in self._named(self.head.bias).items():
                    _fill_usual(name, values)

    def forward(self, **inputs: Tensor) -> dict[str, Tensor]:
        """Predict all tensors."""
        return self._named(self.head(self.features(**inputs)))

    def features(self, **inputs: Tensor) -> Tensor:
        """What the last layer sees, ``(width,)`` or ``(B, width)``."""
        flat = self._flat(inputs)
        encoded = encode_hyper_input(flat, self.encoding, clamp=self.clamp)
        if self.norm == "batch" and encoded.ndim == 1:
            raise ValueError(
                "HyperNetwork: batch normalisation needs a batch of hyper-inputs (B, ...), got a single one. Give "
                "several, or take norm='layer'."
            )
        hidden: Tensor = self.body(encoded)
        return hidden

    def independent_parameters(self) -> dict[str, Tensor]:
        """theta_0 by name, as views.

        Raises:
            ValueError: there is none, since ``residual=False``.
        """
        self._check_residual("independent_parameters")
        return self._named(self.head.bias)

    def freeze_independent(self, frozen: bool = True) -> Self:
        """Keep theta_0 as it is in training, or, with ``False``, train it again.

        Raises:
            ValueError: there is none, since ``residual=False``.
        """
        self._check_residual("freeze_independent")
        self.head.bias.requires_grad_(not frozen)
        return self

    def flatten(self, tensors: Mapping[str, Tensor]) -> Tensor:
        """Tensors in the order of the rows of the last layer, ``(n,)`` or ``(B, n)``: the inverse of predicting them.

        Raises:
            ValueError: names or shapes that are not those of the outputs.
        """
        return _joined("flatten", tensors, self.output_shapes, list(self.output_shapes))

    def _check_residual(self, asker: str) -> None:
        if not self.residual:
            raise ValueError(
                f"HyperNetwork.{asker}: there must be independent parameters, got residual=False. Build it with "
                "residual=True."
            )

    def _flat(self, inputs: Mapping[str, Tensor]) -> Tensor:
        flat = _joined("HyperNetwork", inputs, self.input_shapes, sorted(self.input_shapes))
        check_dtype(self, flat, "a hyper-input")
        return flat

    def _named(self, flat: Tensor) -> dict[str, Tensor]:
        blocks = torch.split(flat, [math.prod(shape) for shape in self.output_shapes.values()], -1)
        return {
            name: block.reshape(*flat.shape[:-1], *shape)
            for (name, shape), block in zip(self.output_shapes.items(), blocks, strict=True)
        }

    def extra_repr(self) -> str:
        """Options; the layers are printed anyway."""
        return f"encoding={self.encoding!r}, residual={self.residual}"


def _checked(argument: str, shapes: Shapes) -> dict[str, Shape]:
    found = {name: tuple(shape) for name, shape in shapes.items()}
    if not found or not all(math.prod(shape) for shape in found.values()):
        raise ValueError(f"HyperNetwork: `{argument}` must name tensors with entries, got {argument}={found}.")
    return found


def _check_option(name: str, value: Any, known: Any) -> None:
    if value not in known:
        raise ValueError(f"HyperNetwork: `{name}` must be one of {tuple(known)}, got {name}={value!r}.")


def _fill_usual(name: str, values: Tensor) -> None:
    if name.endswith("bias"):
        values.zero_()
    elif values.ndim < 2:
        values.fill_(1.0)
    else:
        INITIALISERS["kaiming_fan_in"](values)


def _joined(asker: str, tensors: Mapping[str, Tensor], shapes: Mapping[str, Shape], order: Sequence[str]) -> Tensor:
    """Named tensors in one row, or one row for each sample, after a check of names and shapes."""
    missing, unexpected = sorted(shapes.keys() - tensors.keys()), sorted(tensors.keys() - shapes.keys())
    if missing or unexpected:
        raise ValueError(
            f"{asker}: tensors must be named {', '.join(shapes)}, got missing={missing}, unexpected={unexpected}."
        )
    sizes: dict[str, int | None] = {}
    for name in order:
        shape, own = tuple(tensors[name].shape), shapes[name]
        if shape not in (own, (*shape[:1], *own)):
            raise ValueError(f"{asker}: {name!r} must have shape {own} or {('B', *own)}, got {shape}. Reshape it.")
        sizes[name] = None if shape == own else shape[0]
    if len(set(sizes.values())) > 1:
        raise ValueError(f"{asker}: all tensors must have one batch size, or none of them any, got {sizes}.")
    lead = () if None in sizes.values() else (next(iter(sizes.values())) or 0,)
    return torch.cat([tensors[name].reshape(*lead, math.prod(shapes[name])) for name in order], -1)
