"""The wave equation on the unit square by finite elements: assembled, stepped and measured."""

from __future__ import annotations

import math
import warnings
from functools import cached_property
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array
from scipy.sparse.linalg import eigsh, splu

from replank.errors import MissingExtra

Field = NDArray[np.float64]
Boundary = Literal["dirichlet", "neumann"]


class Motion(NamedTuple):
    """What a field did, at all steps, the first among them.

    Args:
        displacement: ``(steps + 1, n + 1, n + 1)``.
        velocity: likewise.
    """

    displacement: Field
    velocity: Field


class WaveFE2D:
    """``u_tt = div(c^2 grad u)`` on the unit square, in space by bilinear elements on ``n x n`` equal squares.

    Fields are arrays ``(n + 1, n + 1)`` of values at the nodes, ``u[j, i]`` at ``x = i / n, y = j / n``. The mass
    matrix is the consistent one.

    Args:
        n: elements along a side.
        c_field: speed of waves, positive: a number, or ``(n, n)`` of values constant in each element.
        bc: ``"dirichlet"``: ``u = 0`` on the boundary; ``"neumann"``: no flux through it.

    Raises:
        ValueError: fewer than two elements along a side, a speed that is not positive or of another shape, or no such
            boundary condition.
        MissingExtra: scikit-fem is not installed.

    Example:
        >>> wave = WaveFE2D(4, 1.0)
        >>> rest = np.zeros((5, 5))
        >>> wave.newmark(rest, rest, dt=0.1, steps=2).displacement.shape
        (3, 5, 5)
    """

    def __init__(self, n: int, c_field: Field | float, bc: Boundary = "dirichlet"):
        if n < 2:
            raise ValueError(f"WaveFE2D: there must be at least two elements along a side, got n={n}.")
        if bc not in get_args(Boundary):
            raise ValueError(f"WaveFE2D: `bc` must be one of {', '.join(get_args(Boundary))}, got bc={bc!r}.")
        speed = np.asarray(c_field, np.float64)
        if speed.shape not in ((), (n, n)):
            raise ValueError(
                f"WaveFE2D: `c_field` must be a number or of shape {(n, n)}, a value for each element, got shape "
                f"{speed.shape}."
            )
        if not (np.isfinite(speed).all() and (speed > 0).all()):
            raise ValueError(f"WaveFE2D: `c_field` must be positive, got values from {speed.min()} to {speed.max()}.")
        self.n, self.bc, self.c_field = n, bc, np.broadcast_to(speed, (n, n))
        self.mass, self.stiffness = self._assembled()
        inner = np.zeros((n + 1, n + 1), bool)
        inner[1:-1, 1:-1] = True
        self.free = np.flatnonzero(inner if bc == "dirichlet" else np.ones_like(inner))
        """The nodes, in the order of a flat field, whose values are not prescribed."""

    def newmark(self, u0: Field, v0: Field, dt: float, steps: int, beta: float = 0.25, gamma: float = 0.5) -> Motion:
        """Newmark's method; with the constants given, average acceleration: stable, and the energy stays what it is.

        The matrix is factorised once for all steps.

        Args:
            u0: values at the beginning; under Dirichlet's condition those on the boundary are set to 0.
            v0: rates at the beginning, likewise.
            dt: length of a step.
            steps: number of steps.
            beta: share of the new acceleration in the displacement: 0 is the explicit method.
            gamma: share of the new acceleration in the velocity.

        Warns:
            UserWarning: values on the boundary are not 0, although they must be.

        Raises:
            ValueError: a field of another shape or not finite, no positive step, none at all, or a step above the limit
                of stability, which is named.
        """
        if not (math.isfinite(dt) and dt > 0) or steps < 1:
            raise ValueError(f"newmark: `dt` must be positive and `steps` at least 1, got dt={dt}, steps={steps}.")
        if beta < 0:
            raise ValueError(f"newmark: `beta` must not be negative, got beta={beta}.")
        limit = self.critical_step(beta, gamma)
        if dt > limit:
            raise ValueError(
                f"newmark: with beta={beta}, gamma={gamma} a step is stable up to {limit:.6g}, got dt={dt}. Take a "
                "smaller one, or beta=0.25, which is stable with any."
            )
        u, v = self._unknowns(u0, "u0"), self._unknowns(v0, "v0")
        mass, stiffness = self._inner
        solve = splu(csc_array(mass + beta * dt**2 * stiffness)).solve
        a = self._mass_solve(-(stiffness @ u))
        displacement, velocity = np.zeros((2, steps + 1, (self.n + 1) ** 2))
        displacement[0, self.free], velocity[0, self.free] = u, v
        for step in range(1, steps + 1):
            u = u + dt * v + (0.5 - beta) * dt**2 * a
            v = v + (1 - gamma) * dt * a
            a = solve(-(stiffness @ u))
            u = u + beta * dt**2 * a
            v = v + gamma * dt * a
            displacement[step, self.free], velocity[step, self.free] = u, v
        shape = (steps + 1, self.n + 1, self.n + 1)
        return Motion(displacement.reshape(shape), velocity.reshape(shape))

    def energy(self, u: Field, v: Field) -> Field:
        """``(v^T M v + u^T K u) / 2``, of fields ``(..., n + 1, n + 1)``."""
        return 0.5 * (self._square(self.mass, v, "v") + self._square(self.stiffness, u, "u"))

    def norm(self, u: Field) -> Field:
        """``sqrt(u^T M u)``, the norm of L2, of fields ``(..., n + 1, n + 1)``."""
        return np.sqrt(self._square(self.mass, u, "u"))

    def critical_step(self, beta: float = 0.25, gamma: float = 0.5) -> float:
        """The longest stable step of Newmark's method: infinite from ``2 beta >= gamma >= 1/2`` on, 0 below ``1/2``."""
        if gamma < 0.5:
            return 0.0
        return math.inf if 2 * beta >= gamma else 1 / (self.highest_frequency * math.sqrt(gamma / 2 - beta))

    @cached_property
    def highest_frequency(self) -> float:
        """The square root of the largest eigenvalue of ``K x = omega^2 M x``."""
        mass, stiffness = self._inner
        start = np.ones(len(self.free))  # the largest belongs to a field that oscillates: not orthogonal to this one
        start[::2] = -0.5
        (largest,) = eigsh(stiffness, 1, mass, which="LA", return_eigenvectors=False, v0=start)
        return math.sqrt(largest)

    @cached_property
    def _inner(self) -> tuple[csr_array, csr_array]:
        """Mass and stiffness of the unknowns."""
        mass, stiffness = (matrix[self.free][:, self.free] for matrix in (self.mass, self.stiffness))
        return mass, stiffness

    @cached_property
    def _mass_solve(self) -> Any:
        return splu(csc_array(self._inner[0])).solve

    def _assembled(self) -> tuple[csr_array, csr_array]:
        """Mass and stiffness of all nodes, which are numbered row by row."""
        skfem = _scikit_fem()
        side = np.linspace(0, 1, self.n + 1)
        mesh = skfem.MeshQuad.init_tensor(side, side)
        basis = skfem.Basis(mesh, skfem.ElementQuad1())
        column, row = np.floor(mesh.p[:, mesh.t].mean(1) * self.n).astype(int)  # of each element, by its centre
        square = skfem.BilinearForm(lambda u, v, w: u * v)
        gradients = skfem.BilinearForm(lambda u, v, w: w.c**2 * (u.grad[0] * v.grad[0] + u.grad[1] * v.grad[1]))
        speed = basis.with_element(skfem.ElementQuad0()).interpolate(self.c_field[row, column])
        mass, stiffness = square.assemble(basis), gradients.assemble(basis, c=speed)
        i, j = np.rint(basis.doflocs * self.n).astype(int)
        order = np.argsort(j * (self.n + 1) + i)
        return csr_array(mass)[order][:, order], csr_array(stiffness)[order][:, order]

    def _unknowns(self, field: Field, name: str) -> Field:
        """The values that are not prescribed; those that are and are not 0 are named, and dropped."""
        field = self._checked(field, name)
        if field.ndim != 2:
            raise ValueError(f"newmark: `{name}` must be one field {(self.n + 1, self.n + 1)}, got {field.shape}.")
        flat = field.reshape(-1)
        worst = float(np.abs(np.delete(flat, self.free)).max(initial=0.0))
        if worst > 1e-12 * max(1.0, float(np.abs(flat).max())):
            warnings.warn(
                f"newmark: `{name}` must vanish on the boundary, got values up to {worst:.3g} there: set to 0.",
                UserWarning,
                stacklevel=3,
            )
        return flat[self.free]

    def _square(self, matrix: csr_array, field: Field, name: str) -> Field:
        field = self._checked(field, name)
        flat = field.reshape(-1, (self.n + 1) ** 2)
        return np.einsum("bi,bi->b", flat, (matrix @ flat.T).T).reshape(field.shape[:-2])

    def _checked(self, field: Field, name: str) -> Field:
        field = np.asarray(field, np.float64)
        nodes = (self.n + 1, self.n + 1)
        if field.shape[-2:] != nodes or not np.isfinite(field).all():
            raise ValueError(f"WaveFE2D: `{name}` must be finite with {nodes} nodes, got shape {field.shape}.")
        return field


def _scikit_fem() -> Any:
    try:
        import skfem
    except ImportError:
        raise MissingExtra("WaveFE2D", "waves") from None
    return skfem
