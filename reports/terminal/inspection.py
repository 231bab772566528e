"""What is in a folder, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from feedbench.bench.text import counted, size
from feedbench.pipelines.images.index import shown
from feedbench.reports.terminal.layout import put, set_width

if TYPE_CHECKING:
    from rich.console import Console

    from feedbench.bench.records.inspection import Bin, Inspection

_BAR = 40  # columns of the longest bar
_MOST_LISTED = 40  # classes, groups of duplicates
_UPRIGHT = "1"
_MOST_ALIKE = 5  # files of a group of duplicates that are named
_LONGEST_NAME = 40  # characters of a class's name


def show(inspection: Inspection, console: Console) -> None:
    """Print the inspection."""
    set_width(console)
    for line in lines(inspection):
        put(console, Text(line, overflow="fold"))


def lines(inspection: Inspection) -> Iterator[str]:
    """Yield the inspection, line by line."""
    is_labelled = "" not in inspection.classes
    classes = f" in {counted(len(inspection.classes), 'class', 'classes')}" if is_labelled else ""
    images = counted(inspection.images, "image")
    yield f"{shown(inspection.folder)}: {images}{classes}, {size(inspection.bytes)}"
    yield from (f"  {note}" for note in inspection.notes)
    if is_labelled:
        yield from _bars(inspection.classes)
    for title, values in (("Formats", inspection.formats), ("Modes", inspection.modes)):
        if values:
            yield f"{title}: " + ", ".join(f"{name} {count:,}" for name, count in values.items())
    for title, bins in (("Widths", inspection.widths), ("Heights", inspection.heights)):
        if bins:
            yield f"{title} in pixels:"
            yield from _bars(_named(bins))
    yield from _orientations(inspection)
    yield from _duplicates(inspection.duplicates)
    height, width = inspection.image_size
    yield (
        f"A cache of the decoded images at {height}x{width}x{inspection.channels} float32 takes"
        f" {size(inspection.cache_bytes)}."
    )
    yield from _left_out(inspection)


def _left_out(inspection: Inspection) -> Iterator[str]:
    ignored = counted(inspection.ignored_files, "file")
    if inspection.ignored_files:
        yield f"Ignored: {ignored} outside the classes or without an image suffix."
    yield from (f"  {shown(file.file)}: {file.reason}" for file in inspection.ignored_images)
    how = {
        "decode": "every image was decoded by TensorFlow and by Pillow",
        "header": "only headers were checked",
        "none": "only names were checked",
    }[inspection.check]
    if not inspection.bad:
        yield f"No bad images; {how}."
        return
    yield (
        f"Bad images: {len(inspection.bad):,}; {how}. A run refuses them, or skips them with"
        " --bad-images skip:"
    )
    yield from (f"  {shown(file.file)}: {file.reason}" for file in inspection.bad)


def _orientations(inspection: Inspection) -> Iterator[str]:
    turned = {name: n for name, n in inspection.orientations.items() if name != _UPRIGHT}
    if not turned:
        return
    kinds = ", ".join(f"orientation {name}: {count:,}" for name, count in sorted(turned.items()))
    yield (
        f"Images with an EXIF rotation: {sum(turned.values()):,} ({kinds}). TensorFlow and Keras"
        " ignore it and deliver the images as stored."
    )


def _duplicates(groups: Sequence[Sequence[str]]) -> Iterator[str]:
    if not groups:
        yield "No duplicates."
        return
    extra = sum(len(group) - 1 for group in groups)
    yield f"Duplicates: {counted(extra, 'file')} with the content of another:"
    for group in groups[:_MOST_LISTED]:
        more = len(group) - _MOST_ALIKE
        rest = [f"{more:,} more"] if more > 0 else []
        yield "  " + " = ".join([*map(shown, group[:_MOST_ALIKE]), *rest])
    yield from _more(len(groups))


def _named(bins: Sequence[Bin]) -> dict[str, int]:
    return {
        f"{bar.least:,}" if bar.least == bar.most else f"{bar.least:,}-{bar.most:,}": bar.images
        for bar in bins
    }


def _bars(values: Mapping[str, int]) -> Iterator[str]:
    """Yield a bar for each value, as long as its share of the largest."""
    largest = max([*values.values(), 1])
    names = [shown(name) for name in list(values)[:_MOST_LISTED]]
    short = [
        name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…" for name in names
    ]
    wide = max(map(len, short), default=0)
    for name, count in zip(short, values.values(), strict=False):
        bar = "█" * -(-_BAR * count // largest)
        yield f"  {name:<{wide}} {count:>9,} {bar}".rstrip()
    yield from _more(len(values))


def _more(count: int) -> Iterator[str]:
    if count > _MOST_LISTED:
        yield f"  and {count - _MOST_LISTED:,} more (--format json lists all)"
