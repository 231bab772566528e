"""The content of files in a store, read in an event loop: the least work of Python for each."""

from __future__ import annotations

import asyncio

from feedbench.pipelines.remote.file_systems import asynchronous_file_system
from feedbench.pipelines.remote.reading import read


async def content(address: str) -> bytes:
    """Return the content of an object, as `read` does. Raises OSError."""
    fs = asynchronous_file_system(address)
    if fs is not None:
        try:
            answer: bytes = await fs._cat_file(address)  # noqa: SLF001 - fsspec documents it for this
        except Exception:  # noqa: BLE001, S110 - `read` repeats the request, or raises an OSError
            pass
        else:
            return answer
    return await asyncio.to_thread(read, address)
