"""Contract suites, for our own parts and for outsiders'."""

from replank.testing.contracts import check_part
from replank.testing.extrapolator_contracts import check_extrapolator
from replank.testing.forecaster_contracts import check_forecaster
from replank.testing.initialiser_contracts import check_initialiser
from replank.testing.pruning_contracts import check_pruner
from replank.testing.sampler_contracts import check_sampler

__all__ = ["check_extrapolator", "check_forecaster", "check_initialiser", "check_part", "check_pruner", "check_sampler"]
