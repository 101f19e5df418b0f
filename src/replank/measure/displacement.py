"""How smooth a displacement field is, and where it folds space."""

from __future__ import annotations

from torch import Tensor


def jacobian_determinant(displacement: Tensor) -> Tensor:
    """The determinant of the map ``x -> x + u(x)``: how much area becomes; 0 or less where space folds.

    Derivatives are forward differences, so that the last row and column have none.

    Shape: ``(B, 2, H, W) -> (B, H - 1, W - 1)``.

    Args:
        displacement: u in pixels, along x (to the right) and y (down).

    Raises:
        ValueError: another shape.
    """
    _check("jacobian_determinant", displacement)
    along_x, along_y = (each[..., : displacement.shape[2] - 1, : displacement.shape[3] - 1] for each in
                        (displacement.diff(dim=3), displacement.diff(dim=2)))  # fmt: skip
    return (1 + along_x[:, 0]) * (1 + along_y[:, 1]) - along_y[:, 0] * along_x[:, 1]


def squared_gradient(displacement: Tensor) -> Tensor:
    """The mean of ``|grad u|^2`` by forward differences, one number for each field: ``(B, 2, H, W) -> (B,)``.

    Each of the four derivatives is averaged over the pixels that have it; the four means are added.

    Raises:
        ValueError: another shape.
    """
    _check("squared_gradient", displacement)
    along_y, along_x = (displacement.diff(dim=dim).square().mean((2, 3)).sum(1) for dim in (2, 3))
    return along_y + along_x


def _check(asker: str, displacement: Tensor) -> None:
    if displacement.ndim != 4 or displacement.shape[1] != 2 or min(displacement.shape[2:]) < 2:
        raise ValueError(f"{asker}: a displacement must be (B, 2, H, W), got {tuple(displacement.shape)}.")
