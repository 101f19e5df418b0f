"""What a plan did, in words and numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from replank.circuits.angle import Angle
from replank.circuits.cost import flops
from replank.circuits.program import Dense, Phases, Projection, Rotations, Step

if TYPE_CHECKING:
    from replank.circuits.plan import Component, Plan


def explain(plan: Plan, batch: int) -> str:
    """What was absorbed, dropped, gathered and split, and what a run costs.

    Args:
        plan: of a circuit.
        batch: number of samples that costs are given for.
    """
    circuit = plan.circuit
    counts = circuit.counts()
    kept = len(plan.lowered.primitives)
    lines = [
        f"{_counted(counts.n_qubits, 'qubit')}, {_counted(counts.n_gates, 'gate')}, "
        f"{_counted(counts.n_parameters, 'parameter')}, {_counted(counts.n_features, 'feature')}; "
        f"{_counted(len(plan.observables), 'observable')} by {plan.output}.",
        f"{_counted(kept, 'primitive')} that the observables see, on {_counted(plan.lowered.n_lines, 'line')}"
        + (" (a density matrix: rows and columns)." if plan.is_mixed else "."),
    ]
    if len(plan.components) > 1:
        lines.append(f"{len(plan.components)} parts that never meet: each is run by itself.")
    for number, component in enumerate(plan.components):
        lines += _component_lines(component, number)
    costs = [flops(component.program, len(component.words)) for component in plan.components]
    forward, backward = (sum(cost[way] for cost in costs) for way in (0, 1))
    itemsize = torch.get_default_dtype().itemsize
    memory = plan.memory_bytes(batch, itemsize, with_gradients=True)
    lines.append(
        f"A batch of {batch}: {_engineering(batch * forward)}FLOP forwards, {_engineering(batch * backward)}FLOP "
        f"backwards, {_engineering(memory)}B of states with gradients ({8 * itemsize}-bit numbers)."
    )
    example = torch.empty(1, device=torch.get_default_device())
    lines.append(f"Backend on this device: {plan.backend(example)}.")
    return "\n".join(lines)


def _component_lines(component: Component, number: int) -> list[str]:
    program = component.program
    start = sum(len(turns) for turns in program.start)
    lines = [
        f"Part {number}: {_counted(program.n, 'line')}. {_counted(program.n_absorbed, 'permutation')} (X, CNOT, SWAP) "
        f"absorbed; {_counted(program.n_turns, 'turn')} gathered into {start} that make the product state at the start "
        f"and {_counted(len(program.steps), 'step')}:"
    ]
    for index, step in enumerate(program.steps):
        lines.append(f"  {index + 1}. {_describe(step)}")
    return lines


def _describe(step: Step) -> str:
    match step:
        case Phases(terms):
            return f"one diagonal from {_counted(len(terms), 'turn')}, {_sources([*terms.values()])}"
        case Rotations(rotations):
            conditional = sum(bool(rotation.conditions) for rotation in rotations)
            some = f", {conditional} of them controlled" if conditional else ""
            return (
                f"{_counted(len(rotations), 'rotation')}{some}, {_sources([rotation.angle for rotation in rotations])}"
            )
        case Dense(flips=flips, is_unitary=is_unitary):
            return f"a {'matrix' if is_unitary else 'matrix that is not unitary'} on {_counted(len(flips), 'qubit')}"
        case Projection():
            return "a projection"


def _sources(angles: list[Angle]) -> str:
    n_sampled = sum(angle.per_sample for angle in angles)
    return f"{n_sampled} of them different for each sample" if n_sampled else "the same for all samples"


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _engineering(value: float) -> str:
    for prefix, scale in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= scale:
            return f"{value / scale:.3g} {prefix}"
    return f"{value:.3g} "
