"""The command `feedbench prepare`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from feedbench.bench.cli import options
from feedbench.bench.cli.support import interruptible, print_json
from feedbench.bench.options.commands.prepare_options import (
    PrepareOptions,
    options_of_preparation,
    words_of_images,
)
from feedbench.bench.options.option import Given
from feedbench.bench.options.run_options import RunOptions
from feedbench.pipelines.errors import FeedbenchError
from feedbench.pipelines.remote.address import place

if TYPE_CHECKING:
    from feedbench.bench.run.record_set import Written


@options.takes(options_of_preparation())
def prepare(
    *,
    folder: options.PreparedFolder,
    arguments: options.BeamOptions = None,
    given: Given,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
    debug: options.Debug = False,  # noqa: ARG001 - main() reads it, which sees every error
) -> None:
    """Write TFRecord files that you keep and train from.

    \b
    Examples:
      feedbench prepare ~/photos --out records
      feedbench prepare ~/photos --out small --store resized --image-size 224
      feedbench prepare ~/photos --out pixels --store raw --shards 64
      feedbench prepare s3://bucket/photos --out records
      feedbench prepare ~/photos --out records --runner beam
      feedbench prepare ~/photos --out r --runner beam -- --runner=FlinkRunner

    The records are those of the pipeline tfrecord_sharded. The runner does not change a byte. A
    command that was killed resumes: give it again. Complete record files are kept if their
    checksums are right.

    \b
    DIR gets:
      images-00000-of-00016.tfrecord  and so on: the records
      manifest.json                   counts, classes, a SHA-256 of each file

    manifest.json is written last: a folder that has it is complete. Later runs over these images
    find the files as prepared ones. Beam runs on this machine unless its own options, after --,
    name another runner. Its workers must see the images and DIR at the same paths.

    \b
    Exit codes:
      0    all record files are written
      1    a record file could not be written
      2    the request or the input is wrong
      130  interrupted; complete record files are kept
    """
    from feedbench.bench.processes.progress import listener

    beam = list(arguments or [])
    asked = PrepareOptions.of(given, beam)
    progress, shown = listener(quiet=quiet)
    resuming = "run the command again to resume: complete record files are kept"
    interrupted = "interrupted before all record files were written"
    with interruptible(interrupted, Path(), resuming), shown:
        from feedbench.bench.prepared.store import Store
        from feedbench.bench.run.record_set import offer, write_records

        of_images = {name: value for name, value in given.items() if name != "out"}
        images = place(str(folder))
        of_run = RunOptions.of(of_images, images)
        written = write_records(asked, beam, of_run, progress)
        assert asked.out is not None
        try:
            offer(written, asked.out, Store(of_run.prepared), progress)
        except (FeedbenchError, OSError) as error:
            progress.note(f"Later runs write their own record files: {error}")
    if as_json:
        print_json(written.records)
    else:
        words = ["feedbench", "run", str(images), "--limit", "all", *words_of_images(given)]
        _show(written, asked.out, shlex.join(words))


def _show(written: Written, out: Path, command: str) -> None:
    from feedbench.bench.text import counted, digits, size

    records = written.records
    kept = f"; {counted(written.kept, 'file')} existed already" if written.kept else ""
    each = digits(1000 * records.seconds / records.images)
    print(
        f"{counted(records.images, 'image')} in {counted(len(records.shards), 'record file')},"
        f" {size(records.bytes)}, in {out}\n"
        f"written in {records.seconds:.1f} s ({each} ms an image){kept}\n"
        f"to measure them: {command} -p {records.spec}"
    )
