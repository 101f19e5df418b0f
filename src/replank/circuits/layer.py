"""A circuit as a torch module: its parameters are trained with the rest of a network."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Self

import torch
from torch import Tensor, nn

from replank.circuits.circuit import Circuit
from replank.circuits.estimators import Estimator, Gradient
from replank.circuits.noise import NoiseModel, ReadoutError
from replank.circuits.observables import Observable, PauliSum, Projector, Samples
from replank.circuits.plan import Plan
from replank.circuits.trajectories import Trajectories


class QuantumLayer(nn.Module):
    """What a circuit's observables give, as a function of its features, with the circuit's parameters as weights.

    With ``n_circuits``, it is that many circuits of one structure, each with weights of its own, in one call of the
    compiled core; nothing passes from one to another.

    Shape: ``(*, n_features) -> (*, K)`` for a sequence of K sums of Pauli strings or projectors, Z on every qubit if
    none are given; a single observable gives its own shape, ``(*,)`` or ``(*, 2^k)``. With ``n_circuits=c`` it is
    ``(*, c, n_features) -> (*, c, K)``; what is ``(*, 1, n_features)`` is shown to all circuits.

    Args:
        circuit: it is immutable from now on.
        observables: what is measured.
        n_circuits: number of circuits; a single one, without a dimension of its own, if not given.
        init_scale: standard deviation of the initial angles, around 0; they are uniform in [0, 2 pi) if not given, as
            PennyLane's ``TorchLayer`` draws them.
        frozen: whether the angles stay as they are drawn.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: no circuit, a negative ``init_scale``, observables whose values do not fit into one tensor; in
            ``forward``, another number of features.
        TypeError: in ``forward``, input that is not floating point or, outside autocast, of another dtype.

    Example:
        >>> from replank.circuits import Circuit, QuantumLayer, Z, theta, x
        >>> layer = QuantumLayer(Circuit(1).rx(x[0], 0).ry(theta[0], 0), [Z(0)])
        >>> layer(torch.zeros(5, 1)).shape
        torch.Size([5, 1])
    """

    def __init__(
        self,
        circuit: Circuit,
        observables: Observable | Sequence[Observable] | None = None,
        *,
        n_circuits: int | None = None,
        init_scale: float | None = None,
        frozen: bool = False,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        if n_circuits is not None and n_circuits < 1:
            raise ValueError(f"QuantumLayer: there must be at least one circuit, got n_circuits={n_circuits}.")
        if init_scale is not None and not 0 <= init_scale < math.inf:
            raise ValueError(f"QuantumLayer: `init_scale` is a standard deviation, got init_scale={init_scale}.")
        self.plan = circuit.plan(observables)
        _check_one_tensor(self.plan)
        self._device: Callable[[Tensor, Tensor], Tensor] | None = None  # exact
        self.n_circuits, self.init_scale = n_circuits, init_scale
        shape = (self.plan.n_parameters,) if n_circuits is None else (n_circuits, self.plan.n_parameters)
        self.theta = nn.Parameter(torch.empty(shape, device=device, dtype=dtype), requires_grad=not frozen)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the angles anew, from torch's default generator; frozen ones, too."""
        if self.init_scale is None:
            nn.init.uniform_(self.theta, 0, 2 * math.pi)
        else:
            nn.init.normal_(self.theta, std=self.init_scale)

    def forward(self, features: Tensor) -> Tensor:
        """Run the circuits."""
        self._check(features)
        if not torch.is_autocast_enabled(features.device.type):
            return self._run(features)
        with torch.autocast(features.device.type, enabled=False):  # angles need more digits than half precision has
            return self._run(features.to(self.theta.dtype))

    def on(
        self,
        *,
        shots: int | None = None,
        noise: NoiseModel | None = None,
        trajectories: int | None = None,
        gradient: Gradient = "adjoint",
        generator: torch.Generator | None = None,
    ) -> Self:
        """The same layer, with the very same parameters, as a device would run it.

        Args:
            shots: how often each set of observables that can be read together is measured; values are exact if not
                given.
            noise: channels after gates and errors at read-out. The noisy circuit is run as a density matrix, on up to
                12 qubits.
            trajectories: average over so many random runs of the noisy circuit instead, on as many qubits as a state
                vector holds.
            gradient: where derivatives come from, see :class:`replank.circuits.estimators.Estimator`.
            generator: shots and trajectories are drawn from it; from torch's default one if not given.

        Raises:
            TypeError: ``noise`` is not a noise model.
            ValueError: no shot or fewer than two trajectories, shots or shifts together with trajectories, too many
                qubits for a density matrix, a gate that the model says nothing of.
        """
        if noise is not None and not isinstance(noise, NoiseModel):
            raise TypeError(f"QuantumLayer.on: `noise` must be a NoiseModel, got {type(noise).__name__}.")
        layer = copy.copy(self)
        if trajectories is None:
            estimator = Estimator(
                self.plan if noise is None else Plan(noise.apply(self.plan.circuit), self.plan.wanted),
                gradient=gradient,
                shots=shots,
                readout=None if noise is None else noise.readout,
            )
            layer._device = partial(estimator.run, generator=generator)
            return layer
        if shots is not None or gradient != "adjoint":
            raise ValueError(
                "QuantumLayer.on: trajectories are averaged exactly, got trajectories together with "
                f"shots={shots} and gradient={gradient!r}. Leave out one."
            )
        layer._device = _averaged(self.plan, noise or NoiseModel(), trajectories, generator)
        return layer

    def with_circuit(self, circuit: Circuit) -> Self:
        """A layer with the very same parameters that runs another circuit, exactly.

        Raises:
            ValueError: the circuit takes another number of features or parameters.
        """
        plan, own = circuit.plan(self.plan.wanted), self.plan
        if (plan.n_features, plan.n_parameters) != (own.n_features, own.n_parameters):
            raise ValueError(
                f"QuantumLayer.with_circuit: the circuit must take n_features={own.n_features} and n_parameters="
                f"{own.n_parameters}, got {plan.n_features} and {plan.n_parameters}."
            )
        layer = copy.copy(self)
        layer.plan, layer._device = plan, None
        return layer

    def _run(self, features: Tensor) -> Tensor:
        run = self.plan.run if self._device is None else self._device
        shape, theta = features.shape, self.theta
        if self.n_circuits is None:
            lead = shape[:-1]
            flat = features if len(lead) == 1 else features.reshape(math.prod(lead), shape[-1])
            values = run(flat.unsqueeze(0), theta.unsqueeze(0)).squeeze(0)
        else:
            lead = shape[:-2]
            flat = features if len(lead) == 1 else features.reshape(math.prod(lead), *shape[-2:])
            values = run(flat.transpose(0, 1), theta).transpose(0, 1)
        return values if len(lead) == 1 else values.reshape((*lead, *values.shape[1:]))

    def _check(self, features: Tensor) -> None:
        shape, n_features = features.shape, self.plan.n_features
        if len(shape) == 0 or shape[-1] != n_features:
            raise ValueError(
                f"QuantumLayer: the last dimension must be n_features={n_features}, got input of shape {tuple(shape)}."
            )
        if self.n_circuits is not None and (len(shape) == 1 or shape[-2] not in (1, self.n_circuits)):
            raise ValueError(
                f"QuantumLayer: the last dimension but one must be n_circuits={self.n_circuits}, or 1 for the same "
                f"input to all, got input of shape {tuple(shape)}."
            )
        if features.dtype != self.theta.dtype and not (
            features.is_floating_point() and torch.is_autocast_enabled(features.device.type)
        ):
            raise TypeError(
                f"QuantumLayer: input must have the parameters' dtype {self.theta.dtype}, got dtype={features.dtype}. "
                "Convert one with .to()."
            )

    def extra_repr(self) -> str:
        """The circuit's size and the options."""
        plan = self.plan
        text = f"n_qubits={plan.circuit.n_qubits}, n_features={plan.n_features}, n_parameters={plan.n_parameters}"
        text += f", n_observables={len(plan.observables)}"
        text += "" if self.n_circuits is None else f", n_circuits={self.n_circuits}"
        text += "" if self.init_scale is None else f", init_scale={self.init_scale}"
        return text if self.theta.requires_grad else f"{text}, frozen=True"


def _check_one_tensor(plan: Plan) -> None:
    kinds = ", ".join(type(observable).__name__ for observable in plan.observables)
    if any(isinstance(observable, Samples) for observable in plan.observables):
        raise ValueError(
            f"QuantumLayer: a layer gives expectation values, got {kinds}. Run circuit.plan(Samples(...))."
        )
    if not plan.is_single and not all(isinstance(each, PauliSum | Projector) for each in plan.observables):
        raise ValueError(
            "QuantumLayer: observables in a sequence must be sums of Pauli strings or projectors, whose values make "
            f"one tensor, got {kinds}. Give one alone, outside a sequence."
        )


def _averaged(
    plan: Plan, noise: NoiseModel, n: int, generator: torch.Generator | None
) -> Callable[[Tensor, Tensor], Tensor]:
    """A run as a mean over trajectories, with errors at read-out as part of the observables."""
    if n < 2:
        raise ValueError(f"QuantumLayer.on: there must be at least two trajectories, got trajectories={n}.")
    observables = plan.observables
    if noise.readout is not None:
        observables = tuple(_as_read(observable, noise.readout) for observable in observables)
    trajectories = Trajectories(noise.apply(plan.circuit), observables[0] if plan.is_single else observables)
    return partial(_mean, trajectories, n, generator)


def _as_read(observable: Observable, readout: ReadoutError) -> PauliSum:
    if not isinstance(observable, PauliSum):
        raise ValueError(
            f"QuantumLayer.on: with trajectories, errors at read-out are known for sums of Pauli strings, got "
            f"{type(observable).__name__}. Leave out the trajectories."
        )
    return readout.of_observable(observable)


def _mean(
    trajectories: Trajectories, n: int, generator: torch.Generator | None, features: Tensor, weights: Tensor
) -> Tensor:
    return trajectories.run(features, weights, n=n, generator=generator).mean
