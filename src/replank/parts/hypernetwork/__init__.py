"""Networks that predict the parameters of others, and how the others are called with them."""

from replank.parts.hypernetwork.encoding import Encoding, encode_hyper_input
from replank.parts.hypernetwork.network import HyperNetwork
from replank.parts.hypernetwork.primary import batched_primary, functional_primary, release_parameters

__all__ = [
    "Encoding",
    "HyperNetwork",
    "batched_primary",
    "encode_hyper_input",
    "functional_primary",
    "release_parameters",
]
