"""Whether this user made a run folder on this machine: a run names code that --resume runs.

A secret key in the user's state folder signs resume.json. Nobody who cannot read it can make a
folder, or change the code that one names, so that it seems to be made here. The file's owner would
not do: who unpacks an archive owns its files.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

import platformdirs

from feedbench.bench.options.run_options import RunOptions, user_cache
from feedbench.pipelines.catalog import parse_all
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import image_id
from feedbench.pipelines.system.regular_files import open_regular

_BYTES = 32
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def signature(content: Mapping[str, object]) -> str:
    """Return the signature of what resume.json holds; "" if this user cannot keep a key."""
    key = _key()
    text = json.dumps(content, sort_keys=True).encode("ascii")
    return "" if key is None else hmac.new(key, text, hashlib.sha256).hexdigest()


def is_signed(content: Mapping[str, object], signed: object) -> bool:
    """Return whether this user signed this content on this machine."""
    expected = signature(content)
    is_text = isinstance(signed, str) and signed.isascii()
    return bool(expected) and is_text and hmac.compare_digest(expected, str(signed))


def refuse_untrusted(folder: Path, options: RunOptions, python: str) -> None:
    """Raise RequestError if a run that was not made here names code of a user.

    `python` is the other environment's interpreter; "": there is none.
    """
    code = [image_id(name) for name in _code(options, python)]
    if code:
        raise RequestError(
            f"cannot resume {folder}: it was not made by you on this machine, and it runs code:"
            f" {', '.join(code)}",
            hint="read that code first; --trust then runs it",
        )


def with_usual_folders(options: RunOptions) -> RunOptions:
    """Return the options of a run that was not made here, with this user's own caches.

    A run folder names where prepared files, proofs and findings are kept, and a run writes there.
    """
    return dataclasses.replace(
        options,
        prepared=user_cache("prepared"),
        proofs=user_cache("proofs"),
        findings=user_cache("checked"),
    )


def refuse_links(folder: Path) -> None:
    """Raise RequestError if a run folder holds a link or a pipe, which is not written through."""
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            entry = Path(place, name)
            mode = entry.lstat().st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                kind = "a link" if stat.S_ISLNK(mode) else "neither a file nor a folder"
                raise RequestError(
                    f"cannot resume {folder}: {image_id(str(entry.relative_to(folder)))} in it is"
                    f" {kind}; Feedbench makes only files and folders there",
                    hint="remove it, or start a new run",
                )


def _code(options: RunOptions, python: str) -> Iterator[str]:
    """Yield the user's code that a run names; the code of installed packages is trusted."""
    for spec in parse_all(options.specs):
        if spec.is_file or spec.is_module or spec.python:
            yield spec.text
    if options.model is not None and Path(options.model.partition(":")[0]).suffix:
        yield f"--model {options.model}"
    if python:
        yield f"--against {python}"


def _key() -> bytes | None:
    """Return the user's key, made at the first call; None if it cannot be kept secret."""
    file = platformdirs.user_state_path("feedbench") / "key"
    with contextlib.suppress(OSError):
        if not os.path.lexists(file):
            _make(file)
        with os.fdopen(open_regular(file), "rb") as opened:
            status = os.fstat(opened.fileno())
            key = opened.read(_BYTES + 1)
        is_secret = status.st_uid == os.geteuid() and not status.st_mode & _OTHERS
        return key if is_secret and len(key) == _BYTES else None
    return None


def _make(file: Path) -> None:
    """Make the key, whole and readable by this user alone. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=stat.S_IRWXU)
    new = file.with_name(f".key.{secrets.token_hex(4)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(secrets.token_bytes(_BYTES))
        with contextlib.suppress(FileExistsError):  # another process was first
            file.hardlink_to(new)
    finally:
        new.unlink()
