"""What can replace an embedding bag: any map from a sequence of tokens to one vector."""

from replank.parts._exports import exports

__getattr__, __dir__ = exports(__name__)
