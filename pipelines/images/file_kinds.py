"""What a file or a folder is by its name: an image, or what a system or a program put there."""

from __future__ import annotations

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".jpe", ".jfif", ".mpo")
"""The suffixes of images that every pipeline can decode."""

FOREIGN_SUFFIXES = (".tif", ".tiff", ".ico", ".jp2", ".jxl", ".svg", ".avif", ".heic", ".heif")
"""The suffixes of images that not every pipeline decodes: such files are bad."""

_CANDIDATES = SUFFIXES + FOREIGN_SUFFIXES

RAW_SUFFIXES = (
    *(".3fr", ".arw", ".cr2", ".cr3", ".dng", ".erf", ".kdc", ".mrw", ".nef", ".nrw", ".orf"),
    *(".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srw", ".x3f"),
)
"""The suffixes of cameras' raw files, which no pipeline decodes."""

SYSTEM_FOLDERS = {
    "__macosx": "metadata of macOS",
    ".ipynb_checkpoints": "copies that Jupyter makes",
    ".git": "a Git repository",
    ".dvc": "data of DVC",
    ".trashes": "deleted files of macOS",
    "__pycache__": "compiled Python",
    "@eadir": "thumbnails of a Synology disk",
    "$recycle.bin": "deleted files of Windows",
    "system volume information": "metadata of Windows",
    "lost+found": "what a disk check rescued",
}
"""The names of folders that are no classes, in lower case, and what is in them."""

SYSTEM_FILES = {
    "thumbs.db": "thumbnails of Windows",
    "ehthumbs.db": "thumbnails of Windows",
    "desktop.ini": "settings of Windows",
    ".ds_store": "settings of macOS",
}
"""The names of files that a system made, in lower case, and what is in them."""

APPLE_DOUBLE_PREFIX = "._"
"""How the name of a file of metadata begins that macOS writes next to an image (RFC 1740)."""


def is_candidate(name: str) -> bool:
    """Whether a file's name has an image's suffix."""
    return name.lower().endswith(_CANDIDATES)


def is_hidden(name: str) -> bool:
    """Whether a folder of this name is no class: it is hidden, or a system made it."""
    return name.startswith(".") or name.lower() in SYSTEM_FOLDERS


def kind(name: str) -> str | None:
    """Return what to count a file under that is not usual: a suffix, or a system's name."""
    lower = name.lower()
    if lower in SYSTEM_FILES:
        return name
    for suffix in FOREIGN_SUFFIXES + RAW_SUFFIXES:
        if lower.endswith(suffix):
            return suffix
    return None
