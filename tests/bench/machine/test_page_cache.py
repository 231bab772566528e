from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from feedbench.bench.machine.page_cache import PageCache, after
from feedbench.bench.machine.residency import Residency
from feedbench.bench.records.conditions.page_cache import Certificate, State


class Told:
    """A page cache whose shares are told, one after another."""

    def __init__(self, state: State, images: list[str], *shares: float | str) -> None:
        self.sent_out: list[str] = []
        self.asked: list[list[str]] = []
        self._shares = iter(shares)
        self.cache = PageCache(state, images, ask=self._ask, send_out=self._send_out)

    def _ask(self, files: Sequence[str]) -> Residency:
        self.asked.append(list(files))
        share = next(self._shares)
        if isinstance(share, str):
            return Residency(files=0, bytes=0, resident_bytes=0, why_unknown=share)
        return Residency(files=len(files), bytes=1000, resident_bytes=int(1000 * share))

    def _send_out(self, files: Sequence[str]) -> str | None:
        self.sent_out += files
        return None


@pytest.fixture
def images(tmp_path: Path) -> list[str]:
    (tmp_path / "photos").mkdir()
    files = [tmp_path / "photos" / f"{number}.jpg" for number in range(3)]
    for file in files:
        file.write_bytes(b"x" * 1000)
    return list(map(str, files))


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    (tmp_path / "prepared" / "inside").mkdir(parents=True)
    (tmp_path / "prepared" / "inside" / "0.tfrecord").write_bytes(b"x" * 500)
    return tmp_path / "prepared"


def test_warm_is_certified_where_all_is_resident_and_nothing_is_sent_out(
    images: list[str],
) -> None:
    told = Told("warm", images, 1.0)
    certified = told.cache.before(None)
    assert (certified.files, certified.bytes, certified.resident, certified.is_certified) == (
        3,
        3000,
        1.0,
        True,
    )
    assert told.sent_out == []


def test_what_is_not_resident_any_more_is_read_again_to_be_warm(images: list[str]) -> None:
    told = Told("warm", images, 0.4, 1.0)
    assert told.cache.before(None).is_certified
    assert len(told.asked) == 2


def test_a_pipeline_that_reads_the_users_records_is_certified_by_these(
    images: list[str], prepared: Path
) -> None:
    records = [str(prepared / "inside" / "0.tfrecord")]
    asked: list[Sequence[str]] = []

    def ask(files: Sequence[str]) -> Residency:
        asked.append(files)
        return Residency(files=len(files), bytes=500, resident_bytes=500)

    cache = PageCache("warm", images, records, ask=ask)
    assert cache.before(None, reads_records=True).bytes == 500
    assert cache.before(None).bytes == 3000
    assert asked == [records, images]


def test_cold_sends_out_what_the_pipeline_reads(images: list[str]) -> None:
    told = Told("cold", images, 0.0)
    assert told.cache.before(None).is_certified
    assert told.sent_out == images


def test_of_a_pipeline_that_prepared_something_that_is_what_it_reads(
    images: list[str], prepared: Path
) -> None:
    told = Told("cold", images, 0.0)
    certified = told.cache.before(prepared)
    record = str(prepared / "inside" / "0.tfrecord")
    assert (certified.files, certified.bytes) == (1, 500)
    assert told.asked == [[record]]
    assert set(told.sent_out) == {record, *images}  # it may read the images as well


@pytest.mark.parametrize(
    ("state", "share"), [("warm", 0.5), ("cold", 0.5), ("cold", 1.0), ("warm", 0.0)]
)
def test_what_is_resident_may_contradict_the_word(
    images: list[str], state: State, share: float
) -> None:
    certified = Told(state, images, share, share).cache.before(None)
    assert certified.why_not == f"{share:.0%} of the files' bytes were resident before"
    assert certified.is_contradicted


@pytest.mark.parametrize("state", ["warm", "cold"])
def test_a_file_that_is_gone_is_a_reason_and_no_error(images: list[str], state: State) -> None:
    Path(images[1]).unlink()
    certified = PageCache(state, images).before(None)
    assert "cannot open a file: No such file or directory" in str(certified.why_not)
    assert certified.bytes == 2000


def test_what_is_not_known_is_not_certified_and_says_why(images: list[str]) -> None:
    certified = Told("warm", images, "this system has no mincore").cache.before(None)
    assert (certified.resident, certified.why_not) == (None, "this system has no mincore")
    assert not certified.is_contradicted


def certificate(state: State, why_not: str | None = None) -> Certificate:
    return Certificate(asked=state, files=3, bytes=1000, resident=0.0, why_not=why_not)


@pytest.mark.parametrize(
    ("state", "read", "why_not"),
    [
        ("cold", 1040, None),
        ("cold", 300, "only 30% of the files' bytes were read from the device"),
        ("warm", 0, None),
        ("warm", 700, "70% of the files' bytes were read from the device"),
        (
            "warm",
            168_620,
            "more bytes than the files have were read from the device, such as code",
        ),
        ("cold", None, "how much was read from the device is unknown"),
    ],
)
def test_the_bytes_that_the_first_epoch_read_must_agree(
    state: State, read: int | None, why_not: str | None
) -> None:
    updated = after(certificate(state), read)
    assert (updated.read_bytes, updated.why_not) == (read, why_not)
    assert updated.is_contradicted == (read is not None and why_not is not None)


def test_the_first_reason_stays() -> None:
    assert after(certificate("cold", "no such call"), 0).why_not == "no such call"


def test_images_in_a_store_are_in_no_page_cache_but_prepared_files_are(tmp_path: Path) -> None:
    sent: list[str] = []
    in_store = PageCache("cold", ["s3://bucket/a/1.jpg"], send_out=sent.extend)
    assert not in_store.holds(None)
    assert in_store.holds(tmp_path)
    (tmp_path / "records").write_bytes(b"1")
    in_store.before(tmp_path)
    assert sent == [str(tmp_path / "records")]
    assert PageCache("warm", ["/photos/a/1.jpg"]).holds(None)


def test_record_files_in_a_store_are_in_no_page_cache() -> None:
    cache = PageCache("warm", ["/photos/a/1.jpg"], ["s3://bucket/a.tfrecord"])
    assert not cache.holds(None, reads_records=True)
    assert cache.holds(None)
