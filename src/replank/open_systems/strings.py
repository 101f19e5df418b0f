"""Strings of outcomes, one for each site, and the numbers whose digits they are; site 0 counts most."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

_LARGEST_CODE = 2**62


def all_strings(n_sites: int, n_outcomes: int = 4, *, device: Any = None) -> Tensor:
    """All strings in the order of their numbers, ``(n_outcomes^n_sites, n_sites)``, int64.

    Raises:
        ValueError: no site, no outcome, or more strings than a 64-bit number can count.
    """
    return digits(torch.arange(count(n_sites, n_outcomes), device=device), n_sites, n_outcomes)


def count(n_sites: int, n_outcomes: int) -> int:
    """How many strings there are.

    Raises:
        ValueError: no site, no outcome, or more strings than a 64-bit number can count.
    """
    if n_sites < 1 or n_outcomes < 1:
        raise ValueError(
            f"strings: there must be at least one site and one outcome, got n_sites={n_sites}, n_outcomes={n_outcomes}."
        )
    if n_outcomes**n_sites > _LARGEST_CODE:
        raise ValueError(
            f"strings: n_outcomes^n_sites must be at most 2^62 to be numbered, got n_outcomes={n_outcomes}, "
            f"n_sites={n_sites}."
        )
    return int(n_outcomes**n_sites)


def place_values(n_sites: int, n_outcomes: int, *, device: Any = None) -> Tensor:
    """What a digit at each site counts, ``(n_sites,)``."""
    return n_outcomes ** torch.arange(n_sites - 1, -1, -1, device=device)


def digits(codes: Tensor, n_sites: int, n_outcomes: int) -> Tensor:
    """The strings of numbers: ``(*) -> (*, n_sites)``."""
    return codes[..., None] // place_values(n_sites, n_outcomes, device=codes.device) % n_outcomes


def distinct(codes: Tensor, n_sites: int, n_outcomes: int) -> tuple[Tensor, Tensor]:
    """Strings, each once, and where each number's is: so that nothing is computed twice.

    If there are hardly more strings than numbers, all are given, and nothing has to be sorted.

    Args:
        codes: numbers of any shape.
        n_sites: of the strings.
        n_outcomes: at each site.

    Returns:
        Strings ``(n, n_sites)``, and for each number the row of its string.
    """
    if count(n_sites, n_outcomes) <= codes.numel():
        return all_strings(n_sites, n_outcomes, device=codes.device), codes
    once, place = torch.unique(codes, return_inverse=True)
    return digits(once, n_sites, n_outcomes), place
