"""What is in a folder, as text for a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from feedbench.bench.text import counted, size
from feedbench.pipelines.images.index import shown
from feedbench.reports.terminal.layout import put, set_width

if TYPE_CHECKING:
    from rich.console import Console

    from feedbench.bench.records.checks.inspection import Bin, Inspection, Labelled
    from feedbench.bench.records.run import LeftOut

_BAR = 40  # columns of the longest bar
_MOST_LISTED = 40  # classes, groups of duplicates
_UPRIGHT = "1"
_EXAMPLES = 3  # images of a reason
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
    yield from _duplicates(inspection)
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
    yield from _by_reason(inspection.ignored_images)
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
    yield from _by_reason(inspection.bad)


def _by_reason(images: Sequence[LeftOut]) -> Iterator[str]:
    """Yield the images of each reason, the most frequent first; of many, the number and three.

    Reasons that differ only in their figures are one.
    """
    groups: dict[str, list[LeftOut]] = {}
    for image in images:
        groups.setdefault(re.sub(r"\d[\d,.]*", "N", image.reason), []).append(image)
    is_cut = False
    for reason, group in sorted(groups.items(), key=lambda each: -len(each[1])):
        if len(group) <= _EXAMPLES:
            yield from (f"  {shown(image.file)}: {image.reason}" for image in group)
            continue
        is_same = len({image.reason for image in group}) == 1
        yield f"  {counted(len(group), 'image')}: {group[0].reason if is_same else reason}"
        for image in group[:_EXAMPLES]:
            yield f"    {shown(image.file)}" + ("" if is_same else f": {image.reason}")
        is_cut = True
    if is_cut:
        yield "  --format json lists all of them."


def _orientations(inspection: Inspection) -> Iterator[str]:
    turned = {name: n for name, n in inspection.orientations.items() if name != _UPRIGHT}
    if not turned:
        return
    kinds = ", ".join(f"orientation {name}: {count:,}" for name, count in sorted(turned.items()))
    yield (
        f"Images with an EXIF rotation: {sum(turned.values()):,} ({kinds}). TensorFlow and Keras"
        " ignore it and deliver the images as stored."
    )


def _duplicates(inspection: Inspection) -> Iterator[str]:
    """Yield the duplicates: those that make a result wrong first, then the harmless ones."""
    if groups := inspection.part_duplicates:
        yield (
            f"Duplicates across parts: {counted(len(groups), 'image')}. What a model is trained on"
            " must not be in its validation or test:"
        )
        yield from _groups(groups)
    if labelled := inspection.class_duplicates:
        yield (
            f"Duplicates across classes: {counted(len(labelled), 'image')}. Their labels differ, so"
            " some are probably wrong:"
        )
        yield from _groups([[_with_class(each) for each in group] for group in labelled])
    across = {frozenset(each.file for each in group) for group in inspection.class_duplicates}
    rest = [group for group in inspection.duplicates if frozenset(group) not in across]
    if rest:
        extra = sum(len(group) - 1 for group in rest)
        others = "Other duplicates" if across or inspection.part_duplicates else "Duplicates"
        yield (
            f"{others}: {counted(extra, 'file')} with the same content as another file of the same"
            " class:"
        )
        yield from _groups(rest)
    if not (inspection.duplicates or inspection.part_duplicates):
        yield "No duplicates."


def _with_class(image: Labelled) -> str:
    """Return an image's name, with its class where the name does not begin with it."""
    is_inside = image.file.startswith(f"{image.class_name}/")
    return image.file if is_inside else f"{image.file} ({image.class_name})"


def _groups(groups: Sequence[Sequence[str]]) -> Iterator[str]:
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
