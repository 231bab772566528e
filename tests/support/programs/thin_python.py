"""The Python of an environment that has a few packages of this one, and no others."""

from __future__ import annotations

import venv
from importlib.metadata import distribution
from pathlib import Path

CORE = ("msgspec", "numpy", "pillow", "psutil", "scipy")


def thin_python(folder: Path, *projects: str) -> Path:
    """Make an environment without pip and with these packages; return its interpreter."""
    venv.create(folder, symlinks=True)
    packages = folder / "packages"
    packages.mkdir()
    for project in projects:
        installed = distribution(project)
        tops = {file.parts[0] for file in installed.files or []} - {"..", "__pycache__"}
        for top in sorted(tops):
            (packages / top).symlink_to(Path(str(installed.locate_file(top))).resolve())
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "packages.pth").write_text(f"{packages}\n")
    return folder / "bin" / "python"
