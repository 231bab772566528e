"""Cache files that are damaged, or that somebody else wrote: they are as good as missing."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import strategies as st

from feedbench.bench.equal_work.proof_cache import ProofCache
from feedbench.bench.images.findings_cache import FindingsCache
from feedbench.bench.prepared.store import Manifest, Source, Store
from feedbench.bench.records.proof import Proof
from feedbench.pipelines.catalog import parse
from feedbench.pipelines.images.image_check import Finding
from feedbench.pipelines.remote.reading import Stamp
from tests.fuzzing.examples import amounts, try_all
from tests.fuzzing.guard import guarded
from tests.fuzzing.mutations import deep_json, mutated_bytes, mutated_json
from tests.support.builders import a_proof, workload_over

NAIVE = parse("tfdata_naive")
KEY = f"tfrecord-{'0' * 20}"


def _packed(content: bytes) -> st.SearchStrategy[bytes]:
    """The content of a MessagePack file, changed as a tree or as bytes."""
    tree: Any = msgspec.msgpack.decode(content)
    pictures: dict[str, bytes] = tree["sheets"]

    def again(changed: Any) -> bytes:
        names = changed.get("sheets", {}) if isinstance(changed, dict) else {}
        if isinstance(names, dict):
            changed["sheets"] = dict.fromkeys(names, b"a picture")
        try:
            return msgspec.msgpack.encode(changed)
        except (OverflowError, UnicodeEncodeError):  # JSON holds more than MessagePack does
            return b""

    text = {**tree, "sheets": dict.fromkeys([*pictures, "../../canary", "/canary"], "")}
    return st.one_of(mutated_json(text).map(again), mutated_bytes(content), st.just(b"\x91" * 3000))


@amounts(30, 3000)
def test_a_changed_proof_is_used_or_made_again(photos: Path, tmp_path: Path, examples: int) -> None:
    workload = workload_over(photos)
    cache = ProofCache(tmp_path / "proofs")
    sheet = tmp_path / "samples" / "naive"
    sheet.parent.mkdir()
    sheet.with_name("naive.webp").write_bytes(b"a picture")
    cache.add(NAIVE, workload, a_proof(), sheet)
    (file,) = (tmp_path / "proofs").iterdir()

    def check(content: bytes) -> None:
        file.write_bytes(content)
        with guarded(tmp_path):
            found = cache.find(NAIVE, workload, sheet)
        assert found is None or isinstance(found, Proof)
        assert {entry.name for entry in sheet.parent.iterdir()} <= {
            *("naive.webp", "naive_full.webp", "_reference.webp")
        }

    try_all(_packed(file.read_bytes()), examples, check)


@amounts(30, 3000)
def test_changed_findings_are_used_or_looked_for_again(tmp_path: Path, examples: int) -> None:
    stamps = {f"/p/{number}.jpg": Stamp(number, 100) for number in range(3)}
    held = FindingsCache(tmp_path / "cache", Path("/p"))
    for path, stamp in stamps.items():
        held.add(path, stamp, Finding(None, "JPEG", "RGB", 6, 4, channels=3))
    held.flush()
    (file,) = (tmp_path / "cache").iterdir()
    content = file.read_bytes()

    def check(changed: bytes) -> None:
        file.write_bytes(changed)
        with guarded(tmp_path):
            found = FindingsCache(tmp_path / "cache", Path("/p"), spare_lines=0).find(stamps, 3)
        assert found.keys() <= stamps.keys()

    lines = mutated_json([json.loads(line) for line in content.split()])
    encoded = lines.map(lambda tree: b"".join(json.dumps(line).encode() + b"\n" for line in tree))
    try_all(st.one_of(encoded, mutated_bytes(content), st.just(deep_json())), examples, check)


def test_findings_with_a_byte_that_is_no_text_are_looked_for_again(tmp_path: Path) -> None:
    stamps = {"/p/0.jpg": Stamp(0, 100)}
    held = FindingsCache(tmp_path / "cache", Path("/p"))
    held.add("/p/0.jpg", stamps["/p/0.jpg"], Finding(None, "JPEG", "RGB", 6, 4, channels=3))
    held.flush()
    (file,) = (tmp_path / "cache").iterdir()
    file.write_bytes(file.read_bytes().replace(b"JPEG", b"JP\xffG"))
    assert FindingsCache(tmp_path / "cache", Path("/p")).find(stamps, 3) == {}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with one preparation."""
    store = Store(tmp_path / "P")
    source = Source(pipeline="tfrecord", depends_on={"a": 1}, folder="/p", images=1, bytes=1)
    with store.in_use():
        store.obtain(KEY, source, lambda folder: (folder / "a.tfrecord").write_bytes(b"records"))
    return store


@amounts(20, 1000)
def test_a_changed_manifest_is_used_or_its_files_are_written_again(
    store: Store, tmp_path: Path, examples: int
) -> None:
    file = store.folder / KEY / "manifest.json"
    content = file.read_bytes()
    (tmp_path / "canary").write_text("not a record")

    def check(changed: bytes) -> None:
        file.write_bytes(changed)
        with guarded(store.folder):
            found = store.find(KEY)
            store.contents()
        assert found is None or isinstance(found, Manifest)

    tree = mutated_json(json.loads(content)).map(lambda tree: json.dumps(tree).encode())
    try_all(st.one_of(tree, mutated_bytes(content), st.just(deep_json())), examples, check)


def test_a_manifest_with_a_byte_that_is_no_text_is_as_good_as_missing(store: Store) -> None:
    file = store.folder / KEY / "manifest.json"
    file.write_bytes(file.read_bytes().replace(b"tfrecord", b"tf\xffrecord", 1))
    assert store.find(KEY) is None
    assert store.contents() == [(store.folder / KEY, None)]


def test_a_pipe_instead_of_a_manifest_or_of_a_record_is_not_waited_for(store: Store) -> None:
    for name in ("manifest.json", "files/a.tfrecord"):
        (store.folder / KEY / name).unlink()
        os.mkfifo(store.folder / KEY / name)
        with guarded(store.folder):
            assert store.find(KEY) is None
            store.contents()
