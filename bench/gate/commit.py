"""The commit that a loader's folder is at."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

_SECONDS = 5.0  # for git to answer
_LENGTHS = (40, 64)  # of a commit's name, by SHA-1 or SHA-256


def commit_of(file: Path) -> str | None:
    """Return the commit that the folder of a file is at; None without git or a repository."""
    git = shutil.which("git")
    if git is None:
        return None
    try:
        done = subprocess.run(
            [git, "-C", str(file.parent), "rev-parse", "HEAD"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    name = done.stdout.decode(errors="replace").strip()
    return name if not done.returncode and len(name) in _LENGTHS else None
