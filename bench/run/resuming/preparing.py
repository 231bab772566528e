"""A run that ended before its first record: what it was asked for, so that it can start anew."""

from __future__ import annotations

import dataclasses
import os
import shlex
import time
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from feedbench.bench.options.addition import Addition
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.records.conditions.environment import Other
from feedbench.bench.records.storage import PREPARING, write_preparing
from feedbench.bench.run.resuming import basis
from feedbench.bench.run.resuming.trust import refuse_links, refuse_untrusted, with_usual_folders
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import image_id


def begin_preparing(
    folder: Path, options: RunOptions, other: Other | None, interpreters: Sequence[Other] = ()
) -> None:
    """Write what a run was asked for, and that it is being prepared."""
    basis.write(folder, options, None, other, interpreters)
    write_preparing(folder, [*options.command])


def asked_before(
    folder: Path, *, debug: bool = False, addition: Addition | None = None, trust: bool = False
) -> RunOptions:
    """Return what a run was asked for that ended while it was prepared; its time begins now.

    Raises RequestError as the resumption of a run that has measured does.
    """
    if addition is not None:
        raise RequestError(
            f"cannot add to {folder}: {PREPARING}",
            hint=f"feedbench run --resume {shlex.quote(str(folder))} starts it anew",
        )
    refuse_links(folder)
    with basis.locked(folder):  # no process is preparing it now
        before = basis.read_basis(folder / basis.NAME)
    if not (trust or before.is_made_here):
        refuse_untrusted(folder, before.options, before.against)
        before = replace(before, options=with_usual_folders(before.options))
    if os.getcwd() != before.began_in:  # noqa: PTH109 - a name may not be valid UTF-8
        raise RequestError(
            f"cannot resume {folder} in this folder: it was started in {image_id(before.began_in)}",
            hint=f"cd {shlex.quote(image_id(before.began_in))} and resume it there",
        )
    return dataclasses.replace(before.options, out=folder, begun=time.monotonic(), debug=debug)
