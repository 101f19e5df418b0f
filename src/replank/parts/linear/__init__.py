"""What can replace a linear layer: any map from ``(*, in_features)`` to ``(*, out_features)``."""

from replank.parts._exports import exports

__getattr__, __dir__ = exports(__name__)
