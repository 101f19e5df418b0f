"""What a trial of this study needs to know, at each scale: every noise and every way to scale it is a protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from replank.lab.study import Protocol, Scale
from replank.parts.extrapolator import Range

ROUNDING = 1e-12
"""The least error that is told: below it, ratios of errors are ratios of rounding."""

HamiltonianName = Literal["z-string", "tfim", "xxz"]
NoiseName = Literal["depolarising", "two-qubit", "damping", "over-rotation", "readout", "device"]
Scaling = Literal["direct", "fold-global", "fold-local"]
ExtrapolatorName = Literal[
    "none", "linear", "polynomial", "richardson-3", "richardson", "exponential", "exponential-free", "gp", "ffnn",
    "learned-linear", "conditioned", "conditioned-values", "conditioned-blind",
]  # fmt: skip


@dataclass(frozen=True)
class World:
    """Circuits, noise and measurements: what all arms are given alike.

    Args:
        n_qubits: of the ansatz.
        hamiltonians: whose energies are measured.
        depths: how often the ansatz entangles its qubits.
        strengths: of the device's noise.
        noise: its family.
        scaling: how noise is turned up: by its strength, or by folding the circuit.
        scales: how far, in units of the device's noise; folding comes as near as whole gates allow.
        shots: for each setting; 0 means exact values.
        repeats: how often each circuit is measured anew.
        n_circuits: random circuits of each depth; none of a VQE.
        n_training: further ones of each depth, for extrapolators that learn from them.
        vqe_steps: 0 for random circuits; or steps of a variational eigensolver whose circuits are mitigated.
        vqe_starts: random initial angles, trained side by side.
        vqe_every: steps from one mitigation to the next.
    """

    n_qubits: PositiveInt = 3
    hamiltonians: tuple[HamiltonianName, ...] = ("z-string", "tfim", "xxz")
    depths: tuple[PositiveInt, ...] = (2,)
    strengths: tuple[PositiveFloat, ...] = (0.01,)
    noise: NoiseName = "depolarising"
    scaling: Scaling = "direct"
    scales: tuple[PositiveFloat, ...] = (1.0, 1.5, 2.0, 2.5, 3.0)
    shots: NonNegativeInt = 0
    repeats: PositiveInt = 1
    n_circuits: PositiveInt = 8
    n_training: PositiveInt = 200
    vqe_steps: NonNegativeInt = 0
    vqe_starts: PositiveInt = 3
    vqe_every: PositiveInt = 40


@dataclass(frozen=True)
class ZneSettings(World):
    """The world, and what extrapolates in it.

    Args:
        extrapolator: by name.
        range: which scales it may be fitted to.
        members: networks of an ensemble.
        steps: of a network's training.
        learning_steps: of the training on other circuits.
    """

    extrapolator: ExtrapolatorName = "none"
    range: Range = "device"
    members: PositiveInt = 5
    steps: PositiveInt = 2000
    learning_steps: PositiveInt = 1000

    @property
    def world(self) -> World:
        """What all arms share."""
        return World(**{entry.name: getattr(self, entry.name) for entry in fields(World)})


# -- arms: what each one is, whatever the world ------------------------------------------------------------------------

STANDARD = ("linear", "polynomial-2", "richardson-3", "richardson-5", "exponential", "exponential-free", "gp")
LEARNED = ("learned-linear", "conditioned")
FULL = {"range": "full", "scales": (0.1, 0.5, 1.0, 2.0, 3.0)}
BY_ARM: Mapping[str, Mapping[str, Any]] = {
    **{
        name: {"extrapolator": name}
        for name in (
            *("linear", "richardson-3", "exponential", "exponential-free", "gp", "ffnn"),
            *("learned-linear", "conditioned", "conditioned-values", "conditioned-blind"),
        )
    },
    "polynomial-2": {"extrapolator": "polynomial"},
    "richardson-5": {"extrapolator": "richardson"},
    "ffnn-full": {"extrapolator": "ffnn", **FULL},
    "richardson-full": {"extrapolator": "richardson", **FULL},
}
USUAL = ("none", *STANDARD, "ffnn", *LEARNED)
ALL = (*USUAL, "*-full", "conditioned-*")

DEPTHS = (1, 2, 3)
STRENGTHS = (0.005, 0.01, 0.03)
SHOTS = 4096


def _protocol(settings: ZneSettings, about: str, arms: tuple[str, ...] = USUAL) -> Protocol:
    return Protocol(settings, by_arm=BY_ARM, about=about, arms=arms, datasets=("generated",))


def _protocols(base: ZneSettings, depths: tuple[int, ...], each: Mapping[str, int]) -> dict[str, Protocol]:
    """All experiments of one size.

    Args:
        base: qubits and networks.
        depths: of the ansatz where it varies.
        each: how many circuits of each depth, by experiment.
    """
    varied = replace(base, depths=depths, n_circuits=each["varied"])
    noises: tuple[tuple[NoiseName, str], ...] = (
        ("two-qubit", "depolarising noise after gates on two qubits alone"),
        ("damping", "amplitude damping after every gate"),
        ("over-rotation", "every gate turns its qubits by a further RX: coherent, nothing decays"),
        ("readout", "perfect gates, and outcomes that are read wrongly"),
    )
    return {
        "exact": _protocol(
            replace(base, hamiltonians=("z-string", "tfim"), strengths=STRENGTHS, n_circuits=each["exact"]),
            "the paper's circuit of depth 2, depolarising noise after every gate, exact values",
            ALL,
        ),
        "depths": _protocol(replace(varied, strengths=STRENGTHS), "the same for three Hamiltonians and all depths"),
        **{name: _protocol(replace(varied, noise=name), about) for name, about in noises},
        "device": _protocol(
            replace(varied, noise="device", shots=SHOTS),
            f"a simulated device: depolarising noise, damping, errors of reading, {SHOTS:,} shots",
        ),
        "shots": _protocol(
            replace(base, shots=SHOTS, repeats=each["repeats"], n_circuits=each["shots"]),
            f"depolarising noise, {SHOTS:,} shots for each setting and scale, every circuit measured "
            f"{each['repeats']} times",
        ),
        "folding": _protocol(
            replace(base, scaling="fold-global", strengths=STRENGTHS[:2], n_circuits=each["varied"]),
            "depolarising noise of fixed strength, turned up by folding the circuit",
        ),
        "vqe": _protocol(
            replace(base, vqe_steps=each["vqe_steps"], vqe_starts=each["vqe_starts"]),
            "circuits that a variational eigensolver trains under depolarising noise, mitigated as it goes and at its "
            "end",
            (*USUAL, "*-full"),
        ),
    }


SMALL = {"exact": 21, "varied": 5, "shots": 4, "repeats": 20, "vqe_steps": 200, "vqe_starts": 3}
SMOKE = {"exact": 2, "varied": 1, "shots": 1, "repeats": 3, "vqe_steps": 4, "vqe_starts": 2}
PAPER = {"exact": 1000, "varied": 1000, "shots": 100, "repeats": 20, "vqe_steps": 200, "vqe_starts": 10}
PAPER_QUBITS = (2, 3, 4, 5, 6)

TINY = ZneSettings(n_training=8, members=2, steps=20, learning_steps=10, vqe_every=2)
LARGE = ZneSettings(n_training=5000, members=10, learning_steps=20_000, vqe_every=10)

# Of what only differs in its noise one is enough to see that it runs, with arms of each kind.
FEW = ("none", "exponential", "ffnn", "conditioned")
SMOKE_PROTOCOLS = {
    name: replace(protocol, arms=protocol.arms if name == "exact" else FEW)
    for name, protocol in _protocols(TINY, (1,), SMOKE).items()
    if name in ("exact", "device", "folding", "vqe")
}

SCALES = {
    "smoke": Scale(SMOKE_PROTOCOLS, datasets=(), seeds=1, minutes=0.2),
    "small": Scale(_protocols(ZneSettings(), DEPTHS, SMALL), datasets=(), seeds=5, minutes=4.5),
    "paper": Scale(
        {
            f"{name}-{n}": protocol
            for n in PAPER_QUBITS
            for name, protocol in _protocols(replace(LARGE, n_qubits=n), (1, 2, 3, 4), PAPER).items()
        },
        datasets=(),
        seeds=5,
        minutes=100_000,
    ),
}
