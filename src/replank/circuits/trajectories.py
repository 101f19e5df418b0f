"""Noisy circuits as means over pure trajectories, on as many qubits as a state vector holds.

A trajectory is the circuit with errors drawn for it. All trajectories of all samples are lanes of one batch: what was
drawn enters as features, so that one program serves them all and the compiled core runs it. Values are exact for what
was drawn, and so are their gradients.

Flips, depolarising noise and phase damping are Pauli errors: every trajectory counts alike, and the variance of a Pauli
string is at most that of a coin with the same mean. Other channels give a trajectory a weight, which is 1 in the mean
only. The mean of its square grows with each channel: by a factor of ``1 + gamma <X>^2`` for relaxation with probability
gamma, of ``sum_k <K_k^+ K_k>^2 / q_k`` for other Kraus operators K_k, drawn with probabilities q_k. That is exponential
in their number, and harmless as long as the sum of all gamma is about 1: look at the standard error.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple

import psutil
import torch
from torch import Tensor

from replank.circuits import core, torch_backend
from replank.circuits.circuit import Circuit
from replank.circuits.columns import Columns
from replank.circuits.finite import require_finite
from replank.circuits.light_cone import DEAD, DIAGONAL, FULL, components, merge_copies, prune
from replank.circuits.lowering import Lowered, lower, only_lines
from replank.circuits.observables import Observable, Z, check_wires
from replank.circuits.one_group import one_group
from replank.circuits.plan import Backend
from replank.circuits.prepared import prepared_state
from replank.circuits.primitives import Noise, Primitive, Project, Word
from replank.circuits.program import Masked, assemble
from replank.circuits.slots import Slots
from replank.circuits.unravelling import Unravelling, unravel
from replank.errors import UsageError

_WORTH_ASKING = 2**28  # bytes from which the machine's free memory is looked at


class Estimate(NamedTuple):
    """Means over trajectories with their standard errors, each of the shape that a plan would give."""

    mean: Any
    standard_error: Any


class Trajectories:
    """A circuit with channels, ready to be run as a mean over trajectories.

    Args:
        circuit: it is frozen from now on.
        observables: sums of Pauli strings, projectors or probabilities; Z on every qubit if not given.

    Raises:
        ValueError: an observable of another kind, or on qubits that the circuit does not have; the circuit
            post-selects, so that what is measured is not linear in its density matrix.

    Example:
        >>> from replank.circuits import Circuit, Z, noise
        >>> circuit = Circuit(1).x(0).append(noise.bit_flip(0.25, 0))
        >>> mean, error = Trajectories(circuit, Z(0))(
        ...     torch.zeros(0), torch.zeros(0), n=1000, generator=torch.Generator().manual_seed(0))
        >>> bool(abs(mean + 0.5) < 4 * error)
        True
    """

    def __init__(self, circuit: Circuit, observables: Observable | Sequence[Observable] | None = None):
        self.circuit = circuit.freeze()
        wanted = [Z(wire) for wire in range(circuit.n_qubits)] if observables is None else observables
        listed = tuple(wanted) if isinstance(wanted, Sequence) else (wanted,)
        for observable in listed:
            check_wires(observable, circuit.n_qubits)
        self.columns = Columns(listed, is_single=not isinstance(wanted, Sequence), n_qubits=circuit.n_qubits)
        seen = _seen(lower(circuit), self.columns.words)
        words = [_on_lines(word, seen) for word in self.columns.words]
        lines = _together(seen, words)
        self._words = [tuple((lines.index(line), letter) for line, letter in word) for word in words]
        self._unravelled(only_lines(seen, lines))

    def _unravelled(self, lowered: Lowered) -> None:
        """Make the program, in which channels are errors drawn for each lane."""
        n_features = self.circuit.n_features
        self.channels: list[Unravelling] = []
        primitives: list[Primitive] = []
        control = lowered.n_lines
        for primitive in lowered.primitives:
            if isinstance(primitive, Noise):
                first = n_features + sum(each.bits.shape[1] for each in self.channels)
                self.channels.append(unravel(primitive.kraus))
                primitives += self.channels[-1].primitives((*primitive.wires, control), first)
            else:
                primitives.append(primitive)
        n_lines = control + any(control in primitive.wires for primitive in primitives)
        self._lowered = replace(lowered, n_lines=n_lines, primitives=tuple(primitives))
        self._program = assemble(self._lowered)
        self._n_bits = sum(each.bits.shape[1] for each in self.channels)
        self._slots = Slots(self._program.angles, n_features + self._n_bits, self.circuit.n_parameters)

    # -- running -----------------------------------------------------------------------------------------------------

    def __call__(
        self,
        features: Tensor,
        parameters: Tensor,
        *,
        n: int,
        generator: torch.Generator | None = None,
        backend: Backend = "auto",
    ) -> Estimate:
        """Run ``n`` trajectories of each sample.

        Shape: ``features`` ``(*, n_features)``, ``parameters`` ``(n_parameters,)``; means and errors have the shapes
        of :meth:`replank.circuits.plan.Plan.__call__`.

        Args:
            features: of each sample.
            parameters: shared by all samples.
            n: trajectories of each sample, at least two.
            generator: errors are drawn from it; torch's default one if not given.
            backend: where to run; ``"auto"`` takes the core on a CPU if there is one.

        Returns:
            Means, differentiable, and their standard errors.

        Raises:
            ValueError: fewer than two trajectories, too few or too many features or parameters, NaN or infinity.
            TypeError: their dtypes or devices differ, or are not float32 or float64.
            UsageError: the states do not fit into memory.
        """

        def run(features: Tensor, parameters: Tensor) -> Estimate:
            return self.run(features, parameters, n=n, generator=generator, backend=backend)

        return one_group("Trajectories", self.circuit, run, features, parameters)

    def run(
        self,
        features: Tensor,
        parameters: Tensor,
        *,
        n: int,
        generator: torch.Generator | None = None,
        backend: Backend = "auto",
    ) -> Estimate:
        """The same for several sets of parameters or of features: see :meth:`replank.circuits.plan.Plan.run`."""
        if n < 2:
            raise ValueError(f"Trajectories: a standard error takes at least two trajectories, got n={n}.")
        n_groups, batch = max(len(features), len(parameters)), features.shape[1]
        self._check_memory(n_groups * batch * n, features, parameters)
        with torch.autocast(features.device.type, enabled=False):
            angles = self._draw(n_groups * batch * n, features, generator).reshape(n_groups, batch * n, self._n_bits)
            lanes = torch.cat((features.repeat_interleave(n, 1).expand(n_groups, -1, -1), angles), -1)
            table = self.columns.of_strings(self._run(lanes, parameters, backend))
            table = table.reshape(n_groups, batch, n, table.shape[-1])
            mean = table.mean(2)
            error = ((table - mean[:, :, None]).detach().square().sum(2) / (n * (n - 1))).sqrt()
            return Estimate(self.columns.split(mean), self.columns.split(error))

    def _draw(self, n_lanes: int, like: Tensor, generator: torch.Generator | None) -> Tensor:
        """For each lane an outcome of each channel, as angles 0 or pi."""
        angles = [like.new_zeros(n_lanes, 0)]
        for channel in self.channels:
            ends = torch.as_tensor(channel.probabilities, device=like.device).cumsum(0)
            places = torch.rand(n_lanes, generator=generator, dtype=ends.dtype, device=like.device)
            index = torch.bucketize(places, ends[:-1], right=True)
            angles.append(torch.as_tensor(math.pi * channel.bits).to(like)[index])
        return torch.cat(angles, -1)

    def _run(self, lanes: Tensor, parameters: Tensor, backend: Backend) -> Tensor:
        """Expectation values of the strings on states that need not have norm 1, ``(G, L, W)``."""
        initial = prepared_state(self._lowered, lanes, parameters, is_mixed=False)
        features, parameters = self._slots.sources(lanes, parameters)
        on_core = lanes.device.type == "cpu" and core.available()
        if backend == "torch" or (backend == "auto" and not on_core):
            features, parameters = require_finite(features), require_finite(parameters)
            return torch_backend.run(self._program, self._slots, features, parameters, initial, self._strings)
        from replank.circuits import core_backend

        return core_backend.run(self._compiled, features, parameters, initial)

    @cached_property
    def _strings(self) -> list[Masked]:
        return [self._program.frame.masked(word) for word in self._words]

    @cached_property
    def _compiled(self) -> Any:
        from replank.circuits.core_backend import CoreProgram

        return CoreProgram(self._program, self._slots, self._strings, prepared=bool(self._lowered.prepared))

    def _check_memory(self, n_lanes: int, features: Tensor, parameters: Tensor) -> None:
        needs = torch.is_grad_enabled() and (features.requires_grad or parameters.requires_grad)
        copies = 1 + self._program.n_irreversible if needs else 0
        states = 2 ** (self._program.n + 1) * (n_lanes * copies + 2 * min(torch.get_num_threads(), n_lanes))
        wanted = features.itemsize * (states + n_lanes * (self._slots.n_features + len(self._words)))
        if wanted < _WORTH_ASKING or features.device.type != "cpu":
            return
        free = psutil.virtual_memory().available
        if wanted > free:
            raise UsageError(
                f"Trajectories: states must fit into memory, got {self._program.n} lines and {n_lanes} trajectories in "
                f"all, which take about {wanted / 2**30:.3g} GiB of {free / 2**30:.3g} GiB free. Take fewer at a time."
            )


def _seen(lowered: Lowered, words: Sequence[Word]) -> Lowered:
    """What the strings can see of a circuit. Channels, too, are dropped: they keep the trace."""
    if any(isinstance(primitive, Project) for primitive in lowered.primitives):
        raise ValueError("Trajectories: the circuit must not post-select, got PostSelect. Plan it as a density matrix.")
    status = [DEAD] * lowered.n_lines
    for wire, letter in (pair for word in words for pair in word):
        line = lowered.output[wire]
        status[line] = max(status[line], DIAGONAL if letter == "Z" else FULL)
    return merge_copies(prune(lowered, list(status)), status)


def _on_lines(word: Word, lowered: Lowered) -> Word:
    return tuple(sorted((lowered.output[wire], letter) for wire, letter in word))


def _together(lowered: Lowered, words: Sequence[Word]) -> list[int]:
    """The lines that are measured, and those that ever meet them."""
    measured = tuple({line: None for word in words for line, _ in word})
    return next(lines for lines in components(lowered, [measured]) if measured[0] in lines)
