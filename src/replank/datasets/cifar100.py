"""CIFAR-100: 60,000 colour photographs of 100 classes, 32x32, the official split; the labels are the fine ones."""

from __future__ import annotations

from replank.datasets._card import Card
from replank.datasets._cifar_batches import CifarFiles
from replank.datasets._files import DataFile, Edition, inside
from replank.datasets._recipe import FromFiles

_CLASSES = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can
castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin
elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster
man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck
pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk
skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger
tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""

_CARD = Card(
    name="cifar100",
    title="CIFAR-100",
    about="CIFAR-100",
    licence="none stated by the author; the images come from the withdrawn Tiny Images collection",
    source="https://www.cs.toronto.edu/~kriz/cifar.html",
    citation="Krizhevsky (2009), Learning multiple layers of features from tiny images",
    n_train=50_000,
    n_test=10_000,
    shape=(3, 32, 32),
    classes=tuple(_CLASSES.split()),
    split="official",
)

# MD5 as torchvision knows them, SHA-256 of the archives as Keras and TensorFlow Datasets do
_BATCHES = (
    DataFile("train", "md5:16019d7e3df5f24257cddd939b257f8d"),
    DataFile("test", "md5:f0ef6b0ae62326f3e7ffdfab6717acfc"),
)
_PYTHON_ARCHIVE = DataFile(
    "cifar-100-python.tar.gz",
    "sha256:85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
    "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
)
_BINARY_ARCHIVE = DataFile(
    "cifar-100-binary.tar.gz",
    "sha256:58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
)

_PLACES = ("", "cifar100", "CIFAR100", "cifar-100")

# the two label bytes of a binary image are its coarse and its fine label
FILES = CifarFiles(
    title="CIFAR-100",
    batches=("train", "test"),
    python_folder="cifar-100-python",
    binary_folder="cifar-100-binary",
    labels=b"fine_labels",
    label_bytes=2,
)

SET = FromFiles(
    (
        Edition(_CARD, _BATCHES, FILES.read_python_batches, inside(_PLACES, FILES.python_folder)),
        Edition(_CARD, (_PYTHON_ARCHIVE,), FILES.read_python_archive, _PLACES),
        Edition(_CARD, (_BINARY_ARCHIVE,), FILES.read_binary_archive, _PLACES),
    )
)
