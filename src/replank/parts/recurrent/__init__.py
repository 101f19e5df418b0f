"""What can replace a recurrent layer: any causal map of sequences that hands a state from one step to the next."""

from replank.parts._exports import exports

__getattr__, __dir__ = exports(__name__)
