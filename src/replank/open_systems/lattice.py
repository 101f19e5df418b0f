"""Where sites lie: rings and squares that close on themselves, their bonds, and orders in which one can walk them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Lattice:
    """Sites 0, 1, ... in rows, with periodic boundaries; one row is a chain.

    Every site begins a bond to its right and, with several rows, one downwards. So a side of two counts each of its
    bonds twice, as in the code that accompanies [luo2022autoregressive]; a chain of two likewise.

    Args:
        rows: number of rows.
        columns: number of columns.

    Raises:
        ValueError: no row or no column.
    """

    rows: int
    columns: int

    def __post_init__(self) -> None:
        if self.rows < 1 or self.columns < 1:
            raise ValueError(
                f"Lattice: there must be at least one row and one column, got rows={self.rows}, columns={self.columns}."
            )

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return self.rows * self.columns

    @property
    def bonds(self) -> tuple[tuple[int, int], ...]:
        """Pairs of neighbours, one for each start and direction."""
        grid = self._grid()
        right = zip(grid.flat, np.roll(grid, -1, 1).flat, strict=True) if self.columns > 1 else ()
        down = zip(grid.flat, np.roll(grid, -1, 0).flat, strict=True) if self.rows > 1 else ()
        return tuple((int(i), int(j)) for i, j in (*right, *down))

    def strings(self, *, translated: bool = False) -> tuple[tuple[int, ...], ...]:
        """Orders of the sites, each once: what is walked through first, second, ...

        Of a chain: from every site, in both directions. Of a square: from every corner, along rows and along columns,
        in serpentines; if ``translated``, also from every site that a translation brings to the corner.
        """
        grid = self._grid()
        if self.rows == 1:
            turned = (np.roll(grid[0], -start) for start in range(self.columns))
            found = [walk for each in turned for walk in (each, each[::-1])]
        else:
            shifts = [(r, c) for r in range(self.rows) for c in range(self.columns)] if translated else [(0, 0)]
            found = [
                _serpentine(view)
                for shift in shifts
                for corner in range(4)
                for turned in (np.rot90(np.roll(grid, shift, (0, 1)), corner),)
                for view in (turned, turned.T)
            ]
        return tuple(dict.fromkeys(tuple(int(site) for site in walk) for walk in found))

    def _grid(self) -> np.ndarray:
        return np.arange(self.n_sites).reshape(self.rows, self.columns)


def chain(n_sites: int) -> Lattice:
    """A ring of sites."""
    return Lattice(1, n_sites)


def _serpentine(grid: np.ndarray) -> np.ndarray:
    """The first row forwards, the second backwards, and so on."""
    walked = grid.copy()
    walked[1::2] = walked[1::2, ::-1]
    return walked.ravel()
