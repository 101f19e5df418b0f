"""How often the units of a ReLU network give zero, and whether they ever could give anything else."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from replank.measure.evaluation import evaluating

_FUNCTIONAL = (torch.relu, torch.relu_, nn.functional.relu, nn.functional.relu_)
_SUM = {"add", "iadd"}
_THROUGH = (_BatchNorm, nn.Dropout, nn.Dropout2d, nn.Identity)
"""Modules that keep channels apart, so that a cut-off channel stays cut off."""


class FunctionalReLUWarning(UserWarning):
    """The model has rectifiers that hooks on modules do not see, or can't be searched for them."""


@dataclass(frozen=True)
class LayerDNR:
    """Of one rectifier.

    Args:
        static: share of units that are cut off and always zero.
        dynamic: share of the other zeros, over inputs and units.
        n_units: how many units there are; of a convolution channels times positions.
    """

    static: float
    dynamic: float
    n_units: int

    @property
    def total(self) -> float:
        """Share of zeros, over inputs and units."""
        return self.static + self.dynamic


@dataclass(frozen=True)
class DNRReport:
    """Dead neuron rates of a network.

    Args:
        static: over all units.
        dynamic: over all units.
        per_layer: of each rectifier, by name; one that is called several times counts as several.
    """

    static: float
    dynamic: float
    per_layer: dict[str, LayerDNR]

    @property
    def total(self) -> float:
        """Share of zeros, over inputs and all units."""
        return self.static + self.dynamic


def dead_neuron_rate(
    model: nn.Module, loader: Iterable[Any], layers: Sequence[str] | None = None, *, traced: bool = False
) -> DNRReport:
    """How often ReLU units give zero, in evaluation mode.

    A unit is *statically* dead if all weights that lead to it are zero, and it gives zero on every input; every other
    zero is *dynamic*. Their sum is the whole rate. The weights that lead to a unit are found in the traced graph,
    through normalisation, dropout and sums; where tracing fails nothing counts as static, and a warning says so.

    Args:
        model: left as it is, and without hooks afterwards.
        loader: batches, of inputs or of tuples that begin with inputs.
        layers: names of rectifiers to look at; all unless given.
        traced: run the traced graph and look at functional rectifiers, too. By default only ``nn.ReLU`` modules are
            seen.

    Raises:
        ValueError: there is no rectifier, one of ``layers`` is none, or the loader is empty.

    Warns:
        FunctionalReLUWarning: there are functional rectifiers that are not looked at, or the model can't be traced.
    """
    graph = _trace(model, needed=traced)
    sites = _sites(graph) if graph is not None else {}
    functional = [name for name, node in sites.items() if node.op != "call_module"]
    if functional and not traced:
        warnings.warn(
            f"dead_neuron_rate: hooks do not see functional relu, got {', '.join(functional)}. Pass traced=True.",
            FunctionalReLUWarning,
            stacklevel=2,
        )
    known = list(sites) if traced else [name for name, each in model.named_modules() if isinstance(each, nn.ReLU)]
    _check(model, known, layers)
    wanted = set(known if layers is None else layers)
    counts = _Counts()
    with evaluating(model):
        for batch in loader:
            x = batch[0] if isinstance(batch, list | tuple) else batch
            counts.n += len(x)
            if traced:
                assert graph is not None
                _Watched(graph, {node: name for name, node in sites.items() if name in wanted}, counts).run(x)
            else:
                with _hooked(model, wanted, counts):
                    model(x)
    if not counts.n:
        raise ValueError("dead_neuron_rate: `loader` must give at least one sample, got none.")
    return _report(model, graph, sites, counts)


class _Counts:
    """On how many inputs each unit of each rectifier was zero."""

    def __init__(self) -> None:
        self.n = 0
        self.zeros: dict[str, Tensor] = {}

    def add(self, name: str, output: Tensor) -> None:
        zeros = (output.detach() == 0).sum(dim=0)
        self.zeros[name] = self.zeros[name] + zeros if name in self.zeros else zeros


class _Watched(fx.Interpreter):
    """Runs a graph and counts what its rectifiers give."""

    def __init__(self, graph: fx.GraphModule, names: dict[fx.Node, str], counts: _Counts):
        super().__init__(graph)
        self.names, self.counts = names, counts

    def run_node(self, n: fx.Node) -> Any:
        output = super().run_node(n)
        if n in self.names:
            self.counts.add(self.names[n], output)
        return output


@contextmanager
def _hooked(model: nn.Module, names: set[str], counts: _Counts) -> Iterator[None]:
    calls: Counter[str] = Counter()

    def watch(name: str) -> Any:
        def hook(module: nn.Module, inputs: Any, output: Tensor) -> None:
            calls[name] += 1
            counts.add(_numbered(name, calls[name]), output)

        return hook

    handles = [each.register_forward_hook(watch(name)) for name, each in model.named_modules() if name in names]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _numbered(name: str, call: int) -> str:
    return name if call == 1 else f"{name}#{call}"


def _trace(model: nn.Module, *, needed: bool) -> fx.GraphModule | None:
    try:
        return fx.symbolic_trace(model)
    except Exception as error:  # whatever a model does to a proxy
        if needed:
            raise ValueError(f"dead_neuron_rate: traced=True needs what torch.fx can trace, got {error}.") from None
        warnings.warn(
            f"dead_neuron_rate: torch.fx can't trace the model ({error}): functional relu is not looked for, and no "
            "unit counts as statically dead.",
            FunctionalReLUWarning,
            stacklevel=3,
        )
        return None


def _sites(graph: fx.GraphModule) -> dict[str, fx.Node]:
    """All rectifiers of a graph, by the module's or the node's name."""
    found: dict[str, fx.Node] = {}
    calls: Counter[str] = Counter()
    for node in graph.graph.nodes:
        if node.op == "call_module" and isinstance(graph.get_submodule(str(node.target)), nn.ReLU):
            calls[str(node.target)] += 1
            found[_numbered(str(node.target), calls[str(node.target)])] = node
        elif (node.op == "call_function" and node.target in _FUNCTIONAL) or (
            node.op == "call_method" and node.target in ("relu", "relu_")
        ):
            found[node.name] = node
    return found


def _check(model: nn.Module, known: list[str], layers: Sequence[str] | None) -> None:
    if not known:
        others = sorted(
            {type(each).__name__ for each in model.modules() if type(each).__module__.endswith("activation")}
        )
        raise ValueError(
            f"dead_neuron_rate: the model must have ReLU units, got the activations {', '.join(others) or 'none'}. "
            "traced=True also sees functional ones."
        )
    strange = sorted(set(layers or ()) - set(known))
    if strange:
        raise ValueError(f"dead_neuron_rate: `layers` must be among the rectifiers {known}, got {strange}.")


def _report(model: nn.Module, graph: fx.GraphModule | None, sites: dict[str, fx.Node], counts: _Counts) -> DNRReport:
    per_layer: dict[str, LayerDNR] = {}
    n_units = n_static = n_zeros = 0
    for name, zeros in counts.zeros.items():
        cut = _cut_off(graph, sites[name].args[0]) if graph is not None and name in sites else None
        static = 0 if cut is None else int((_spread(cut, zeros) & (zeros == counts.n)).sum())
        total, units = int(zeros.sum()), zeros.numel()
        per_layer[name] = LayerDNR(static / units, (total - static * counts.n) / (units * counts.n), units)
        n_units, n_static, n_zeros = n_units + units, n_static + static, n_zeros + total
    dynamic = (n_zeros - n_static * counts.n) / (n_units * counts.n)
    return DNRReport(n_static / n_units, dynamic, per_layer)


_Cut = tuple[Tensor, bool]
"""Which channels are cut off, and whether channels come first (convolutions) or last (linear layers)."""


def _spread(cut: _Cut, units: Tensor) -> Tensor:
    channels, first = cut
    shape = (-1, *[1] * (units.ndim - 1)) if first else (-1,)
    return channels.reshape(shape).expand(units.shape)


def _cut_off(graph: fx.GraphModule, node: Any) -> _Cut | None:
    """The channels of a node to which no weight leads, as far as the graph can be followed."""
    if not isinstance(node, fx.Node):
        return None
    if node.op == "call_module":
        module = graph.get_submodule(str(node.target))
        if isinstance(module, nn.Linear | _ConvNd) and not getattr(module, "transposed", False):
            return (module.weight == 0).flatten(1).all(dim=1), isinstance(module, _ConvNd)
        return _cut_off(graph, node.args[0]) if isinstance(module, _THROUGH) else None
    if node.op in ("call_function", "call_method") and getattr(node.target, "__name__", node.target) in _SUM:
        cuts = [_cut_off(graph, each) for each in node.args[:2]]
        one, other = cuts if len(cuts) == 2 else (None, None)
        if one is None or other is None or one[1] != other[1] or one[0].shape != other[0].shape:
            return None
        return one[0] & other[0], one[1]
    return None
