"""MNIST: 70,000 handwritten digits, 28x28 grey, the official split."""

from __future__ import annotations

from replank.datasets._card import Card
from replank.datasets._files import DataFile, Edition
from replank.datasets._idx import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, read_idx
from replank.datasets._npz import read_images_npz
from replank.datasets._recipe import FromFiles

CARD = Card(
    name="mnist",
    title="MNIST",
    about="MNIST",
    licence="no formal licence from the authors; usually stated as CC BY-SA 3.0",
    source="https://ossci-datasets.s3.amazonaws.com/mnist/, mirror of http://yann.lecun.com/exdb/mnist/",
    citation="LeCun, Bottou, Bengio, Haffner (1998), Gradient-based learning applied to document recognition",
    n_train=60_000,
    n_test=10_000,
    shape=(1, 28, 28),
    classes=tuple("0123456789"),
    split="official",
)

_MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist/"


def _file(name: str, sha256: str, packed_sha256: str) -> DataFile:
    return DataFile(name, f"sha256:{sha256}", f"{_MIRROR}{name}.gz", f"sha256:{packed_sha256}")


EDITIONS = (
    # the archive comes first because its name is its own, while Fashion-MNIST's idx files have the same names as these
    Edition(
        CARD,
        (DataFile("mnist.npz", "sha256:39b9b1ffaa0ba4d8995a616551f0966941fe02a3fe79ba4a9db7373db16d53ad"),),
        read_images_npz,
    ),
    Edition(
        CARD,
        (
            _file(
                TRAIN_IMAGES,
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            ),
            _file(
                TRAIN_LABELS,
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            ),
            _file(
                TEST_IMAGES,
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            ),
            _file(
                TEST_LABELS,
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ),
        ),
        read_idx,
        subfolders=("mnist", "MNIST/raw", "mnist/raw", "MNIST", ""),
    ),
)

SET = FromFiles(EDITIONS)
