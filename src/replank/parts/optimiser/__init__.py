"""What can replace an optimiser: torch optimisers whose ``step`` is given a closure, as by the shared training loop."""
