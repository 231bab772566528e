"""Files of images and of labels, changed: a finding or a sentence."""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import strategies as st
from PIL import Image

from feedbench.pipelines.errors import FeedbenchError, RequestError
from feedbench.pipelines.images import image_check
from feedbench.pipelines.images.file_formats import formats_of
from feedbench.pipelines.images.index import index_folder
from feedbench.pipelines.images.labelled.labels import index_labelled
from tests.fuzzing.examples import amounts, try_all
from tests.fuzzing.guard import bounded_memory, guarded
from tests.fuzzing.mutations import mutated_bytes
from tests.support.images.odd import jpeg, png, png_of

KINDS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "ICO", "PPM", "TGA", "PCX")


def _headers() -> st.SearchStrategy[bytes]:
    """Small images of all kinds, changed near their beginning, where headers are."""
    image = Image.new("RGB", (16, 12), "teal")
    contents = [png_of(2**31 - 1, 2**31 - 1), png_of(0, 0)]
    for kind in KINDS:
        file = BytesIO()
        image.save(file, kind)
        contents.append(file.getvalue())
    exif = Image.Exif()
    exif[0x0112] = 6
    file = BytesIO()
    image.save(file, "JPEG", exif=exif)
    contents.append(file.getvalue())
    return st.sampled_from(contents).flatmap(
        lambda content: mutated_bytes(content[:400]).map(lambda head: head + content[400:])
    )


@amounts(60, 4000)
def test_a_changed_header_gives_a_finding(tmp_path: Path, examples: int) -> None:
    file = tmp_path / "photo.jpg"

    def check(content: bytes) -> None:
        file.write_bytes(content)
        with guarded(tmp_path / "nowhere"):
            finding = image_check.header(str(file))
            formats_of([str(file)])
        assert finding.reason is None or (0 < len(finding.reason) < 300)
        assert finding.reason is not None or finding.pixels > 0

    with bounded_memory():
        try_all(_headers(), examples, check)


_TABLES = (
    b"file,label\ncats/0.jpg,cat\ndogs/0.jpg,dog\n",
    b"cats/0.jpg;cat\ndogs/0.jpg;dog\n",
    b"id\tbreed\n0\tcat\n1\tdog\n",
    b'"image_path","x","class"\r\n"cats/0.jpg",1,"a ""cat"""\r\n"dogs/0.jpg",2,dog\r\n',
    "file,label\ncats/0.jpg,猫\ndogs/0.jpg,犬\n".encode("utf-16"),
    "\ufefffile,label\ncats/0.jpg,cat\n".encode(),
    b"../canary.jpg,cat\ndogs/0.jpg,dog\n",
    b"/etc/passwd,cat\n~/x.jpg,dog\n",
)


@amounts(60, 4000)
def test_a_changed_file_of_labels_gives_a_list_of_this_folder_or_a_sentence(
    tmp_path: Path, examples: int
) -> None:
    folder = tmp_path / "photos"
    for name in ("cats/0.jpg", "dogs/0.jpg", "dogs/1.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(jpeg(4, 4))
    (tmp_path / "canary.jpg").write_bytes(jpeg(4, 4))
    labels = tmp_path / "labels.csv"

    def check(content: bytes) -> None:
        labels.write_bytes(content)
        with guarded(tmp_path / "nowhere"), suppress(RequestError):
            index = index_labelled(folder, str(labels))
            assert {*index.files} <= {"cats/0.jpg", "dogs/0.jpg", "dogs/1.jpg"}
            assert all(0 <= label < len(index.class_names) for label in index.labels)

    with bounded_memory():
        try_all(st.sampled_from(_TABLES).flatmap(mutated_bytes), examples, check)


_NAMES = st.text(st.characters(blacklist_characters="/\0", max_codepoint=0x2FFFF), min_size=1)


@amounts(15, 1000)
def test_a_folder_with_any_names_is_listed_or_refused(tmp_path: Path, examples: int) -> None:
    count = iter(range(10**9))

    def check(names: list[str]) -> None:
        folder = tmp_path / str(next(count))
        for name in names:
            with suppress(OSError, UnicodeEncodeError):  # no name of a file
                (folder / "a" / f"{name}.jpg").parent.mkdir(parents=True, exist_ok=True)
                (folder / "a" / f"{name}.jpg").write_bytes(b"\xff\xd8\xff")
                (folder / name).mkdir(exist_ok=True)
        with guarded(tmp_path / "nowhere"), suppress(RequestError):
            assert all(Path(path).is_file() for path in index_folder(folder).paths)

    try_all(st.lists(_NAMES, max_size=4), examples, check)


@pytest.mark.tensorflow
@pytest.mark.faults
def test_changed_record_files_give_images_or_a_sentence(tmp_path: Path) -> None:
    """Nothing is written outside the store, whatever a label is called."""
    from feedbench.bench.records.messages import Failed
    from tests.support.images.record_files import example, extract, write

    labels: tuple[str | int, ...] = (
        "cat",
        "../../canary",
        "/canary",
        ".",
        "..",
        "",
        "a/b",
        "\udce9",
        7,
        -1,
        2**62,
    )
    records = [
        example(image=content, label=label)
        for content, label in zip([jpeg(4, 4), png(4, 4)] * 6, labels, strict=False)
        if label != "\udce9"
    ]
    plain = write(tmp_path / "plain", records[:3]).read_bytes()
    packed = write(tmp_path / "packed", records[:2], "GZIP").read_bytes()
    number = iter(range(10**9))

    def check(content: bytes) -> None:
        file = tmp_path / f"{next(number)}.tfrecord"
        file.write_bytes(content)
        (tmp_path / "store").mkdir(exist_ok=True)
        with guarded(tmp_path / "store", canary=""), suppress(FeedbenchError):
            found = extract(tmp_path / "store", file)
            assert not isinstance(found, Failed) or "Traceback" not in found.sentence
        file.unlink()

    whole = [write(tmp_path / f"{at}", [record]).read_bytes() for at, record in enumerate(records)]
    changed = st.sampled_from([plain, packed]).flatmap(mutated_bytes)
    try_all(st.one_of(st.sampled_from(whole), changed), 200, check)
