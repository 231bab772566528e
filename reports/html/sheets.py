"""The contact sheets of a run, for its page: small pictures, and the names below them."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from pathlib import Path

from feedbench.bench.records.proof import REFERENCE_SHEET, Shown
from feedbench.bench.records.run import RunRecord
from feedbench.pipelines.system.regular_files import read_regular

FOLDER = "samples"  # in a run's folder
_SLUG = re.compile(r"[a-z0-9-]{1,100}")  # a made-up run may name files elsewhere
_MOST_BYTES = 200_000  # of a strip, which takes 10 to 20 kB


@dataclass(frozen=True)
class Sheet:
    """A strip of small pictures."""

    label: str | None  # None: the reference
    work: str  # the one word
    source: str  # a data URL
    captions: tuple[tuple[str, bool], ...]  # and whether it is not what it should be
    full: str | None  # the file of the sheet in full, where there is one
    alt: str


def read(folder: Path, run: RunRecord) -> list[Sheet]:
    """Return all existing strips, the reference's first."""
    samples = folder / FOLDER
    slugs = {it.label: it.slug for it in run.pipelines if _SLUG.fullmatch(it.slug)}
    proven = [(row.label, row.proof) for row in run.rows if row.proof and row.proof.sheet]
    sheets = []
    for label, proof in proven:
        slug = slugs.get(label)
        source = None if slug is None else _picture(samples / f"{slug}.webp")
        full = f"{FOLDER}/{slug}_full.webp"
        if source is not None:
            captions = tuple(map(caption, proof.sheet))
            names = ", ".join(text for text, _ in captions)
            alt = f"Above, {names} as {label} delivers them. Below, how they differ."
            there = full if (folder / full).is_file() else None
            sheets.append(Sheet(label, proof.work, source, captions, there, alt))
    reference = _picture(samples / REFERENCE_SHEET)
    if reference is not None and sheets:
        captions = tuple((image.class_name, False) for image in proven[0][1].sheet)
        alt = f"{', '.join(text for text, _ in captions)} as they should be delivered."
        sheets.insert(0, Sheet(None, "", reference, captions, None, alt))
    return sheets


def caption(image: Shown) -> tuple[str, bool]:
    """Return the caption below a picture, and whether the picture is wrong."""
    if image.delivered_as is None:
        return f"{image.class_name}: not delivered", True
    if image.delivered_as != image.class_name:
        return f"{image.delivered_as}, not {image.class_name}", True
    return image.class_name, False


def _picture(file: Path) -> str | None:
    """Return a WebP file as a data URL; None if it is missing or not WebP."""
    try:
        if not file.is_file() or file.stat().st_size > _MOST_BYTES:
            return None
        content = read_regular(file)
    except OSError:
        return None
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        return None
    return f"data:image/webp;base64,{base64.b64encode(content).decode()}"
