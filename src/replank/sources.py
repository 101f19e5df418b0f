"""Where a fact comes from: a paper, a place in it, and how we know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Provenance = Literal["paper", "official code", "derived", "recalled", "ours"]
"""How a fact is known: read in the paper or its code, derived, recalled without the text at hand, or our own."""


@dataclass(frozen=True)
class Paper:
    """A published work.

    Args:
        key: citation key, e.g. ``"wang2024creep"``.
        title: full title.
        authors: family names, in order.
        year: year of publication.
        arxiv: arXiv identifier, without prefix.
        doi: digital object identifier, without resolver.
        code: repository of the official code, with its licence.
    """

    key: str
    title: str
    authors: tuple[str, ...]
    year: int
    arxiv: str | None = None
    doi: str | None = None
    code: str | None = None

    @property
    def url(self) -> str | None:
        """Where to read it, if it has an arXiv number or a DOI."""
        if self.doi:
            return f"https://doi.org/{self.doi}"
        return f"https://arxiv.org/abs/{self.arxiv}" if self.arxiv else None

    def bibtex(self) -> str:
        """The BibTeX entry."""
        fields = {
            "title": "{" + self.title + "}",
            "author": " and ".join(self.authors),
            "year": str(self.year),
            "eprint": self.arxiv,
            "archivePrefix": "arXiv" if self.arxiv else None,
            "doi": self.doi,
            "note": f"Code: {self.code}" if self.code else None,
        }
        body = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items() if value)
        return f"@article{{{self.key},\n{body}\n}}"

    def __str__(self) -> str:
        who = self.authors[0] if len(self.authors) == 1 else f"{self.authors[0]} et al."
        return f"{who} ({self.year}), {self.title}"


@dataclass(frozen=True)
class Source:
    """One fact's origin.

    Args:
        paper: the work, or ``None`` for what is our own.
        where: place in it ("eq. 4", "table 1", a file of the official code).
        provenance: how we know it.
    """

    paper: Paper | None
    where: str
    provenance: Provenance

    def __str__(self) -> str:
        return f"{self.paper.key if self.paper else 'replank'}, {self.where} [{self.provenance}]"
