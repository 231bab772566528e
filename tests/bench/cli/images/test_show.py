"""`feedbench show` refuses what cannot be drawn, before it reads anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.programs.front_door import Call


@pytest.mark.parametrize(
    ("words", "sentence", "hint"),
    [
        ([], "expected --out FILE", "--out batch.png"),
        (["--out", "batch.gif"], "expected a name that ends in .png, .jpg", "--out batch.png"),
        (["--out", "batch"], "expected a name that ends in .png, .jpg", "--out batch.png"),
        (["--out", "there.png"], "it exists", "name another file"),
        (["--out", "no/batch.png"], "there is no folder no", "in a folder that"),
        (["--out", "new.png", "-p", "tfdata_tunde"], "tfdata_tunde", "tfdata_tuned"),
        (["--out", "new.png", "--image", "x.jpg"], "it is none of them", "--image cats/00.jpg"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_nothing_is_written(
    words: list[str], sentence: str, hint: str, call: Call, photos: Path
) -> None:
    Path("there.png").write_bytes(b"kept")
    done = call("show", photos, *words)
    assert done.code == 2
    assert sentence in done.err
    assert hint in done.err
    assert [file.name for file in Path.cwd().iterdir()] == ["there.png"]
    assert Path("there.png").read_bytes() == b"kept"


def test_a_folder_that_is_missing_is_named(call: Call) -> None:
    done = call("show", "nowhere", "--out", "new.png")
    assert done.code == 2
    assert "nowhere" in done.err
    assert list(Path.cwd().iterdir()) == []
