"""What can replace a two-dimensional convolution: any translation-equivariant map of images with a local window."""

from replank.parts._exports import exports

__getattr__, __dir__ = exports(__name__)
