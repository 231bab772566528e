"""TensorFlow is imported from where it is installed, whatever the current folder holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedbench.bench.processes.client import Processes


@pytest.mark.tensorflow
@pytest.mark.thorough
def test_a_forkserver_imports_nothing_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("queue", "select", "pandas", "keras"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('mine')\n")
    monkeypatch.chdir(tmp_path)
    with Processes(tmp_path, tmp_path / "log") as processes:
        assert processes.ready().tensorflow
