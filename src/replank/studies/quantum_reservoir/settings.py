"""What a trial of this study needs to know, for forecasts and for what a reservoir remembers, at each scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from replank.lab.study import Protocol, Scale

Cell = Literal["rnn", "gru", "lstm", "qrnn", "qgru", "qlstm", "qlstm-six", "echo-state", "window", "persistence"]
Size = Literal["state", "parameters", "large"]
Inside = Literal["circuits", "unentangled", "tanh"]
Readout = Literal["rmsprop", "ridge", "least-squares"]

CHECKPOINTS = (1, 15, 30, 100)
"""Epochs at which the paper reports, as recalled."""


@dataclass(frozen=True)
class Core:
    """What reads the sequence.

    Args:
        cell: which kind; ``"window"`` is the window itself, ``"persistence"`` has nothing to learn.
        frozen: whether it is a reservoir: drawn, and never trained.
        size: of classical cells: as many state variables as a quantum cell's, about as many parameters, or the 100
            units that echo state networks usually have.
        n_qubits: of each circuit: one for the input, the others for the state.
        n_layers: of each circuit.
        init_scale: standard deviation of the angles, as published; uniform in [0, 2 pi) if ``None``.
        inside: what a quantum cell holds: its circuits, these without CNOTs, or random tanh layers.
        readout: of what is not trained itself: step by step, or solved for with or without a penalty.
    """

    cell: Cell = "rnn"
    frozen: bool = False
    size: Size = "state"
    n_qubits: PositiveInt = 4
    n_layers: PositiveInt = 2
    init_scale: NonNegativeFloat | None = 0.01
    inside: Inside = "circuits"
    readout: Readout = "rmsprop"

    @property
    def is_recurrent(self) -> bool:
        """Whether there is a state."""
        return self.cell not in ("window", "persistence")

    @property
    def is_quantum(self) -> bool:
        """Whether there are circuits, or what stands in their place."""
        return self.cell.startswith("q")


@dataclass(frozen=True)
class SeriesSettings(Core):
    """One series, one step ahead, from windows.

    Args:
        epochs: passes over the training windows, where there are any.
        window: steps that a model sees, from an empty state.
        first: values of the series that are used, from its beginning; 0 means all.
        batch_size: windows a step, in the order of time.
        lr: step size of RMSprop.
    """

    epochs: PositiveInt = 15
    window: PositiveInt = 4
    first: NonNegativeInt = 300
    batch_size: PositiveInt = 10
    lr: PositiveFloat = 0.01


@dataclass(frozen=True)
class StreamSettings(Core):
    """One long sequence of independent inputs that a reservoir sees from end to end.

    Args:
        n_steps: steps of the sequence.
        washout: steps at its beginning that are not looked at.
    """

    readout: Readout = "ridge"
    n_steps: PositiveInt = 2000
    washout: PositiveInt = 200


@dataclass(frozen=True)
class DrivenSettings(StreamSettings):
    """A NARMA system driven by the sequence, which a reservoir that sees the same is to follow.

    Args:
        order: of the system.
    """

    order: PositiveInt = 10


@dataclass(frozen=True)
class MemorySettings(StreamSettings):
    """What a reservoir remembers of the sequence, and whether it forgets where it started.

    Args:
        max_delay: up to which an earlier input is looked for.
        n_draws: reservoirs that are drawn to see whether they forget.
        forgetting_steps: after how many steps they are to have forgotten.
    """

    max_delay: PositiveInt = 20
    n_draws: PositiveInt = 20
    forgetting_steps: PositiveInt = 40


Changes = Mapping[str, Mapping[str, Any]]

BY_ARM: Changes = {
    "*-rc*": {"frozen": True},
    "rnn*": {"cell": "rnn"},
    "gru*": {"cell": "gru"},
    "lstm*": {"cell": "lstm"},
    "qrnn*": {"cell": "qrnn"},
    "qgru*": {"cell": "qgru"},
    "qlstm*": {"cell": "qlstm"},
    "qlstm-six*": {"cell": "qlstm-six"},
    "*-matched*": {"size": "parameters"},
    "*-uniform": {"init_scale": None},
    "*-unentangled": {"init_scale": None, "inside": "unentangled"},
    "*-tanh": {"inside": "tanh"},
    "echo-state*": {"cell": "echo-state", "frozen": True, "readout": "ridge"},
    "echo-state": {"size": "large"},
    "ar": {"cell": "window", "readout": "least-squares"},
    "ridge": {"cell": "window", "readout": "ridge"},
    "persistence": {"cell": "persistence"},
}
# later ones win where several match: what an arm's name says behind its cell is added to it

FORMULAS = ("damped_pendulum", "bessel_j2", "narma5", "narma10")
"""The paper's series."""
RECORDED = ("monthly_sunspots", "daily_min_temperatures", "airline_passengers")
LONG = ("etth1_oil", "beijing_pm25")

CLASSICAL = ("rnn", "gru", "lstm")
QUANTUM = ("qrnn", "qgru", "qlstm")
"""The three cells that are compared with the classical ones; ``qlstm-six`` is the code's own."""
WITH_SIX = (*QUANTUM, "qlstm-six")
NEEDS_NO_STEPS = ("echo-state", "ar", "ridge", "persistence")

CELLS = (*CLASSICAL, *(f"{cell}-matched" for cell in CLASSICAL), *WITH_SIX)
PUBLISHED = tuple(f"{cell}-rc" for cell in (*CLASSICAL, *WITH_SIX))
UNIFORM = tuple(f"{cell}-rc-uniform" for cell in WITH_SIX)
CONTROLS = (
    *(f"{cell}-matched-rc" for cell in CLASSICAL),
    *(f"{cell}-rc-{inside}" for inside in ("unentangled", "tanh") for cell in QUANTUM),
    "echo-state-small",
)
RESERVOIRS = (*PUBLISHED, *UNIFORM, *CONTROLS)
"""All but the large echo state network."""


def _protocols(
    series: SeriesSettings,
    *,
    n_steps: int = 2000,
    n_draws: int = 20,
    name: str = "",
    n_qubits: int = 4,
    n_layers: int = 2,
) -> dict[str, Protocol]:
    """All experiments, with circuits of one size, which their names tell unless it is the published one."""
    series = replace(series, n_qubits=n_qubits, n_layers=n_layers)
    circuits = f"; {series.n_qubits} qubits, {series.n_layers} layers" if name else ""
    return (
        _of_series(series, name, circuits)
        | {
            f"driven-narma{order}{name}": Protocol(
                DrivenSettings(order=order, n_steps=n_steps, n_qubits=n_qubits, n_layers=n_layers),
                by_arm=BY_ARM,
                about=f"NARMA{order} told from its random input alone, step after step: {n_steps:,} steps, 200 of "
                f"washout, half of the others for training; ridge regression{circuits}",
                arms=(*RESERVOIRS, "echo-state", "ar", "persistence"),
                datasets=("generated",),
                baseline="rnn-rc",
            )
            for order in (5, 10)
        }
        | {
            f"memory{name}": Protocol(
                MemorySettings(n_steps=n_steps, n_draws=n_draws, n_qubits=n_qubits, n_layers=n_layers),
                by_arm=BY_ARM,
                about=f"earlier inputs that a linear read-out finds in the states, over {n_steps:,} steps, and whether "
                f"{n_draws} reservoirs forget where they started{circuits}",
                arms=(*RESERVOIRS, "echo-state", "ar"),
                datasets=("generated",),
                baseline="rnn-rc",
                headline_metric="memory_capacity",
            )
        }
    )


def _of_series(series: SeriesSettings, name: str, circuits: str) -> dict[str, Protocol]:
    window = f"{series.window} values, the next one; first 67 % for training{circuits}"
    sets = (*FORMULAS, *RECORDED, *LONG)
    return {
        f"gradient{name}": Protocol(
            series,
            by_arm=BY_ARM,
            about=f"as published: {window}; {series.epochs} epochs of RMSprop, of all weights or, with rc, of the "
            "read-out alone",
            arms=(*CELLS, *PUBLISHED, *UNIFORM, *NEEDS_NO_STEPS),
            datasets=sets,
        ),
        f"ridge{name}": Protocol(
            replace(series, readout="ridge"),
            by_arm=BY_ARM,
            about=f"reservoirs, read by ridge regression: {window}",
            arms=(*RESERVOIRS, *NEEDS_NO_STEPS),
            datasets=sets,
            baseline="rnn-rc",
        ),
    }


def _sizes(series: SeriesSettings) -> dict[str, Protocol]:
    """Circuits of other sizes than the published one: four to eight qubits, one to four layers."""
    found: dict[str, Protocol] = {}
    for n in range(5, 9):
        found |= _protocols(series, name=f"-{n}-qubits", n_qubits=n)
    for n in (1, 3, 4):
        found |= _protocols(series, name=f"-{n}-layers", n_layers=n)
    return found


def _fewer(protocols: dict[str, Protocol], **arms: tuple[str, ...]) -> dict[str, Protocol]:
    """One of each kind, some with fewer arms: every arm stays in one of them."""
    kept = {name: protocol for name, protocol in protocols.items() if name != "driven-narma10"}
    return {name: replace(each, arms=arms.get(name.partition("-")[0], each.arms)) for name, each in kept.items()}


SCALES = {
    "smoke": Scale(
        _fewer(
            _protocols(SeriesSettings(epochs=1, first=40), n_steps=260, n_draws=1),
            ridge=("rnn-rc", "qrnn-rc"),
            driven=("rnn-rc", "ar", "persistence"),
            memory=("rnn-rc", "qrnn-rc", *CONTROLS, "ar"),
        ),
        datasets=("narma5",),
        seeds=1,
        minutes=0.2,
    ),
    "small": Scale(
        _protocols(SeriesSettings()),
        datasets=(*FORMULAS, "monthly_sunspots"),
        seeds=4,
        minutes=4.5,
        without_files=dict.fromkeys(RECORDED),
    ),
    "paper": Scale(
        _protocols(SeriesSettings(epochs=100, first=0)) | _sizes(SeriesSettings(epochs=100, first=0)),
        datasets=(*FORMULAS, *RECORDED, *LONG),
        seeds=10,
        minutes=15_000,
        without_files=dict.fromkeys((*RECORDED, *LONG)),
    ),
}
