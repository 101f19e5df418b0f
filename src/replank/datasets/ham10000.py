"""HAM10000: 10,015 dermatoscopic images of seven kinds of lesions, as a folder for each class, at 224x224."""

from __future__ import annotations

from replank.datasets._card import Card
from replank.datasets._image_folder import ImageFolder

SET = ImageFolder(
    Card(
        name="ham10000",
        title="HAM10000 (resized to 224x224; split by whoever put it there)",
        about="HAM10000",
        licence="CC BY-NC 4.0",
        source="https://doi.org/10.7910/DVN/DBW86T",
        citation="Tschandl, Rosendahl, Kittler (2018), The HAM10000 dataset, Scientific Data 5, 180161",
        shape=(3, 224, 224),
        classes=(
            "actinic keratoses",
            "basal cell carcinoma",
            "benign keratosis",
            "dermatofibroma",
            "melanoma",
            "melanocytic nevi",
            "vascular lesions",
        ),
        split="as the folders train and test say; there is no official one",
        known_differences=(
            "several images show one lesion: unless the split keeps lesions together, the same lesion is in both parts",
        ),
    ),
    ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"),
)
