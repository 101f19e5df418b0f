from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from replank import datasets
from replank.datasets._idx import TEST_IMAGES, TRAIN_IMAGES, TRAIN_LABELS
from replank.errors import DataError


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def served(tmp_path) -> Path:
    folder = tmp_path / "served"
    folder.mkdir()
    return folder


@pytest.fixture
def url(served) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(served))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def dead_url() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def test_fetched_files_are_verified_and_can_be_loaded(tiny, served, url, tmp_path):
    tiny.write(served, packed=True)
    target = tmp_path / "data"
    report = tiny.recipe(url).fetch(target)
    assert report.ok
    assert {file.path for file in report.files} == {target / "tiny" / f"{name}.gz" for name in tiny.contents}
    assert tiny.recipe().load(target).card.n_train == 6


def test_what_is_there_is_not_fetched_again(tiny, dead_url, tmp_path):
    tiny.write(tmp_path)
    assert tiny.recipe(dead_url).fetch(tmp_path).ok


def test_progress_is_shown_on_a_terminal(tiny, served, url, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    tiny.write(served, packed=True)
    tiny.recipe(url).fetch(tmp_path / "data")
    shown = capsys.readouterr()
    assert f"{TEST_IMAGES}.gz" in shown.err
    assert f"{len(tiny.packed(TEST_IMAGES))}" in shown.err
    assert shown.out == ""


def test_offline_is_one_clear_sentence_and_leaves_nothing(tiny, dead_url, tmp_path):
    with pytest.raises(DataError, match=r"fetch: http\S+ must answer, got ConnectionError from 127\.0\.0\.1") as error:
        tiny.recipe(dead_url).fetch(tmp_path / "new" / "data")
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_the_server_does_not_have_leaves_nothing(tiny, url, tmp_path):
    with pytest.raises(DataError, match="got HTTP status 404"):
        tiny.recipe(url).fetch(tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_another_content_is_thrown_away(tiny, served, url, tmp_path):
    tiny.write(served, packed=True)
    (served / f"{TEST_IMAGES}.gz").write_bytes(b"something else")
    with pytest.raises(DataError, match=f"{TEST_IMAGES}.gz must have sha256:.*another content"):
        tiny.recipe(url).fetch(tmp_path / "data")
    # the two files ahead of it are whole and stay
    left = {path.name for path in (tmp_path / "data" / "tiny").iterdir()}
    assert left == {f"{TRAIN_IMAGES}.gz", f"{TRAIN_LABELS}.gz"}


def test_a_damaged_file_is_replaced(tiny, served, url, tmp_path):
    tiny.write(served, packed=True)
    tiny.write(tmp_path / "data" / "tiny", packed=True)
    (tmp_path / "data" / "tiny" / f"{TEST_IMAGES}.gz").write_bytes(b"damaged")
    assert tiny.recipe(url).fetch(tmp_path / "data").ok


def test_a_folder_that_can_not_be_written_is_named(tiny, served, url, tmp_path):
    tiny.write(served, packed=True)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="must be a folder that can be written"):
        tiny.recipe(url).fetch(tmp_path / "file" / "data")


def test_a_set_without_an_address_says_where_it_comes_from(tiny, tmp_path):
    with pytest.raises(DataError, match=r"get it from https://example\.org/tiny"):
        tiny.recipe().fetch(tmp_path)


@pytest.mark.parametrize("name", ["mnist5k", "digits"])
def test_embedded_sets_need_no_download(name, tmp_path):
    assert datasets.fetch(name, tmp_path).ok
    assert list(tmp_path.iterdir()) == []
