"""DermaMNIST: the 10,015 dermatoscopic images of HAM10000 at 28x28, RGB, the official split."""

from __future__ import annotations

from replank.datasets._card import Card
from replank.datasets._medmnist import SOURCE, official_edition
from replank.datasets._recipe import FromFiles

_CARD = Card(
    name="dermamnist",
    title="DermaMNIST",
    about="MedMNIST",
    licence="CC BY-NC 4.0, that of HAM10000",
    source=SOURCE,
    citation="Yang et al. (2023), MedMNIST v2; images of Tschandl et al. (2018), Scientific Data 5, 180161",
    n_train=7_007,
    n_test=2_005,
    shape=(3, 28, 28),
    classes=(
        "actinic keratoses and intraepithelial carcinoma",
        "basal cell carcinoma",
        "benign keratosis-like lesions",
        "dermatofibroma",
        "melanoma",
        "melanocytic nevi",
        "vascular lesions",
    ),
    split="official; the 1,003 official validation images are left out, load_medmnist reads them",
    known_differences=("several images show one lesion, and may be on both sides of the split",),
)

SET = FromFiles((official_edition("dermamnist", "0744692d530f8e62ec473284d019b0c7", _CARD),))
