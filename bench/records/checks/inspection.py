"""The schema of the results of `feedbench inspect`."""

from __future__ import annotations

import msgspec

from feedbench.bench.records.run import LeftOut

SCHEMA = 1


class Bin(msgspec.Struct, frozen=True):
    """A bar of a histogram."""

    least: int  # pixels, both included
    most: int
    images: int


class Labelled(msgspec.Struct, frozen=True, kw_only=True):
    """An image and its class."""

    file: str
    class_name: str


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """The results of `feedbench inspect`. Names are relative to the folder."""

    schema: int = SCHEMA
    folder: str
    notes: list[str]
    check: str  # header, decode or none: how thoroughly the files were checked
    images: int  # bad ones included
    ignored_files: int
    ignored_images: list[LeftOut]  # of these: images by their content
    classes: dict[str, int]  # images of each; one class "" where there are no labels
    bytes: int
    formats: dict[str, int]  # by content
    modes: dict[str, int]
    widths: list[Bin]  # of images that are not bad
    heights: list[Bin]
    orientations: dict[str, int]  # EXIF, of the images that say one
    duplicates: list[list[str]]  # files of the same content
    class_duplicates: list[list[Labelled]] = []  # of these: those of several classes
    # Images of several parts with the same content, relative to the folder around the parts.
    part_duplicates: list[list[str]] = []
    bad: list[LeftOut]
    image_size: tuple[int, int]  # height, width
    channels: int
    cache_bytes: int  # of all images that are not bad, decoded and resized, as float32
