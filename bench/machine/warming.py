"""Files read before timing, so that every pipeline finds them in the page cache."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.remote.address import is_address
from feedbench.pipelines.system.regular_files import open_regular

_CHUNK = 1 << 20


def warm(files: Sequence[str], on_file: Callable[[int], None] = lambda _: None) -> int:
    """Read every file once and return the total bytes. Files in a store are left out.

    Raises RequestError at the first file that cannot be read, before any timing starts.
    """
    total = 0
    buffer = bytearray(_CHUNK)
    if files and is_address(files[0]):
        return 0
    for count, file in enumerate(files, 1):
        try:
            with os.fdopen(open_regular(file), "rb", buffering=0) as opened:
                while got := opened.readinto(buffer):
                    total += got
        except OSError as error:
            raise RequestError(
                f"cannot read the photo {file!r}: {error.strerror}",
                hint="remove it, or make it readable",
            ) from error
        on_file(count)
    return total
