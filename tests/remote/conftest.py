"""A real S3 server on the loopback, with a proxy in front of it. Skips without moto and s3fs."""

from __future__ import annotations

import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from feedbench.pipelines.remote import file_systems
from tests.support.programs.flaky_proxy import FlakyProxy, flaky_proxy
from tests.support.waiting import until

BUCKET = "photos"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of moto's server."""
    pytest.importorskip("moto", reason="moto is not installed: tox -e remote has it")
    pytest.importorskip("s3fs", reason="s3fs is not installed: tox -e remote has it")
    port = free_port()
    log = (tmp_path_factory.mktemp("moto") / "log").open("wb")
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        until(lambda: answers(port), 60)
        yield port
        process.terminate()


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/data.json", timeout=5):
            return True
    except OSError:
        return False


def enforce_rights(port: int, after: str) -> None:
    """Have moto refuse the credentials of the tests after so many requests; "inf": never."""
    address = f"http://127.0.0.1:{port}/moto-api/reset-auth"
    plain = {"Content-Type": "text/plain"}
    request = urllib.request.Request(address, after.encode(), plain, method="POST")
    urllib.request.urlopen(request, timeout=5).close()


@pytest.fixture
def proxy(server: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlakyProxy]:
    """The proxy through which all of the tests' requests go."""
    with flaky_proxy(server) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.address)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-secret-of-the-tests")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        file_systems._file_system.cache_clear()
        yield proxy
        file_systems._file_system.cache_clear()


@pytest.fixture
def store(proxy: FlakyProxy) -> Any:
    """The file system of the tests' S3."""
    from s3fs import S3FileSystem

    S3FileSystem.clear_instance_cache()
    return S3FileSystem(use_listings_cache=False, skip_instance_cache=True)


@pytest.fixture
def bucket(photos: Path, store: Any, proxy: FlakyProxy) -> str:
    """The address of a folder with the tests' 39 photos, in a bucket of its own."""
    if store.exists(BUCKET):
        store.rm(BUCKET, recursive=True)
    store.mkdir(BUCKET)
    for file in sorted(photos.rglob("*")):
        if file.is_file():
            store.pipe_file(f"{BUCKET}/in/{file.relative_to(photos)}", file.read_bytes())
    proxy.requests.clear()
    return f"s3://{BUCKET}/in"
