"""A small disk of its own: a file with ext4 that is mounted. Needs root and a loop device."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

MEGABYTES = 64
_TOOLS = ("mkfs.ext4", "mount", "umount", "fsfreeze", "chattr")


class Disk:
    """A disk that can be filled and frozen."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave no free byte: what others write from now on fails."""
        with contextlib.suppress(OSError), self._ballast.open("wb", buffering=0) as ballast:
            for size in (1 << 20, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while ballast.write(bytes(size)):
                        pass

    def free(self) -> None:
        self._ballast.unlink(missing_ok=True)

    def freeze(self) -> None:
        """Have everybody wait who writes, as on a network disk that does not answer."""
        subprocess.run(["fsfreeze", "--freeze", self.folder], check=False, capture_output=True)

    def thaw(self) -> None:
        subprocess.run(["fsfreeze", "--unfreeze", self.folder], check=False, capture_output=True)


def seal(folder: Path) -> None:
    """Let nobody create or remove a file in a folder, not even root."""
    if os.geteuid():
        folder.chmod(0o555)
    else:
        subprocess.run(["chattr", "+i", folder], check=True, capture_output=True)


def unseal(folder: Path) -> None:
    if os.geteuid():
        folder.chmod(0o755)
    else:
        subprocess.run(["chattr", "-i", folder], check=False, capture_output=True)


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    """Mount a new disk at `folder`. Raises OSError where that is not allowed."""
    image = folder.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(MEGABYTES << 20)
    folder.mkdir()
    disk = Disk(folder)
    try:
        _run("mkfs.ext4", "-q", "-F", "-m", "0", image)
        _run("mount", "-o", "loop", image, folder)
        (folder / "lost+found").rmdir()
        try:
            yield disk
        finally:
            disk.thaw()
            _run("umount", "--lazy", folder)
    finally:
        image.unlink()


def is_possible(folder: Path) -> bool:
    """Return whether a disk can be mounted below this folder."""
    try:
        with small_disk(folder / "probe"):
            return True
    except OSError:
        return False


def _run(*words: str | Path) -> None:
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"{words[0]}: {done.stderr.strip()}")
