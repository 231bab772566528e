"""How long a large run's page takes to be rendered, and how large it is. tox -e slow."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from feedbench.reports.html import page
from tests.support.html.large import a_large_run_folder

pytestmark = pytest.mark.study


def test_a_page_of_20_pipelines_and_30_blocks(tmp_path: Path) -> None:
    folder = a_large_run_folder(tmp_path / "R")
    seconds = []
    for _ in range(5):
        begun = time.monotonic()
        written = page.write(folder)
        seconds.append(time.monotonic() - begun)
    print(
        f"\n20 pipelines, 30 blocks: {min(seconds):.2f} to {max(seconds):.2f} s,"
        f" {written.stat().st_size / 1e6:.2f} MB"
    )
