"""The command `feedbench photos`."""

from __future__ import annotations

from feedbench.bench.cli import options
from feedbench.bench.cli.support import SAMPLE_PHOTOS, interruptible
from feedbench.bench.options.values import width_and_height


def photos(
    folder: options.NewFolder,
    count: options.Count = SAMPLE_PHOTOS,
    seed: options.Seed = 0,
    size: options.PhotoSize = None,
    debug: options.Debug = False,  # noqa: ARG001 - main() reads it, which sees every error
) -> None:
    """Write sample photos, in one sub-folder per class.

    \b
    Examples:
      feedbench photos /tmp/photos
      feedbench photos /tmp/photos --count 1000 --seed 1
      feedbench photos /tmp/large --count 200 --size 2272x1704
    """
    from rich.console import Console
    from rich.progress import Progress

    from feedbench.pipelines.images.sample_photos import write_photos

    # No thread of rich may run while processes are forked: the bar is drawn as photos are done.
    console = Console(stderr=True)
    every = 16 if size is None else 1  # large photos take seconds
    with Progress(
        console=console, auto_refresh=False, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task("photos", total=count)

        def on_photo(done: int, total: int) -> None:
            if done % every == 0 or done == total:
                progress.update(task, completed=done, refresh=True)

        with interruptible("interrupted before all photos were written; none were kept", folder):
            sides = None if size is None else width_and_height("--size", size)
            write_photos(folder, count, seed=seed, on_photo=on_photo, size=sides)
    print(f"{count} photos in {folder}")
