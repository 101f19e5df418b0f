"""Contract suites, for our own parts and for outsiders'."""

from replank.testing.contracts import check_part
from replank.testing.extrapolator_contracts import check_extrapolator

__all__ = ["check_extrapolator", "check_part"]
