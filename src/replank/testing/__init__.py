"""Contract suites, for our own parts and for outsiders'."""

from replank.testing.contracts import check_part

__all__ = ["check_part"]
