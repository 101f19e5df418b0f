"""How long does it take to draw strings of outcomes, how does it grow with their length, and what is a training step?

Run it on an idle machine, from the repository's root::

    python benchmarks/povm.py

The density is the published transformer (32 hidden and 16 feed-forward features), in double precision as in training,
on one thread, with parameters that are no product. Without a cache each outcome takes a run over all that is before it,
as in the published code. A training step is a residual with its gradients and an update; without looking strings up,
every connected string is evaluated as often as it comes. Each way draws or trains in turn with the others in this one
process; that both ways agree is checked before. Times are CPU times. The table goes to ``benchmarks/results/povm.md``.
"""

from __future__ import annotations

import argparse
import itertools
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import torch
from quantum_creep import milliseconds, ratio
from torch import Tensor

from replank.lab.environment import environment
from replank.open_systems import POVM, LocalGenerator, dissipative_tfim, lindblad_generator, steady_residual
from replank.parts.density import (
    CausalTransformerDensity,
    DensityPart,
    GRUDensity,
    RBMDensity,
    largest_within,
)
from replank.parts.density.metropolis import MetropolisSampler
from replank.seeding import isolated, torch_stream

RESULTS = Path(__file__).parent / "results" / "povm.md"
N_STRINGS = 100_000
LENGTHS = (8, 16, 32, 64)
LONGEST_WITHOUT = 32
"""Without a cache, longer strings take too long."""
CHUNK = 2048
SWEEPS = 20
DTYPE = torch.float64

Times = dict[str, list[float]]


def density(n_sites: int) -> CausalTransformerDensity:
    """The published network, away from the product that it begins as."""
    with isolated(0, "part"), torch.no_grad():
        part = CausalTransformerDensity(n_sites, dtype=DTYPE)
        for parameter in part.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return part


@torch.no_grad()
def without_cache(part: CausalTransformerDensity, n: int, stream: torch.Generator) -> tuple[Tensor, Tensor]:
    """The same draws, each outcome from a run over all outcomes before it."""
    strings, logs = [], []
    for begin in range(0, n, CHUNK):
        size = min(CHUNK, n - begin)
        uniform = torch.rand(part.n_sites, size, 1, generator=stream, dtype=DTYPE)
        a, log = torch.zeros(size, part.n_sites, dtype=torch.int64), torch.zeros(size, dtype=DTYPE)
        for site in range(part.n_sites):
            conditional = conditional_after(part, a[:, :site])
            a[:, site] = (conditional.exp().cumsum(-1)[:, :-1] < uniform[site]).sum(-1)
            log += conditional.gather(1, a[:, site : site + 1])[:, 0]
        strings.append(a)
        logs.append(log)
    return torch.cat(strings), torch.cat(logs)


def conditional_after(part: CausalTransformerDensity, before: Tensor) -> Tensor:
    """Logarithms of the next outcome's probabilities, ``(B, site) -> (B, n_outcomes)``."""
    tokens = torch.nn.functional.pad(before, (1, 0), value=part.n_outcomes)
    x = part.embedding(tokens) + part.positions[: tokens.shape[1]]
    for layer in part.layers:
        x = layer(x)
    return part.head(x[:, -1]).log_softmax(-1)


def ways(n_sites: int) -> dict[str, Callable[[], object]]:
    """Strings from the transformer, with a cache and without, and from its rival of the same size."""
    part = density(n_sites)
    budget = part.parameter_formula()
    gru = largest_within(GRUDensity, part, budget)
    found: dict[str, Callable[[], object]] = {
        "with a cache": lambda: part.sample(N_STRINGS, torch_stream(0, "samples")),
        "GRU": lambda: gru.sample(N_STRINGS, torch_stream(0, "samples")),
    }
    if n_sites <= LONGEST_WITHOUT:
        found["without"] = lambda: without_cache(part, N_STRINGS, torch_stream(0, "samples"))
    return found


def chains(n_sites: int) -> Callable[[], object]:
    """As many independent strings of a Boltzmann machine of that size: the ends of chains of 20 sweeps, in groups."""
    part = density(n_sites)
    machine = largest_within(RBMDensity, part, part.parameter_formula())

    def draw() -> None:
        stream = torch_stream(0, "samples")
        for begin in range(0, N_STRINGS, CHUNK):
            size = min(CHUNK, N_STRINGS - begin)
            MetropolisSampler(machine, size, warm_up=SWEEPS).sample(size, stream)

    return draw


def check_sampling(n_sites: int) -> None:
    """Refuse to compare what does not draw the same."""
    part = density(n_sites)
    ours, log = part.sample(3000, torch_stream(0, "samples"))
    theirs, log_theirs = without_cache(part, 3000, torch_stream(0, "samples"))
    if not (torch.equal(ours, theirs) and torch.allclose(log, log_theirs) and torch.allclose(log, part.log_prob(ours))):
        raise ValueError(
            f"povm: with a cache and without, the same strings must come, got others at n_sites={n_sites}."
        )


class Whole(LocalGenerator):
    """A generator that does not look whether strings come twice."""

    def connected(self, a: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Every connected string for itself."""
        coefficients, codes = self.rows(a)
        every = torch.cat((self.code(a)[:, None], codes), 1)
        place = torch.arange(every.numel()).reshape(every.shape)
        strings = every.reshape(-1, 1) // self._values % self.n_outcomes
        return coefficients, strings, place[:, 0], place[:, 1:]


def training_steps(n_sites: int, n_samples: int) -> dict[str, Callable[[], float]]:
    """A step towards a steady state of the Ising ring, each string once and as often as it comes."""
    model = dissipative_tfim(n_sites, 1.0)
    terms = lindblad_generator(model.h_terms, model.jump_ops, POVM())
    return {
        name: training_step(density(n_sites), kind(terms, n_sites), n_samples)
        for name, kind in (("each once", LocalGenerator), ("all", Whole))
    }


def training_step(part: DensityPart, generator: LocalGenerator, n_samples: int) -> Callable[[], float]:
    optimiser = torch.optim.Adam(part.parameters(), lr=1e-3, betas=(0.9, 0.98), eps=1e-9, fused=True)
    stream, shares = torch_stream(0, "samples"), torch.full((n_samples,), 1 / n_samples, dtype=DTYPE)

    def step() -> float:
        optimiser.zero_grad()
        a, _ = part.sample(n_samples, stream)
        loss = steady_residual(part, generator, a, shares)
        loss.backward()
        optimiser.step()
        return loss.item()

    return step


def in_turn(steps: Mapping[str, Callable[[], object]], rounds: int) -> Times:
    """CPU seconds of each way; the first round warms up and does not count."""
    times: Times = {name: [] for name in steps}
    for number in range(rounds + 1):
        for name, step in steps.items():
            start = time.process_time()
            step()
            if number:
                times[name].append(time.process_time() - start)
    return times


def slope(costs: Mapping[int, float]) -> float:
    """Of the least-squares line through logarithms."""
    x, y = ([math.log(value) for value in values] for values in (costs, costs.values()))
    middle, level = sum(x) / len(x), sum(y) / len(y)
    return sum((a - middle) * (b - level) for a, b in zip(x, y, strict=True)) / sum((a - middle) ** 2 for a in x)


def sampling_table(rounds: int, lengths: tuple[int, ...]) -> Iterator[str]:
    yield f"## Drawing {N_STRINGS:,} strings, ms of CPU time: median (range)\n"
    yield "| outcomes N | with a cache | without | times faster | GRU of the same size |"
    yield "| --- | --- | --- | --- | --- |"
    costs: dict[str, dict[int, float]] = {}
    for n_sites in lengths:
        check_sampling(n_sites)
        times = in_turn(ways(n_sites), rounds)
        for name, each in times.items():
            costs.setdefault(name, {})[n_sites] = sorted(each)[len(each) // 2]
        cells = {name: milliseconds(each) for name, each in times.items()}
        without = "– | –"
        if "without" in times:
            without = f"{cells['without']} | {ratio(times, 'without', 'with a cache'):.1f}"
        yield f"| {n_sites} | {cells['with a cache']} | {without} | {cells['GRU']} |"
    shown = "; ".join(f"{name} N^{slope(each):.2f}" for name, each in costs.items())
    yield (
        f"\nFitted over these lengths: {shown}. One token's pass an outcome is linear in N, attention to what is kept "
        "is quadratic with a small factor; without a cache passes are quadratic and attention is cubic.\n"
    )
    machine = in_turn({"chains": chains(16)}, 1)
    yield (
        f"For comparison, {N_STRINGS:,} independent strings of 16 outcomes from a restricted Boltzmann machine of the "
        f"same size, the ends of Markov chains of {SWEEPS} sweeps: {milliseconds(machine['chains'])} ms.\n"
    )


def training_table(rounds: int) -> Iterator[str]:
    yield "## A training step towards a steady state, ms of CPU time: median (range)\n"
    yield "| outcomes N | samples | connected strings | of them distinct | each once | all | times faster |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for n_sites, n_samples in ((4, 512), (8, 512), (16, 100)):
        steps = training_steps(n_sites, n_samples)
        losses = [[step() for _ in range(3)] for step in steps.values()]
        if not torch.allclose(*(torch.tensor(each) for each in losses)):
            raise ValueError(f"povm: both ways must give the same losses, got {losses}.")
        times = in_turn(steps, rounds)
        model = dissipative_tfim(n_sites, 1.0)
        local = LocalGenerator(lindblad_generator(model.h_terms, model.jump_ops, POVM()), n_sites)
        coefficients, strings, _, _ = local.connected(density(n_sites).sample(n_samples, torch_stream(0, "samples"))[0])
        yield (
            f"| {n_sites} | {n_samples} | {coefficients.numel():,} | {len(strings):,} | "
            f"{milliseconds(times['each once'])} | {milliseconds(times['all'])} | "
            f"{ratio(times, 'all', 'each once'):.1f} |"
        )


def surroundings() -> Iterator[str]:
    found = environment()
    yield "# Strings from an autoregressive transformer\n"
    yield f"- {found['cpu']['model']}, {found['cpu']['logical_cores']} cores"
    yield (
        f"- Python {sys.version.split()[0]}, torch {torch.__version__}, {torch.get_num_threads()} thread, float64; "
        "32 hidden and 16 feed-forward features, one layer, one head"
    )
    yield f"- {datetime.now(UTC):%Y-%m-%d}, load average at the start {os.getloadavg()[0]:.2f}"
    yield "- `python benchmarks/povm.py`; in turn, after equal strings and equal losses were checked\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="timed rounds (default: 3)")
    parser.add_argument("--lengths", type=int, nargs="+", default=list(LENGTHS), help="outcomes of a string")
    options = parser.parse_args()
    torch.set_num_threads(1)
    lines = []
    for line in itertools.chain(
        surroundings(), sampling_table(options.rounds, tuple(options.lengths)), training_table(options.rounds)
    ):
        print(line, flush=True)
        lines.append(line)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
