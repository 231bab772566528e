"""Writes one record file of a plan: the unit of work, whatever runs it.

A file depends on its number and the plan alone. So all runners write the same bytes.
"""

from __future__ import annotations

from concurrent.futures import CancelledError
from pathlib import Path
from typing import TYPE_CHECKING

from feedbench.bench.record_sets import plan as plans
from feedbench.bench.record_sets.manifest import Shard, digest_of
from feedbench.pipelines import catalog
from feedbench.pipelines.errors import FeedbenchError
from feedbench.pipelines.images.index import shown
from feedbench.pipelines.tfrecords.record_plan import shard_file

if TYPE_CHECKING:
    from feedbench.pipelines.built_in.tfrecord.tfrecord_base import Tfrecord

NO_ROOM_HINT = "free some space and run the command again: complete record files are kept"


def write_shard(out: str, number: int, threads: int = 1) -> None:
    """Write a record file of the plan in `out`, unless an intact one is there.

    `threads` images are made at once. Raises what goes wrong, and notes it in the plan's folder.
    """
    folder = Path(out)
    try:
        _write(folder, number, threads)
    except FeedbenchError as error:
        plans.fail(folder, plans.Failure(sentence=error.sentence, hint=error.hint))
        raise
    except CancelledError:
        raise
    except Exception as error:
        plans.fail(folder, plans.Failure(sentence=_sentence(error), hint=""))
        raise


def _write(folder: Path, number: int, threads: int) -> None:
    from feedbench.pipelines.tfrecords import tfrecord_files

    plan = plans.read(folder)
    if plan is None:
        raise FeedbenchError(
            f"there is no plan in {folder}",
            hint="every worker must see the folder of --out, and the photos, at the same path",
        )
    complete = plans.done(folder, number)
    if complete is not None and complete.is_intact(folder):
        return
    entries = plans.entries(folder, number)
    file = shard_file(folder, plan.compression, number, plan.shards)
    form = plans.form_of(folder)
    with (
        tfrecord_files.room_in(folder, plan.needed_bytes, NO_ROOM_HINT),
        pipeline_of(plan.spec).maker(form, threads) as make,
    ):
        tfrecord_files.write_file(file, plan.compression, entries, make)
    size, sha256 = digest_of(file)
    shard = Shard(file=file.name, images=len(entries), bytes=size, sha256=sha256)
    plans.set_done(folder, number, shard)


def pipeline_of(spec: str) -> Tfrecord:
    """Return a TFRecord pipeline by its SPEC."""
    pipeline: Tfrecord = catalog.load(catalog.parse(spec))  # type: ignore[assignment]
    return pipeline


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{shown(str(error.filename))}: {error.strerror}"
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}".rstrip(": ")
