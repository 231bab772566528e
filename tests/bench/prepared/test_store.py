"""The store of preparations: found when whole, made when not, and nothing half-made in between."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import shutil
import signal
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from feedbench.bench.prepared.preparation import listing
from feedbench.bench.prepared.store import Source, Store
from feedbench.pipelines.errors import RequestError
from tests.support.waiting import until

SOURCE = Source(
    pipeline="tfrecord_gzip", depends_on={"shards": 2}, folder="/photos", images=39, bytes=40_000
)
KEY = "tfrecord-gzip-0123456789abcdef0123"
OTHER = "another-0123456789abcdef0123"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    folder = tmp_path / "store"
    folder.mkdir()
    return Store(folder)


class Writer:
    """Writes two files, and counts how often it was asked to."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, folder: Path) -> None:
        self.calls += 1
        (folder / "a.tfrecord").write_bytes(b"a" * 1000)
        (folder / "below").mkdir()
        (folder / "below" / "b.tfrecord").write_bytes(b"b" * 24)


def fails(folder: Path) -> None:
    (folder / "half").write_bytes(b"a" * 1000)
    raise OSError("the disk is on fire")


def visible(store: Store) -> list[str]:
    """Return what is in the store but its locks."""
    names = sorted(path.name for path in store.folder.iterdir())
    return [name for name in names if not name.endswith((".lock", ".in-use"))]


def test_what_was_written_is_found_again_and_not_written_twice(store: Store) -> None:
    write = Writer()
    made, was_found = store.obtain(KEY, SOURCE, write)
    again, was_found_again = store.obtain(KEY, SOURCE, write)
    assert (was_found, was_found_again, write.calls) == (False, True, 1)
    assert again == made
    assert made.bytes == 1024
    assert set(made.files) == {"a.tfrecord", "below/b.tfrecord"}
    assert made.source == SOURCE
    assert (store.files(KEY) / "below" / "b.tfrecord").read_bytes() == b"b" * 24


def test_another_key_is_another_preparation(store: Store) -> None:
    write = Writer()
    store.obtain(KEY, SOURCE, write)
    store.obtain(OTHER, SOURCE, write)
    assert write.calls == 2
    assert visible(store) == [OTHER, KEY]


def test_what_failed_leaves_nothing_and_is_written_the_next_time(store: Store) -> None:
    with pytest.raises(OSError, match="on fire"):
        store.obtain(KEY, SOURCE, fails)
    assert visible(store) == []
    assert store.obtain(KEY, SOURCE, Writer())[1] is False


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "files" / "a.tfrecord").unlink(),
        lambda folder: os.truncate(folder / "files" / "a.tfrecord", 999),
        lambda folder: (folder / "files" / "a.tfrecord").write_bytes(b"x" * 1000),  # a foreign one
        lambda folder: (folder / "manifest.json").unlink(),
        lambda folder: (folder / "manifest.json").write_text('{"schema": 1'),
        lambda folder: (folder / "files" / "more.tfrecord").write_bytes(b"more"),
    ],
    ids=["missing", "cut short", "foreign", "no manifest", "broken manifest", "one too many"],
)
def test_what_is_damaged_is_seen_said_and_written_anew(store: Store, damage: Any) -> None:
    made, _ = store.obtain(KEY, SOURCE, Writer())
    damage(store.folder / KEY)
    assert store.find(KEY) is None
    told: list[bool] = []
    again, was_found = store.obtain(
        KEY, SOURCE, Writer(), on_write=lambda _, is_damaged: told.append(is_damaged)
    )
    assert (was_found, told) == (False, [True])
    assert again.files == made.files
    assert store.find(KEY) == again


def test_what_was_never_there_is_not_called_damaged(store: Store) -> None:
    told: list[bool] = []
    store.obtain(KEY, SOURCE, Writer(), on_write=lambda _, is_damaged: told.append(is_damaged))
    assert told == [False]


def test_a_preparation_can_be_read_by_whom_the_users_mask_allows(store: Store) -> None:
    store.obtain(KEY, SOURCE, Writer())
    usual = store.folder / "usual"
    usual.mkdir()
    assert stat.S_IMODE((store.folder / KEY).stat().st_mode) == stat.S_IMODE(usual.stat().st_mode)


def test_of_two_at_once_one_writes_and_the_other_waits_and_finds_it(
    store: Store, tmp_path: Path
) -> None:
    context = multiprocessing.get_context("fork")
    go, writing, waiting = context.Event(), context.Event(), context.Event()
    results = context.SimpleQueue()

    def slow(folder: Path) -> None:
        writing.set()
        go.wait(30)
        Writer()(folder)

    def obtain() -> None:
        results.put(store.obtain(KEY, SOURCE, slow, on_wait=waiting.set)[1])

    both = [context.Process(target=obtain) for _ in range(2)]
    both[0].start()
    assert writing.wait(30)
    both[1].start()
    assert waiting.wait(30)
    go.set()
    for process in both:
        process.join(30)
    assert [results.get(), results.get()] == [False, True]


def test_a_writer_that_is_killed_leaves_nothing_that_looks_whole_and_is_swept_away(
    store: Store,
) -> None:
    context = multiprocessing.get_context("fork")

    def half(folder: Path) -> None:
        (folder / "half").write_bytes(b"a" * 1000)
        time.sleep(100)

    process = context.Process(target=lambda: store.obtain(KEY, SOURCE, half))
    process.start()
    until(lambda: list(store.folder.glob(".new-*/files/half")))
    store.sweep()  # it is at work: nothing of it is touched
    assert list(store.folder.glob(".new-*/files/half"))
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert store.find(KEY) is None
    assert [manifest for _, manifest in store.contents()] == [None]
    store.sweep()
    assert visible(store) == []


def test_what_a_killed_writer_left_goes_when_the_same_is_written_again(store: Store) -> None:
    (store.folder / f".new-{KEY}-ffffffff").mkdir()
    store.obtain(KEY, SOURCE, Writer())
    assert visible(store) == [KEY]


def test_clearing_removes_everything_but_the_lock_of_the_whole(store: Store) -> None:
    store.obtain(KEY, SOURCE, Writer())
    (store.folder / f".new-{OTHER}-ffffffff").mkdir()
    with store.in_use():
        pass
    store.clear()
    assert [path.name for path in store.folder.iterdir()] == [".in-use"]
    with store.in_use():
        assert store.obtain(KEY, SOURCE, Writer())[1] is False


def test_of_a_store_that_was_never_made_there_is_nothing_to_clear(tmp_path: Path) -> None:
    Store(tmp_path / "store").clear()
    assert list(tmp_path.iterdir()) == []


def test_clearing_and_sweeping_leave_what_is_not_their_own(store: Store) -> None:
    for name in ("holiday.jpg", "poetry.lock"):
        (store.folder / name).write_bytes(b"mine")
    for name in ("mine", "my.lock", ".new-website"):
        (store.folder / name).mkdir()
    before = set(store.folder.iterdir())
    with store.in_use():
        store.obtain(KEY, SOURCE, Writer())
    store.clear()
    assert set(store.folder.iterdir()) == before | {store.folder / ".in-use"}


def test_what_is_damaged_or_unfinished_is_listed_and_cleared_too(store: Store) -> None:
    store.obtain(KEY, SOURCE, Writer())
    (store.folder / KEY / "manifest.json").write_text("broken")
    (store.folder / f".new-{OTHER}-ffffffff").mkdir()
    unfinished, damaged, total = listing(store)
    assert unfinished == f"damaged or unfinished: 0 B in {store.folder / f'.new-{OTHER}-ffffffff'}"
    assert damaged == f"damaged or unfinished: 1.03 kB in {store.folder / KEY}"
    assert total == f"2 preparations, 1.03 kB, in {store.folder}"
    store.clear()
    assert visible(store) == []


def test_a_pipeline_may_write_a_manifest_of_its_own(store: Store) -> None:
    store.obtain(KEY, SOURCE, lambda folder: (folder / "manifest.json").write_text("mine"))
    assert (store.files(KEY) / "manifest.json").read_text() == "mine"
    (store.files(KEY) / "manifest.json").write_text("else")
    assert store.find(KEY) is None


def test_a_store_in_which_another_user_has_made_the_locks_can_be_used(store: Store) -> None:
    for name in (".in-use", f"{KEY}.lock"):
        (store.folder / name).touch()
        (store.folder / name).chmod(0o444)
    with store.in_use():
        assert store.obtain(KEY, SOURCE, Writer())[1] is False


def test_a_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    for ask in (Store(tmp_path / "file").contents, Store(tmp_path / "file").clear):
        with pytest.raises(RequestError, match="file: expected a folder of prepared files; it is"):
            ask()


def test_what_a_run_reads_is_not_cleared(store: Store) -> None:
    store.obtain(KEY, SOURCE, Writer())
    with store.in_use(), store.in_use():  # several may
        with pytest.raises(RequestError, match="a run is using it\nhint: clear it when that"):
            store.clear()
        assert store.find(KEY) is not None


def test_a_store_that_another_process_does_not_end_clearing_is_not_waited_for_for_ever(
    store: Store,
) -> None:
    with (store.folder / ".in-use").open("w") as clearing:
        fcntl.flock(clearing, fcntl.LOCK_EX)
        with (
            pytest.raises(
                RequestError, match="another process has been clearing it for 0 s\nhint:"
            ),
            store.in_use(0.01),
        ):
            pass
    with store.in_use(0.01):
        pass


def test_a_store_that_cannot_be_written_is_a_wrong_request(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    store = Store(tmp_path / "file" / "store")
    with (
        pytest.raises(RequestError, match=r"store: Not a directory\nhint: name another folder"),
        store.in_use(),
    ):
        pass


def test_a_store_is_made_where_there_was_none(tmp_path: Path) -> None:
    store = Store(tmp_path / "a" / "store")
    with store.in_use():
        store.obtain(KEY, SOURCE, Writer())
    assert [path.name for path, _ in store.contents()] == [KEY]


def test_the_listing_says_what_there_is_what_it_is_of_and_how_much_it_takes(store: Store) -> None:
    assert listing(store) == [f"0 preparations, 0 B, in {store.folder}"]
    made, _ = store.obtain(KEY, SOURCE, Writer())
    shutil.copytree(store.folder / KEY, store.folder / OTHER)
    line, same, total = listing(store)
    assert line == same
    assert line == (
        "tfrecord_gzip: 1.02 kB in 2 files, from 39 images in /photos; written on"
        f" {made.made_at[:10]} in {made.seconds:.1f} s"
    )
    assert total == f"2 preparations, 2.05 kB, in {store.folder}"
