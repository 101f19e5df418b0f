"""What a trial of this study needs to know, at each scale."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from replank.lab.study import Protocol, Scale


@dataclass(frozen=True)
class TransferSettings:
    """Sizes and training budgets.

    Args:
        encoder: ``"autoencoder"``, or ``"pixels"``: the pixels that vary are the latent features.
        hidden: widths of the autoencoder's hidden layers.
        n_latents: its latent features.
        encoder_epochs: passes of its training.
        encoder_lr: step size of its Adam.
        encoder_batch_size: samples a step.
        n_components: principal components of the latent features: one qubit each.
        n_trained_layers: layers of the circuit that is trained.
        lr: step size of the classifier's Adam.
        batch_size: samples a step.
        epochs: passes of its training.
        dropout: behind each of its hidden layers.
        n_train: training images, drawn by the seed and stratified; 0 means all.
        n_test: test images, likewise.
    """

    encoder: Literal["autoencoder", "pixels"]
    hidden: tuple[PositiveInt, ...]
    n_latents: PositiveInt
    encoder_epochs: PositiveInt
    encoder_lr: PositiveFloat
    encoder_batch_size: PositiveInt
    n_components: PositiveInt
    n_trained_layers: PositiveInt
    lr: PositiveFloat
    batch_size: PositiveInt
    epochs: PositiveInt
    dropout: Annotated[float, Field(ge=0, lt=1)]
    n_train: NonNegativeInt = 0
    n_test: NonNegativeInt = 0


# The abstracts give 64 latent features, 5 components and qubits; all other sizes are ours.
PUBLISHED = TransferSettings(
    encoder="autoencoder",
    hidden=(256, 128),
    n_latents=64,
    encoder_epochs=50,
    encoder_lr=1e-3,
    encoder_batch_size=256,
    n_components=5,
    n_trained_layers=2,
    lr=1e-3,
    batch_size=128,
    epochs=30,
    dropout=0.3,
)
ALL_OF_IT = {"n_train": 0, "n_test": 0}
ALREADY_64 = {"encoder": "pixels", **ALL_OF_IT}  # 8x8 pixels need no encoder

# With few images it takes more passes and smaller batches: 8 passes in batches of 256 are 160 steps, after which the
# autoencoder gives back little more than the mean image. Chosen by training losses, of the reconstruction and of the
# classifiers; none by test images.
SMALL = Protocol(
    replace(
        PUBLISHED,
        encoder_epochs=20,
        encoder_batch_size=32,
        lr=3e-3,
        batch_size=64,
        epochs=15,
        n_train=5000,
        n_test=2000,
    ),
    by_dataset={"mnist5k": ALL_OF_IT, "digits": ALREADY_64},
    about="5,000 training and 2,000 test images, drawn by each seed; the autoencoder sees them 20 times",
)
SMOKE = Protocol(
    replace(
        SMALL.settings, hidden=(48,), encoder_epochs=2, encoder_batch_size=50, batch_size=50, epochs=2,
        n_train=300, n_test=100,
    ),
    about="tiny, to see that everything runs",
)  # fmt: skip

SCALES = {
    "smoke": Scale({"smoke": SMOKE}, datasets=("digits",), seeds=1, minutes=0.3),
    "small": Scale({"small": SMALL}, datasets=("mnist10k",), seeds=5, minutes=4, without_files={"mnist10k": "mnist5k"}),
    "paper": Scale(
        {
            "paper": Protocol(
                PUBLISHED, by_dataset={"digits": ALREADY_64}, about="all of MNIST; the autoencoder sees it 50 times"
            )
        },
        datasets=("mnist",),
        seeds=5,
        minutes=150,
    ),
}
