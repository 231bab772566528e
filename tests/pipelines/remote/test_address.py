"""Addresses: which are read, how they are shown, and that they hold no password."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.remote.address import Address, is_address, place, restored


@pytest.mark.parametrize(
    "address", ["s3://bucket/photos", "gs://bucket", "https://example.org/photos", "file:///photos"]
)
def test_an_address_is_shown_as_it_was_written(address: str) -> None:
    """A Path, which typer makes of it, joins its slashes."""
    for text in (address, str(Path(address))):
        named = place(text)
        assert isinstance(named, Address)
        assert (str(named), os.fspath(named)) == (address, address)
    assert str(restored(address)) == address


def test_folders_and_files_below_an_address_are_joined_as_paths() -> None:
    folder = Address("s3://bucket/photos")
    assert str(folder / "cats") == "s3://bucket/photos/cats"
    assert f"{folder}/cats/1.jpg" == "s3://bucket/photos/cats/1.jpg"
    assert (folder.name, folder.scheme) == ("photos", "s3")


def test_a_folder_of_this_machine_is_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s3:/photos").mkdir(parents=True)
    for text in (str(tmp_path), "photos", "C:/photos", "s3:/photos"):
        assert isinstance(place(text), Path)
    assert not is_address("a:b/c.jpg")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("ftp://example.org/photos", "ftp:// is not a scheme that Feedbench reads; expected s3://"),
        (
            "https://me:secret@example.org/photos",
            "https://...@example.org: expected an address without a user name or a password",
        ),
        (
            "https://example.org/photos?X-Amz-Signature=secret",
            "https://example.org/photos: expected the address of a folder, without a query",
        ),
    ],
)
def test_other_addresses_are_refused_without_their_secrets(text: str, sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        place(text)
    assert caught.value.sentence.startswith(sentence)
    assert "secret" not in str(caught.value)
