"""Addresses of folders that are not on this machine, such as s3://bucket/photos."""

from __future__ import annotations

import re
from pathlib import Path, PurePath, PurePosixPath

from feedbench.pipelines.errors import RequestError, did_you_mean

SCHEMES = ("s3", "gs", "https", "http", "file")
"""The schemes that a user may name. An Address may also have `memory`, for tests."""

FSSPEC = frozenset({*SCHEMES, "memory"})
"""What a pipeline reads that reads its files by `feedbench.pipelines.remote`."""

TENSORFLOW = frozenset({"gs", "file"})
"""What TensorFlow's own file systems read of these. TensorFlow 2.21 has none for s3:// or http://.
"""

_PARTS = re.compile(r"([a-z][a-z0-9+.-]+):/{1,3}(?=[^/])(.*)", re.IGNORECASE | re.DOTALL)
_WITHOUT_HOST = ("file", "memory")  # the path of such an address begins with a slash


class Address(PurePosixPath):
    """A folder in a store. It is joined and named as a path, and shown as an address.

    `Address("s3://bucket/photos") / "cat"` is `s3://bucket/photos/cat`. Nothing opens it: a
    PurePath has no such methods.
    """

    def __str__(self) -> str:
        scheme, _, rest = super().__str__().partition(":/")
        return f"{scheme}://{'/' if scheme in _WITHOUT_HOST else ''}{rest}"

    @property
    def scheme(self) -> str:
        """The scheme, such as s3."""
        return str(self).partition("://")[0]


def is_address(text: str) -> bool:
    """Whether a file's name is an address, not a path of this machine."""
    return "://" in text and scheme_of(text).isidentifier()


def scheme_of(text: str) -> str:
    """Return the scheme of an address."""
    return text.partition("://")[0]


def absolute(folder: PurePath) -> PurePath:
    """Return a folder's absolute path; an address is absolute."""
    return folder.absolute() if isinstance(folder, Path) else folder


def restored(text: str) -> PurePath:
    """Return the folder that this text was written for: an address, or a path."""
    return Address(text) if is_address(text) else Path(text)


def place(text: str) -> PurePath:
    """Return what a user names: an address, or a path of this machine.

    A Path joins the two slashes of an address into one, and is read all the same. Raises
    RequestError for an unknown scheme, a password in the address, and a query.
    """
    parts = _PARTS.fullmatch(text)
    if parts is None or Path(text).exists():
        return Path(text)
    scheme, rest = parts[1].lower(), parts[2]
    if scheme not in SCHEMES:
        raise RequestError(
            f"{scheme}:// is not a scheme that Feedbench reads; expected"
            f" {', '.join(f'{each}://' for each in SCHEMES)}, or a folder on this machine",
            hint=did_you_mean(scheme, SCHEMES) or "copy the photos to one of these first",
        )
    host = rest.partition("/")[0]
    if "@" in host and scheme not in _WITHOUT_HOST:
        raise RequestError(
            f"{scheme}://...@{host.rpartition('@')[2]}: expected an address without a user name or"
            " a password; reports and logs would show it",
            hint="leave it out: credentials come from the environment, as docs/remote.md says",
        )
    if scheme in {"http", "https"} and any(mark in rest for mark in "?#"):
        raise RequestError(
            f"{scheme}://{re.split('[?#]', rest)[0]}: expected the address of a folder, without a"
            " query; found one behind it",
            hint="leave out what follows the ? or #",
        )
    return Address(f"{scheme}:/{rest}")
