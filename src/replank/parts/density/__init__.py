"""What can replace a density model: any distribution of strings of outcomes that can be evaluated and sampled."""

from replank.parts._exports import exports

__getattr__, __dir__ = exports(__name__)
