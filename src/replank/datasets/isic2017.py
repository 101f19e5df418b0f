"""ISIC 2017: 2,750 dermoscopic images of three kinds of lesions, as a folder for each class, at 224x224."""

from __future__ import annotations

from replank.datasets._card import Card
from replank.datasets._image_folder import ImageFolder

SET = ImageFolder(
    Card(
        name="isic2017",
        title="ISIC 2017 (resized to 224x224; split by whoever put it there)",
        about="ISIC 2017",
        licence="CC0 1.0 as the archive states; not checked",
        source="https://challenge.isic-archive.com/data/#2017",
        citation="Codella et al. (2018), Skin lesion analysis toward melanoma detection, ISBI 2017 challenge",
        shape=(3, 224, 224),
        classes=("melanoma", "nevus", "seborrheic keratosis"),
        split="as the folders train and test say; official: 2,000 training, 150 validation and 600 test images",
    ),
    ("melanoma", "nevus", "seborrheic_keratosis"),
)
