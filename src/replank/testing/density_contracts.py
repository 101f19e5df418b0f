"""What every density must do: probabilities that sum to 1, samples that follow them, conditionals that see no future.

:func:`replank.testing.check_part` runs these checks over parts of the group *density*, together with those of the
common ones that make sense where integers go in and no torch layer stands beside, :data:`COMMON`.
"""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

import torch
from scipy import stats
from torch import Tensor, nn

from replank.open_systems.strings import all_strings
from replank.parts.density import DensityPart
from replank.parts.density._autoregressive import AutoregressiveDensity
from replank.seeding import isolated, torch_stream

if TYPE_CHECKING:
    from replank.testing.contracts import Case

COMMON = (
    "moves_between_devices", "state_dict", "copies", "parameter_count", "repr",
    "documentation", "same_size",
)  # fmt: skip
"""Checks of all parts that hold for densities as they are."""

N_SAMPLES = 20_000
LEAST_P_VALUE = 1e-3


def check_probabilities_sum_to_one(case: Case) -> None:
    """Over all strings."""
    part = _built(case)
    total = part.log_prob(_every(part)).exp().sum()
    torch.testing.assert_close(total, torch.ones_like(total), rtol=1e-12, atol=1e-12)


def check_weights_are_probabilities(case: Case) -> None:
    """``log_weight`` is ``log_prob`` up to a constant, which is 0 if the part says that it is normalised."""
    part = _built(case)
    every = _every(part)
    difference = part.log_weight(every) - part.log_prob(every)
    assert difference.std() < 1e-12, "weights are no multiple of probabilities"
    assert (difference.abs().max() < 1e-12) == part.normalised, f"normalised={part.normalised} does not hold"


def check_samples_follow_the_probabilities(case: Case) -> None:
    """The chi-square test of 20,000 samples against all probabilities is passed at the level 0.001."""
    part = _built(case)
    p = part.log_prob(_every(part)).exp().detach()
    a, _ = part.sample(N_SAMPLES, torch_stream(0, "samples"))
    values = part.n_outcomes ** torch.arange(part.n_sites - 1, -1, -1)
    counts = torch.bincount((a * values).sum(1), minlength=len(p)).double()
    rare = p * N_SAMPLES < 5  # too few to be tested: they count together
    observed, expected = (torch.cat((each[~rare], each[rare].sum()[None])) for each in (counts, p * N_SAMPLES))
    kept = expected > 0
    outcome = stats.chisquare(observed[kept].numpy(), (expected[kept] * N_SAMPLES / expected[kept].sum()).numpy())
    assert outcome.pvalue > LEAST_P_VALUE, f"p-value {outcome.pvalue:.2g}"


def check_samples_come_with_their_weights(case: Case) -> None:
    """Strings of the right shape and type, and the logarithms that ``log_weight`` gives for them."""
    part = _built(case)
    a, log = part.sample(7, torch_stream(0, "samples"))
    assert a.shape == (7, part.n_sites)
    assert a.dtype == torch.int64
    assert not log.requires_grad
    torch.testing.assert_close(log, part.log_weight(a).detach(), rtol=1e-11, atol=1e-11)


def check_it_begins_as_a_product(case: Case) -> None:
    """At first, and after ``reset_parameters``, every string has the product of its outcomes' initial probabilities.

    Parts that are not normalised may miss it by five per cent.
    """
    part = case.build()
    assert isinstance(part, DensityPart)
    every = _every(part)
    initial = torch.tensor(part.initial or (1 / part.n_outcomes,) * part.n_outcomes, dtype=torch.float64)
    expected = initial.log()[every].sum(1)
    tolerance = 1e-12 if part.normalised else 0.05
    for _ in range(2):
        torch.testing.assert_close(part.log_prob(every), expected, rtol=0, atol=tolerance)
        part = _built(case)
        part.reset_parameters()


def check_conditionals_do_not_see_the_future(case: Case) -> None:
    """Of products of conditionals: outcomes at site i and behind leave the conditionals up to i as they are."""
    part = _built(case)
    if not isinstance(part, AutoregressiveDensity):
        return
    every = _every(part)
    logits = part.logits(every)
    for site in range(part.n_sites):
        changed = every.clone()
        changed[:, site:] = (changed[:, site:] + 1) % part.n_outcomes
        seen = part.logits(changed)[:, : site + 1]
        torch.testing.assert_close(seen, logits[:, : site + 1], rtol=1e-12, atol=1e-12)


def check_steps_agree_with_whole_strings(case: Case) -> None:
    """Of products of conditionals: one after the other they are what all at once are."""
    part = _built(case)
    if not isinstance(part, AutoregressiveDensity):
        return
    a = case.input(part)
    with torch.no_grad():
        state, found = part.begin(len(a)), []
        for site in range(part.n_sites):
            logits, state = part.step(site, a[:, site - 1] if site else None, state)
            found.append(logits)
        torch.testing.assert_close(torch.stack(found, 1), part.logits(a), rtol=1e-11, atol=1e-11)


def check_shapes(case: Case) -> None:
    """Batched, a single string, further leading dimensions, and none: one number for each string."""
    part = _built(case)
    a = case.input(part)
    whole = part(a)
    assert whole.shape == a.shape[:1]
    assert part(a[:0]).shape == (0,)
    torch.testing.assert_close(part(a[0]), whole[0])
    torch.testing.assert_close(part(a[None, :2]), whole[None, :2])


def check_refuses_other_strings(case: Case) -> None:
    """Another length or outcomes that do not exist: ``ValueError``; another dtype: ``TypeError``; in words."""
    part = _built(case)
    a = case.input(part)
    for wrong, kind, words in (
        (torch.cat((a, a[:, :1]), 1), ValueError, (str(part.n_sites), str(part.n_sites + 1))),
        (torch.full_like(a, part.n_outcomes), ValueError, (f"0..{part.n_outcomes - 1}",)),
        (torch.full_like(a, -1), ValueError, (f"0..{part.n_outcomes - 1}",)),
        (a.double(), TypeError, ("float64",)),
        (a.to(torch.int32), TypeError, ("int32",)),
    ):
        error = _error(part, wrong)
        assert isinstance(error, kind), f"{wrong.dtype} {tuple(wrong.shape)} must raise {kind.__name__}, got {error!r}"
        assert all(word in str(error) for word in words), f"{words} are not in: {error}"


def check_refuses_other_interfaces(case: Case) -> None:
    """No site, one outcome, or an initial distribution that is none: ``ValueError`` that names the argument."""
    k = case.example.get("n_outcomes", 4)
    for change, word in (
        ({"n_sites": 0}, "n_sites"),
        ({"n_outcomes": 1}, "n_outcomes"),
        ({"initial": (1.0,) + (0.0,) * (k - 1)}, "initial"),
        ({"initial": (1 / (k + 1),) * (k + 1)}, "initial"),
    ):
        error = _error(lambda change=change: case.kind(**{**case.example, **change}))
        assert isinstance(error, ValueError), f"{change} must raise ValueError, got {error!r}"
        assert word in str(error)


def check_agrees_with_its_reference(case: Case) -> None:
    """Value and gradients equal those of the slow and obvious way."""
    part = _built(case)
    a = case.input(part)
    output, slow = part(a), part.reference(a)
    weights = _waves(output)
    parameters = list(part.parameters())
    torch.testing.assert_close(output, slow, rtol=1e-10, atol=1e-10)
    fast_gradients, slow_gradients = (
        torch.autograd.grad((each * weights).sum(), parameters) for each in (output, slow)
    )
    torch.testing.assert_close(fast_gradients, slow_gradients, rtol=1e-9, atol=1e-9)


def check_gradients(case: Case) -> None:
    """First and second derivatives with respect to every parameter, against finite differences."""
    part = _built(case)
    a = case.input(part)[:2]
    names = [name for name, _ in part.named_parameters()]

    def function(*parameters: Tensor) -> Tensor:
        return torch.func.functional_call(part, dict(zip(names, parameters, strict=True)), (a,))

    sources = tuple(each.detach().clone().requires_grad_() for each in part.parameters())
    assert torch.autograd.gradcheck(function, sources, fast_mode=True)
    assert torch.autograd.gradgradcheck(function, sources, fast_mode=True)


def check_every_parameter_moves_the_output(case: Case) -> None:
    """No dead parameter: each receives a gradient that is not zero."""
    part = _built(case)
    output = part(_every(part))
    (output * _waves(output)).sum().backward()
    dead = [name for name, each in part.named_parameters() if each.grad is None or not each.grad.any()]
    assert not dead, f"no gradient reaches {dead}"


def check_rows_do_not_see_each_other(case: Case) -> None:
    """A string's probability is the same in every company."""
    part = _built(case)
    a = case.input(part)
    changed = torch.cat((a[:1], (a[1:] + 1) % part.n_outcomes))
    torch.testing.assert_close(part(changed)[0], part(a)[0], rtol=1e-12, atol=1e-12)


def check_memory_layout_does_not_matter(case: Case) -> None:
    """Strings that are not contiguous give what their contiguous copy gives."""
    part = _built(case)
    a = case.input(part)
    scattered = torch.stack((a, a), dim=-1)[..., 0]
    assert not scattered.is_contiguous()
    torch.testing.assert_close(part(scattered), part(a))


def check_single_precision(case: Case) -> None:
    """In single precision logarithms are single, near those in double, and samples can be drawn."""
    part = _built(case)
    a = case.input(part)
    single = copy.deepcopy(part).to(torch.float32)
    assert single(a).dtype == torch.float32
    torch.testing.assert_close(single(a).double(), part(a), rtol=1e-4, atol=1e-4)
    strings, log = single.sample(3, torch_stream(0, "samples"))
    assert (strings.dtype, log.dtype) == (torch.int64, torch.float32)


def check_functional_call_and_vmap(case: Case) -> None:
    """``torch.func``: gradients for each string under ``vmap`` add up to those of the batch."""
    part = _built(case)
    a = case.input(part)
    parameters = {name: each.detach() for name, each in part.named_parameters()}

    def one(parameters: dict[str, Tensor], string: Tensor) -> Tensor:
        return torch.func.functional_call(part, parameters, (string[None],))[0]

    each = torch.func.vmap(torch.func.grad(one), in_dims=(None, 0))(parameters, a)
    whole = torch.autograd.grad(part(a).sum(), list(part.parameters()))
    for name, total in zip(parameters, whole, strict=True):
        torch.testing.assert_close(each[name].sum(0), total)


def check_randomness(case: Case) -> None:
    """Same seed, same parameters and samples; evaluation draws nothing, sampling from the given stream alone."""
    part, twin = case.build(), case.build()
    assert all(torch.equal(a, b) for a, b in zip(part.parameters(), twin.parameters(), strict=True))
    part = _built(case)
    before = torch.get_rng_state()
    part(case.input(part))
    first, second = (part.sample(20, torch_stream(0, "samples"))[0] for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before), "the default stream has been drawn from"
    assert torch.equal(first, second)
    assert not torch.equal(first, part.sample(20, torch_stream(1, "samples"))[0])


def check_like(case: Case) -> None:
    """``like`` builds a part with another density's interface, device and dtype, and refuses other modules."""
    part = case.build()
    common = ("n_sites", "n_outcomes", "initial")
    options = {name: value for name, value in case.example.items() if name not in common}
    made = case.kind.like(part, **options)
    assert {name: (each.shape, each.dtype) for name, each in made.named_parameters()} == {
        name: (each.shape, each.dtype) for name, each in part.named_parameters()
    }
    assert all(getattr(made, name) == getattr(part, name) for name in common)
    error = _error(lambda: case.kind.like(nn.ReLU(), **options))
    assert isinstance(error, TypeError)
    assert "ReLU" in str(error)


def _built(case: Case) -> DensityPart:
    """The part, moved away from the product that it begins as."""
    part = case.build()
    assert isinstance(part, DensityPart)
    with torch.no_grad(), isolated(0, "perturbation"):
        for parameter in part.parameters():
            parameter.add_(0.4 * torch.randn_like(parameter))
    return part


def _every(part: DensityPart) -> Tensor:
    return all_strings(part.n_sites, part.n_outcomes)


def _waves(like: Tensor) -> Tensor:
    """Fixed weights that differ from one string to the next, so that no sum rule hides a gradient."""
    return torch.linspace(1, math.e, like.numel(), dtype=like.dtype).sin().reshape(like.shape)


def _error(function: Any, *arguments: Any) -> Exception | None:
    try:
        function(*arguments)
    except Exception as error:
        return error
    return None
