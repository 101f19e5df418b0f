"""Open quantum systems as probability distributions: measurements, Lindblad's equation, exact and sampled solvers.

Site 0 is the most significant one of a basis index and of a string's number. A density is anything with a logarithm of
its weight; those that can be trained are the parts of :mod:`replank.parts.density`.
"""

from replank.open_systems.descent import Descended, Descent, descend
from replank.open_systems.estimate import Estimate, estimate_observable, site_means
from replank.open_systems.exact import ExactLindblad
from replank.open_systems.generator import LocalGenerator, apply_generator
from replank.open_systems.lattice import Lattice, chain
from replank.open_systems.lindblad import Local, lindblad_generator, superoperator
from replank.open_systems.models import SpinModel, dissipative_tfim, dissipative_xyz
from replank.open_systems.povm import POVM
from replank.open_systems.residuals import steady_residual, step_residual
from replank.open_systems.solvers import SteadyStateSolver, TrapezoidEvolver
from replank.open_systems.strings import all_strings
from replank.open_systems.vector import vector_evolution, vector_steady_state, vector_steps

__all__ = [
    "POVM",
    "Descended",
    "Descent",
    "Estimate",
    "ExactLindblad",
    "Lattice",
    "Local",
    "LocalGenerator",
    "SpinModel",
    "SteadyStateSolver",
    "TrapezoidEvolver",
    "all_strings",
    "apply_generator",
    "chain",
    "descend",
    "dissipative_tfim",
    "dissipative_xyz",
    "estimate_observable",
    "lindblad_generator",
    "site_means",
    "steady_residual",
    "step_residual",
    "superoperator",
    "vector_evolution",
    "vector_steady_state",
    "vector_steps",
]
