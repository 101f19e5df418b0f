"""What every activation must do besides, or instead where it need not have parameters and takes every shape.

:func:`replank.testing.check_part` runs these checks over parts of the group *activation*; one under the name of a
common check takes its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from replank.parts.activation import ActivationPart
from replank.seeding import isolated

if TYPE_CHECKING:
    from replank.testing.contracts import Case

_ROUNDING = 1e-12


def check_refuses_what_the_layer_refuses(case: Case) -> None:
    """No shape is refused, and each is kept: a single number, nothing at all, many dimensions."""
    part = _built(case)
    for shape in ((), (0,), (7,), (2, 0, 3), (2, 1, 3, 2, 2)):
        output = _outcome(part, torch.ones(shape, dtype=torch.float64))
        assert isinstance(output, Tensor), f"{shape} must be taken, got {output!r}"
        assert output.shape == shape, f"{shape} -> {tuple(output.shape)}"


def check_refuses_other_dtypes(case: Case) -> None:
    """Integers and complex numbers: ``TypeError`` naming the dtype. So is another precision, if there are parameters.

    Without parameters it is taken, and kept.
    """
    part = _built(case)
    batch = case.input(part)
    has_parameters = bool(list(part.parameters()))
    for dtype in (torch.int64, torch.complex128, *([torch.float32] if has_parameters else [])):
        error = _outcome(part, batch.to(dtype))
        assert isinstance(error, TypeError), f"{dtype} must raise TypeError, got {error!r}"
        assert str(dtype) in str(error)
    if not has_parameters:
        for dtype in (torch.float32, torch.bfloat16):
            assert part(batch.to(dtype)).dtype == dtype


def check_randomness(case: Case) -> None:
    """Same seed, same parameters; ``reset_parameters`` undoes training; ``forward`` draws nothing."""
    part, twin = _built(case), _built(case)
    assert _same_parameters(part, twin)
    _train(part)
    assert not list(part.parameters()) or not _same_parameters(part, twin)
    # initial values may be fixed or drawn: from one stream both parts get the same
    for each in (part, twin):
        with isolated(0, "reset"):
            each.reset_parameters()
    assert _same_parameters(part, twin), "reset_parameters leaves something of what was trained"
    before = torch.get_rng_state()
    part(case.input(part))
    assert torch.equal(torch.get_rng_state(), before)


def check_state_dict(case: Case) -> None:
    """Another part that loads the state of a trained one gives bit-equal outputs."""
    part, other = _built(case), _built(case)
    batch = case.input(part)
    part(batch)  # what is kept of a first use is part of the state, too
    _train(part)
    other.load_state_dict(part.state_dict())
    assert torch.equal(other(batch), part(batch))


def check_elementwise(case: Case) -> None:
    """Elements don't see each other, and all are treated alike: permuted input gives permuted output."""
    part = _built(case)
    batch = case.input(part)
    output = part(batch)
    order = torch.arange(batch.numel() - 1, -1, -1)
    permuted = part(batch.flatten()[order].reshape(batch.shape))
    torch.testing.assert_close(permuted.flatten(), output.flatten()[order], rtol=_ROUNDING, atol=_ROUNDING)
    alone = torch.stack([part(element) for element in batch.flatten()])
    torch.testing.assert_close(alone, output.flatten(), rtol=_ROUNDING, atol=_ROUNDING)


def check_derivative(case: Case) -> None:
    """The stated derivative is autograd's, also far out."""
    part = _built(case)
    input = _wide().requires_grad_()
    (slope,) = torch.autograd.grad(part(input).sum(), input)
    torch.testing.assert_close(part.derivative(input), slope, rtol=1e-9, atol=1e-9)


def check_bounds(case: Case) -> None:
    """Values stay within the stated bounds, and come near those that are finite: a bound that is not near says nothing.

    The tenth part of the range between two bounds counts as near; of one bound, 0.1.
    """
    part = _built(case)
    low, high = part.bounds
    values = part(_wide()).detach()
    assert values.isfinite().all()
    assert low - _ROUNDING <= float(values.min()), f"{float(values.min())} is below the stated bound {low}"
    assert float(values.max()) <= high + _ROUNDING, f"{float(values.max())} is above the stated bound {high}"
    near = 0.1 * (high - low if high - low < torch.inf else 1.0)
    assert low == -torch.inf or float(values.min()) <= low + near, f"no value comes near the stated bound {low}"
    assert high == torch.inf or float(values.max()) >= high - near, f"no value comes near the stated bound {high}"


def check_monotone(case: Case) -> None:
    """It never falls, if it says so; it falls somewhere, if not."""
    part = _built(case)
    values = part(_wide()).detach()
    never_falls = bool((values.diff() >= -_ROUNDING * values.abs().max()).all())
    assert never_falls == part.is_monotone, f"is_monotone={part.is_monotone} is not what it does"


def check_zero_at_zero(case: Case) -> None:
    """0 goes to 0, if it says so; elsewhere, if not."""
    part = _built(case)
    is_zero = not part(torch.zeros(1, dtype=torch.float64)).any()
    assert is_zero == part.is_zero_at_zero, f"is_zero_at_zero={part.is_zero_at_zero} is not what it does"


def check_far_out(case: Case) -> None:
    """Very large numbers give neither NaN nor infinity, nor do their gradients."""
    part = _built(case)
    input = torch.tensor([-1e9, -1e4, 1e4, 1e9], dtype=torch.float64, requires_grad=True)
    output = part(input)
    output.sum().backward()
    assert output.isfinite().all()
    assert input.grad is not None
    assert input.grad.isfinite().all()


def _built(case: Case) -> ActivationPart:
    part = case.build()
    assert isinstance(part, ActivationPart)
    return part


def _wide() -> Tensor:
    """From -30 to 30, dense around 0, and without 0, where a derivative need not be."""
    half = torch.linspace(-4, 1.5, 4001, dtype=torch.float64)
    return torch.cat((-(10**half).flip(0), 10**half))


def _train(part: ActivationPart) -> None:
    """Move every parameter."""
    with torch.no_grad():
        for parameter in part.parameters():
            parameter += 0.25


def _same_parameters(one: ActivationPart, other: ActivationPart) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def _outcome(part: ActivationPart, input: Tensor) -> Tensor | Exception:
    try:
        output: Tensor = part(input)
    except Exception as error:
        return error
    return output
