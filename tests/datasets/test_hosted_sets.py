from __future__ import annotations

import hashlib
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
from tiny_set import idx_bytes

from replank import datasets, discovery
from replank.errors import DataError, UnknownName

HOSTED = [
    "airline_passengers",
    "amp_tm",
    "beijing_pm25",
    "bessel_j2",
    "brain_tumor_mri",
    "breastmnist",
    "cifar10",
    "cifar100",
    "ct_contrast",
    "daily_min_temperatures",
    "damped_pendulum",
    "deeploc1_part",
    "dermamnist",
    "digits",
    "etth1_oil",
    "fashion_mnist",
    "generated",
    "ham10000",
    "isic2017",
    "medical_mnist",
    "mnist",
    "mnist10k",
    "mnist5k",
    "monthly_sunspots",
    "narma10",
    "narma5",
    "pneumoniamnist",
    "scl2205",
    "stl10",
]
COMPUTED = {"bessel_j2", "damped_pendulum", "narma5", "narma10"}
NEEDS_AN_ACCOUNT = {"ct_contrast", "ham10000", "isic2017"}
PACKAGED = {"amp_tm", "scl2205"}
WITHOUT_ADDRESS = {"brain_tumor_mri", "deeploc1_part"}
EMBEDDED = {
    # fingerprints of what was first loaded: a change means that results are of other data
    "mnist5k": "7c95790c4eb2608bf709393377041e7a72e51a24265285d41552f85ed8989cc7",
    "digits": "1c7bbe5bf2273e59d62285dcd7406f916941b6c73eb217720763768c80e6b39a",
}


@pytest.fixture(scope="module")
def loaded():
    """Data sets, each loaded once."""
    cache: dict[str, datasets.Dataset] = {}

    def load(name):
        if name not in EMBEDDED and not (report := datasets.verify(name)).ok:
            pytest.skip(f"no {name} in {report.folder}: set REPLANK_DATA to test it")
        if name not in cache:
            cache[name] = datasets.load(name)
        return cache[name]

    return load


def test_all_hosted_sets_are_found():
    assert [name for name in datasets.names() if ":" not in name] == HOSTED


@pytest.mark.parametrize("name", HOSTED)
def test_a_set_can_be_described_without_loading_it(name):
    info = datasets.info(name)
    assert info.name == name
    assert info.licence
    assert info.embedded == (name in {*EMBEDDED, *COMPUTED, *PACKAGED, datasets.GENERATED})
    assert bool(info.files) == (not info.embedded)
    assert bool(info.urls) == (bool(info.files) and name not in NEEDS_AN_ACCOUNT | WITHOUT_ADDRESS)


@pytest.mark.parametrize("ask", [datasets.load, datasets.info, datasets.verify, datasets.fetch])
def test_a_misspelt_name_is_refused_with_the_nearest(ask):
    with pytest.raises(UnknownName, match=r"unknown data set 'minst5k'. Did you mean 'mnist5k'"):
        ask("minst5k")


def test_parts_of_mnist_are_never_called_mnist():
    titles = {name: datasets.info(name).title for name in ("mnist", "mnist10k", "mnist5k")}
    assert titles["mnist"] == "MNIST"
    assert titles["mnist10k"].startswith("mnist10k (first 10,000 training images of MNIST")
    assert titles["mnist5k"].startswith("mnist5k (5,000 real MNIST digits")


def test_the_set_of_trials_that_make_their_data_is_empty_and_always_there(tmp_path):
    data = datasets.load(datasets.GENERATED, tmp_path)
    assert datasets.verify(datasets.GENERATED, tmp_path).ok
    assert (len(data.train_x), len(data.test_y), data.card.n_train, data.card.classes) == (0, 0, 0, ())
    assert data.card.sha256 == datasets.load(datasets.GENERATED).card.sha256


@pytest.mark.parametrize("name", EMBEDDED)
def test_an_embedded_set_is_always_the_same(name, loaded):
    assert loaded(name).card.sha256 == EMBEDDED[name]
    assert datasets.load(name).card.sha256 == EMBEDDED[name]


@pytest.mark.parametrize("name", EMBEDDED)
def test_an_embedded_set_is_split_without_overlap_in_proportion(name, loaded):
    data = loaded(name)
    train = {image.tobytes() for image in data.train_x}
    test = {image.tobytes() for image in data.test_x}
    assert (len(train), len(test)) == (data.card.n_train, data.card.n_test)
    assert not train & test
    counts = np.bincount(data.train_y) + np.bincount(data.test_y)
    share = counts * data.card.n_test / counts.sum()
    assert (np.abs(np.bincount(data.test_y) - share) < 1).all()


def test_mnist5k_is_balanced_exactly(loaded):
    np.testing.assert_array_equal(np.bincount(loaded("mnist5k").train_y), [400] * 10)
    np.testing.assert_array_equal(np.bincount(loaded("mnist5k").test_y), [100] * 10)


def test_digits_say_how_bright_they_are(loaded):
    data = loaded("digits")
    assert data.card.pixel_max == data.train_x.max() == 16


# Well-known MD5s of the unpacked official files: an oracle that the loader does not use.
IDX_MD5 = {
    "mnist": {
        "train_x": "6bbc9ace898e44ae57da46a324031adb",
        "train_y": "a25bea736e30d166cdddb491f175f624",
        "test_x": "2646ac647ad5339dbf082846283269ea",
        "test_y": "27ae3e4e09519cfbb04c329615203637",
    },
    "fashion_mnist": {
        "train_x": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train_y": "9018921c3c673c538a1fc5bad174d6f9",
        "test_x": "8181f5470baa50b63fa0f6fddb340f0a",
        "test_y": "15d484375f8d13e6eb1aabb0c3f46965",
    },
}


@pytest.mark.parametrize("name", IDX_MD5)
def test_the_arrays_written_back_are_the_official_files(name, loaded):
    data = loaded(name)
    arrays = {field: getattr(data, field).squeeze().astype(np.uint8) for field in IDX_MD5[name]}
    assert {field: hashlib.md5(idx_bytes(array)).hexdigest() for field, array in arrays.items()} == IDX_MD5[name]


@pytest.mark.parametrize(
    ("name", "train", "test"),
    [
        (
            "mnist",
            [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
            [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
        ),
        (
            "mnist10k",
            [1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978],
            [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
        ),
        ("fashion_mnist", [6000] * 10, [1000] * 10),
        ("cifar10", [5000] * 10, [1000] * 10),
        ("cifar100", [500] * 100, [100] * 100),
        ("stl10", [500] * 10, [800] * 10),
    ],
    ids=["mnist", "mnist10k", "fashion_mnist", "cifar10", "cifar100", "stl10"],
)
def test_class_counts_are_the_published_ones(name, train, test, loaded):
    np.testing.assert_array_equal(np.bincount(loaded(name).train_y), train)
    np.testing.assert_array_equal(np.bincount(loaded(name).test_y), test)


def test_mnist10k_starts_like_mnist_and_is_tested_like_it(loaded):
    part, whole = loaded("mnist10k"), loaded("mnist")
    np.testing.assert_array_equal(part.train_x, whole.train_x[:10_000])
    np.testing.assert_array_equal(part.test_x, whole.test_x)
    assert part.card.sha256 != whole.card.sha256


def test_mnist5k_is_the_first_500_training_images_of_each_class_of_mnist(loaded):
    part, whole = loaded("mnist5k"), loaded("mnist")
    first = np.concatenate([np.flatnonzero(whole.train_y == label)[:500] for label in range(10)])
    images = np.concatenate([part.train_x, part.test_x])
    assert {image.tobytes() for image in images} == {image.tobytes() for image in whole.train_x[first]}


def test_cifar10_has_the_published_colours_and_owns_up_to_compression(loaded):
    data = loaded("cifar10")
    # published means of the official training images; JPEG moves them by less than 0.001
    np.testing.assert_allclose(data.train_x.mean((0, 2, 3)) / 255, [0.4914, 0.4822, 0.4465], atol=1e-3)
    assert (data.card.title == "CIFAR-10") == (not data.card.known_differences)


@pytest.mark.parametrize("name", ["cifar100", "stl10"])
def test_classes_are_named_in_their_official_order_which_is_the_alphabet(name):
    classes = datasets._recipe(name).card.classes
    assert list(classes) == sorted(set(classes))
    assert len(classes) == {"cifar100": 100, "stl10": 10}[name]


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Registers a package with the given modules as the plug-in ``acme``, beside the hosted sets."""

    def register(**modules):
        package = tmp_path / "acme_datasets"
        package.mkdir()
        (package / "__init__.py").write_text("")
        for name, source in modules.items():
            (package / f"{name}.py").write_text(source)
        monkeypatch.syspath_prepend(tmp_path)
        points = [
            EntryPoint("replank", "replank.datasets", "replank.datasets"),
            EntryPoint("acme", "acme_datasets", "replank.datasets"),
        ]
        monkeypatch.setattr(discovery, "entry_points", lambda group: points)
        discovery._load.cache_clear()

    yield register
    discovery._load.cache_clear()
    for name in [name for name in sys.modules if name.startswith("acme_datasets")]:
        del sys.modules[name]


def test_a_plug_in_brings_a_set(plugin):
    plugin(more_digits="from replank.datasets.digits import SET")
    assert datasets.names() == [*HOSTED, "acme:more_digits"]
    assert datasets.load("acme:more_digits").card.n_train == 1437


def test_a_broken_plug_in_stops_only_itself(plugin):
    plugin(broken="import a_package_that_is_not_there")
    assert datasets.names() == HOSTED
    with pytest.raises(DataError, match="acme:broken: ModuleNotFoundError"):
        datasets.load("acme:broken")


def test_the_data_folder_is_the_given_one_then_the_named_one_then_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("REPLANK_DATA", str(tmp_path / "named"))
    assert datasets.data_folder(tmp_path / "given") == tmp_path / "given"
    assert datasets.data_folder() == tmp_path / "named"
    monkeypatch.delenv("REPLANK_DATA")
    assert datasets.data_folder().name == "data"
    assert datasets.data_folder(Path("~/x")) == Path.home() / "x"
