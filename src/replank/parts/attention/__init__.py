"""What can replace softmax self-attention: maps of token sequences whose tokens meet by similarity."""

from replank.parts._exports import exports

__getattr__, __dir__ = exports(__name__)
