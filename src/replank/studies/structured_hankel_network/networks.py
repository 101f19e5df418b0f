"""The networks of the arms: one host of three layers, and what fills the places of the first two."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from replank.measure.parameters import count_parameters
from replank.parts.controls import same_size
from replank.parts.linear import StructuredLinear
from replank.parts.replacement import Builder, part
from replank.slots import swap
from replank.studies.structured_hankel_network.settings import HankelSettings

SLOPE = 0.01
SWAPPED = ("expand", "reduce")


def dense_network(n_in: int, n_out: int, width: int, narrow: int) -> nn.Sequential:
    """``n_in -> width -> narrow -> n_out`` with leaky rectifiers."""
    return nn.Sequential(
        OrderedDict(
            expand=nn.Linear(n_in, width),
            first=nn.LeakyReLU(SLOPE),
            reduce=nn.Linear(width, narrow),
            second=nn.LeakyReLU(SLOPE),
            readout=nn.Linear(narrow, n_out),
        )
    )


def pointwise_network(n_in: int, n_out: int) -> nn.Module:
    """The textbooks' network for single states: three hidden layers of ten."""
    return nn.Sequential(
        nn.Linear(n_in, 10),
        nn.LeakyReLU(SLOPE),
        nn.Linear(10, 10),
        nn.LeakyReLU(SLOPE),
        nn.Linear(10, 10),
        nn.LeakyReLU(SLOPE),
        nn.Linear(10, n_out),
    )


def network(settings: HankelSettings, n_in: int, n_out: int, seed: int) -> nn.Module:
    """The arm's network; all that is not swapped begins with the same values in all arms of a seed.

    It draws the host's initial values from the stream that is there.
    """
    match settings.kind:
        case "pointwise":
            return pointwise_network(n_in, n_out)
        case "matched":
            width = _matched_width(settings, n_in, n_out)
            return dense_network(n_in, n_out, settings.p * width, width)
        case _:
            return _swapped(settings, dense_network(n_in, n_out, settings.p * n_in, n_in), seed)


def hidden_parameters(model: nn.Module) -> int:
    """Parameters of the two layers that are swapped; 0 if it has none."""
    return sum(each.numel() for name, each in model.named_parameters() if name.split(".")[0] in SWAPPED)


def structured(settings: HankelSettings, layout: str) -> part:
    """The structured layer of an arm, or the one of whose size its control is."""
    mode = "hankel" if settings.kind == "hankel" else "scaled"
    return part(StructuredLinear, p=settings.p, mode=mode, layout=layout)


def replacement(settings: HankelSettings, layout: str) -> Builder:
    """What fills a slot, in a layout."""
    made = structured(settings, layout)
    return same_size(made) if settings.kind == "low-rank" else made


def _swapped(settings: HankelSettings, host: nn.Module, seed: int) -> nn.Module:
    if settings.kind == "dense":
        return host
    for slot in SWAPPED:
        host = swap(host, slot, replacement(settings, slot), seed=seed)
    return host


def _matched_width(settings: HankelSettings, n_in: int, n_out: int) -> int:
    """The widest narrow layer of a dense network, four times narrower than the first, that the budget allows."""
    model: nn.Module = dense_network(n_in, n_out, settings.p * n_in, n_in)
    for slot in SWAPPED:
        model = swap(model, slot, structured(settings, slot), seed=0)
    budget = count_parameters(model).total

    def size(width: int) -> int:
        return count_parameters(dense_network(n_in, n_out, settings.p * width, width)).total

    return max(width for width in range(1, n_in + 1) if width == 1 or size(width) <= budget)
