"""BreastMNIST: 780 breast ultrasound images, 28x28 grey, the official split."""

from __future__ import annotations

from replank.datasets._card import Card
from replank.datasets._medmnist import SOURCE, official_edition
from replank.datasets._recipe import FromFiles

_CARD = Card(
    name="breastmnist",
    title="BreastMNIST",
    about="MedMNIST",
    licence="CC BY 4.0",
    source=SOURCE,
    citation="Yang et al. (2023), MedMNIST v2; images of Al-Dhabyani et al. (2020), Data in Brief 28",
    n_train=546,
    n_test=156,
    shape=(1, 28, 28),
    classes=("malignant", "normal, benign"),
    split="official; the 78 official validation images are left out, load_medmnist reads them",
)

SET = FromFiles((official_edition("breastmnist", "750601b1f35ba3300ea97c75c52ff8f6", _CARD),))
