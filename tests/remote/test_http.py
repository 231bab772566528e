"""Photos on an HTTP server that lists its folders; fsspec itself does not repeat its requests."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from feedbench.pipelines.images.index import index_folder, stamps_of
from feedbench.pipelines.remote import reading
from feedbench.pipelines.remote.address import Address
from tests.support.programs.flaky_proxy import FlakyProxy, flaky_proxy

pytest.importorskip("aiohttp")
pytest.importorskip("tenacity", reason="tenacity is not installed: tox -e remote has it")


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def web(photos: Path) -> Iterator[FlakyProxy]:
    handler = functools.partial(Handler, directory=str(photos))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with flaky_proxy(server.server_port) as proxy:
            yield proxy
        server.shutdown()


def test_a_web_server_is_indexed_as_the_folder_is(web: FlakyProxy, photos: Path) -> None:
    index, local = index_folder(Address(web.address)), index_folder(photos)
    assert (index.class_names, index.files, index.labels) == (
        local.class_names,
        local.files,
        local.labels,
    )
    sizes = [stamp.size for stamp in stamps_of(index) if stamp is not None]
    assert sizes == [Path(path).stat().st_size for path in local.paths]
    assert reading.read(index.paths[0]) == Path(local.paths[0]).read_bytes()


def test_requests_are_repeated_after_503_and_after_a_cut(web: FlakyProxy, photos: Path) -> None:
    content = (photos / "cats/00.jpg").read_bytes()
    web.refusals = 2
    assert reading.read(f"{web.address}/cats/00.jpg") == content
    web.cuts = 1
    assert reading.read(f"{web.address}/cats/00.jpg") == content
    assert len(web.requests) >= 4
    assert (web.refusals, web.cuts) == (0, 0)


def test_a_file_that_is_gone_is_not_asked_for_again(web: FlakyProxy) -> None:
    with pytest.raises(FileNotFoundError):
        reading.read(f"{web.address}/cats/gone.jpg")
    assert len(web.requests) == 1
