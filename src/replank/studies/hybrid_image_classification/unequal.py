"""In what two arms differ, in words: a comparison that changes several things at once must say so."""

from __future__ import annotations

from replank.studies.hybrid_image_classification.factors import CELLS, CLASSICAL, HYBRID, Cell, differing
from replank.studies.hybrid_image_classification.model import HEAD_DROPOUT, HEAD_WIDTH, SIZES
from replank.studies.hybrid_image_classification.recipes import differing_facts


def every_difference(cell: Cell, other: Cell) -> list[str]:
    """All factors in which two cells differ; a recipe is taken apart into its own."""
    factors = [text for text in differing(cell, other) if not text.startswith("recipe")]
    return factors + differing_facts(cell.recipe, other.recipe)


def difference_to(cell: Cell, reference: Cell) -> str:
    """A sentence that lists every difference."""
    return f"Differs in {'; '.join(every_difference(cell, reference))}."


def published_differences() -> str:
    """The sentences that must stand over every comparison of the published hybrid with the published network."""
    factors = every_difference(CELLS[HYBRID], CELLS[CLASSICAL])
    sizes = "; ".join(
        f"{name}: convolutions of {_channels(name, 'slim')} and not {_channels(name, 'wide')} channels, pooled to "
        f"{each.pooled['slim']}x{each.pooled['slim']} and not {each.pooled['wide']}x{each.pooled['wide']}, a neck of "
        f"{each.neck} and 16 before a head of {HEAD_WIDTH} with dropout {HEAD_DROPOUT:g}, and not a head of "
        f"{each.direct[0]} with dropout {each.direct[1]:g}"
        for name, each in SIZES.items()
    )
    return f"They differ in {len(factors)} factors at once: {'; '.join(factors)}. In numbers, {sizes}."


def _channels(name: str, trunk: str) -> str:
    return ", ".join(map(str, SIZES[name].trunk["slim" if trunk == "slim" else "wide"]))
