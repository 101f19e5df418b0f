"""A classifier that evolves under the image, again and again, between trained unitaries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from replank.circuits.image_hamiltonian import ImageEmbedding, image_hamiltonian
from replank.circuits.observables import Probabilities
from replank.circuits.readout import from_probabilities
from replank.circuits.spectra import Spectra, precompute, states_on_hamiltonians, states_on_spectra
from replank.circuits.unitary_blocks import UnitaryBlock

Times = Literal["trainable", "fixed"] | Sequence[float]
"""``"trainable"`` from N(0, 1), ``"fixed"`` at one over the number of layers, or given numbers that stay."""


def probability_readout(states: Tensor, qubits: Sequence[int], outcomes: int) -> Tensor:
    """The probabilities that some qubits are found in their first basis states; the others are traced out.

    Shape: ``(B, 2^n)``, complex, to ``(B, outcomes)``; ``qubits[0]`` is the most significant bit of an outcome.

    Raises:
        ValueError: so many outcomes are not there, or the qubits are none, not among those of the states, or not
            different.
    """
    n = states.shape[-1].bit_length() - 1
    if not qubits or len(set(qubits)) != len(qubits) or not set(qubits) <= set(range(n)):
        raise ValueError(f"probability_readout: `qubits` must be different ones of 0..{n - 1}, got {tuple(qubits)}.")
    if not 1 <= outcomes <= 2 ** len(qubits):
        raise ValueError(
            f"probability_readout: {len(qubits)} qubits have {2 ** len(qubits)} outcomes, got outcomes={outcomes}. "
            "Read out more qubits."
        )
    probabilities = torch.view_as_real(states).square().sum(-1)
    return from_probabilities(Probabilities(tuple(qubits)), probabilities[None], range(n), None)[0][:, :outcomes]


class ReuploadingClassifier(nn.Module):
    r"""Probabilities of outcomes as scores: ``|s> <- W_l exp(-i t_l/2 H) |s>`` for each layer, from ``|+>^n``.

    ``H`` is the image, made Hermitian. The scores are probabilities, without bias or scale: cross-entropy of them can't
    fall below ``ln(1 + (K - 1) / e)`` for K classes.

    Shape: images ``(B, N, N)`` or ``(B, 1, N, N)``, to ``(B, n_classes)``. With ``2^n`` the side of the Hamiltonian,
    the block has n qubits.

    Args:
        n_classes: number of scores.
        block: the trainable unitaries ``W_l``, whose number is that of the layers.
        times: the times ``t_l``.
        mode: how an image becomes Hermitian.
        readout: the qubits that are measured, all if not given; their first outcomes are the classes.

    Raises:
        ValueError: more classes than outcomes, another number of times than layers; in ``forward``, images of another
            size, or not to be embedded.

    Source: Wang et al. (2024), arXiv 2407.14055, official code.
    """

    def __init__(
        self,
        n_classes: int,
        block: UnitaryBlock,
        *,
        times: Times = "trainable",
        mode: ImageEmbedding = "symmetric",
        readout: Sequence[int] | None = None,
    ):
        super().__init__()
        self.n_classes, self.block, self.mode = n_classes, block, mode
        self.readout = tuple(range(block.n_qubits) if readout is None else readout)
        if n_classes > 2 ** len(self.readout):
            raise ValueError(
                f"ReuploadingClassifier: there must be an outcome for each class, got n_classes={n_classes} and "
                f"{2 ** len(self.readout)} outcomes of qubits {self.readout}. Read out more of them."
            )
        self._schedule = times
        self.times = nn.Parameter(
            block.theta.new_empty(block.n_layers, requires_grad=False), requires_grad=times == "trainable"
        )
        self._reset_times()

    def reset_parameters(self) -> None:
        """Draw trainable times from N(0, 1), and the block's angles."""
        self.block.reset_parameters()
        self._reset_times()

    def _reset_times(self) -> None:
        n_layers = self.block.n_layers
        if self._schedule == "trainable":
            nn.init.normal_(self.times)
            return
        values: list[Any] = [1 / n_layers] * n_layers if self._schedule == "fixed" else list(self._schedule)
        if len(values) != n_layers or any(isinstance(value, str) for value in values):
            raise ValueError(
                'ReuploadingClassifier: `times` must be "trainable", "fixed", or a number for each layer, got '
                f"times={self._schedule!r} for n_layers={n_layers}."
            )
        with torch.no_grad():
            self.times.copy_(self.times.new_tensor([float(value) for value in values]))

    def forward(self, images: Tensor) -> Tensor:
        """Scores of images, which are decomposed on each call."""
        hamiltonians = self.hamiltonians(images)
        if not images.requires_grad:
            return self.scores(precompute(hamiltonians).pack())
        return self._read_out(states_on_hamiltonians(hamiltonians, self.block.unitaries(), self.times))

    def hamiltonians(self, images: Tensor) -> Tensor:
        """The images' Hamiltonians, ``(B, 2^n, 2^n)``.

        Raises:
            ValueError: images of another size than the block's, or not to be embedded.
            TypeError: images that are not floating point.
        """
        found = image_hamiltonian(images.squeeze(1) if images.ndim == 4 else images, self.mode)
        d = 2**self.block.n_qubits
        if found.ndim != 3 or found.shape[-1] != d:
            raise ValueError(
                f"ReuploadingClassifier: Hamiltonians must have shape (B, {d}, {d}) for n_qubits={self.block.n_qubits},"
                f" got {tuple(found.shape)} of images of shape {tuple(images.shape)}. Images have one channel."
            )
        return found

    def precompute(self, images: Tensor) -> Tensor:
        """What :meth:`scores` needs of images, as one tensor ``(B, 2^n + 1, 2^n)`` to be kept and cut into batches."""
        return precompute(self.hamiltonians(images)).pack()

    def scores(self, packed: Tensor) -> Tensor:
        """Scores of what :meth:`precompute` has made of images: the same to the last bit, without the decomposition."""
        return self._read_out(states_on_spectra(Spectra.unpack(packed), self.block.unitaries(), self.times))

    def on_spectra(self) -> OnSpectra:
        """This model, with its very parameters, as a module that takes precomputed images."""
        return OnSpectra(self)

    def _read_out(self, states: Tensor) -> Tensor:
        return probability_readout(states, self.readout, self.n_classes)

    @property
    def n_effective(self) -> int:
        """How many trained numbers move the scores."""
        angles = self.block.n_effective if self.block.theta.requires_grad else 0
        return angles + self.times.numel() * self.times.requires_grad

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return f"n_classes={self.n_classes}, times={self._schedule!r}, mode={self.mode!r}, readout={self.readout}"


class OnSpectra(nn.Module):
    """A :class:`ReuploadingClassifier` of packed spectra ``(B, 2^n + 1, 2^n)``.

    Args:
        classifier: the model, whose parameters are shared.
    """

    def __init__(self, classifier: ReuploadingClassifier):
        super().__init__()
        self.classifier = classifier

    def forward(self, packed: Tensor) -> Tensor:
        """Scores."""
        return self.classifier.scores(packed)
