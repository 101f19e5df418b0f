"""Fashion-MNIST: 70,000 product photographs, 28x28 grey, the official split."""

from __future__ import annotations

from replank.datasets._card import Card
from replank.datasets._files import DataFile, Edition
from replank.datasets._idx import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, read_idx
from replank.datasets._npz import read_images_npz
from replank.datasets._recipe import FromFiles

_CARD = Card(
    name="fashion_mnist",
    title="Fashion-MNIST",
    about="Fashion-MNIST",
    licence="MIT (Zalando SE)",
    source="https://github.com/zalandoresearch/fashion-mnist",
    citation="Xiao, Rasul, Vollgraf (2017), Fashion-MNIST: a novel image dataset for benchmarking machine learning",
    n_train=60_000,
    n_test=10_000,
    shape=(1, 28, 28),
    classes=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    split="official",
)

_MIRROR = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"


def _file(name: str, sha256: str, packed_sha256: str) -> DataFile:
    return DataFile(name, f"sha256:{sha256}", f"{_MIRROR}{name}.gz", f"sha256:{packed_sha256}")


SET = FromFiles(
    (
        # first because its name is its own, while MNIST's idx files have the same names as these
        Edition(
            _CARD,
            (DataFile("fashion_mnist.npz", "sha256:0b8ff0e3b709c3fd455824f1614f38914bdc7bc07a0eeb7d70ca917322511f1d"),),
            read_images_npz,
        ),
        Edition(
            _CARD,
            (
                _file(
                    TRAIN_IMAGES,
                    "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
                    "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                ),
                _file(
                    TRAIN_LABELS,
                    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
                    "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                ),
                _file(
                    TEST_IMAGES,
                    "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
                    "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                ),
                _file(
                    TEST_LABELS,
                    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
                    "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
                ),
            ),
            read_idx,
            subfolders=("fashion_mnist", "FashionMNIST/raw", "fashion_mnist/raw", "FashionMNIST", "fashion-mnist", ""),
        ),
    )
)
