"""A finished run's report is being written when a signal comes, or when its reader leaves."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec.structs import replace

from feedbench.bench.records.storage import read_run, write_run
from tests.support.programs.smoke import Smoke

pytestmark = [pytest.mark.tensorflow, pytest.mark.end_to_end, pytest.mark.thorough]

TRIES, SEED = 12, 26
LIMIT_SECONDS = 240.0  # a page takes two; a busy machine is no fault
FAILED = 1  # the exit code of the run, one of whose pipelines failed


def unreported(smoke: Smoke, name: str) -> Path:
    """Copy the run's folder, without its report: it was killed before it wrote that."""
    folder = smoke.folder.with_name(name)
    shutil.copytree(smoke.folder, folder)
    (folder / "report.html").unlink()
    write_run(folder, replace(read_run(folder), status="interrupted"))
    return folder


def resumed(smoke: Smoke, folder: Path) -> subprocess.Popen[str]:
    """Resume it, up to the moment after which the report is written."""
    process = smoke.feedbench.start("run", "--resume", folder.name)
    assert process.stderr is not None
    assert process.stderr.readline().startswith("Nothing is left to measure")
    return process


def is_whole(page: Path) -> bool:
    return page.is_file() and page.read_text().rstrip().endswith("</html>")


def test_whenever_a_signal_comes_there_is_the_page_or_a_sentence_on_how_to_write_it(
    smoke: Smoke,
) -> None:
    begun = time.monotonic()
    with resumed(smoke, unreported(smoke, "uninterrupted")) as process:
        begun = time.monotonic()
        assert process.wait(LIMIT_SECONDS) == FAILED
    seconds = time.monotonic() - begun
    moments = random.Random(SEED)

    def wrong(place: int) -> str:
        """Return what is wrong after a signal at a random moment; "" if nothing is."""
        folder = unreported(smoke, f"interrupted-{place}")
        number = (signal.SIGINT, signal.SIGTERM)[place % 2]
        with resumed(smoke, folder) as process:
            time.sleep(delays[place])
            process.send_signal(number)
            out, err = process.communicate(timeout=LIMIT_SECONDS)
        has_page = is_whole(folder / "report.html")
        has_sentence = f"feedbench report {folder.name} writes the report" in err
        is_fine = (
            process.returncode in ({FAILED, 128 + number} if has_page else {128 + number})
            and has_page != has_sentence
            and "Traceback" not in err
            and "bug" not in err
        )
        return "" if is_fine else f"{delays[place]:.3f} s: {process.returncode}\n{out}\n{err}"

    delays = [moments.uniform(0.0, seconds) for _ in range(TRIES)]
    with ThreadPoolExecutor(2) as pool:
        assert not [*filter(None, pool.map(wrong, range(TRIES)))]


def test_a_reader_that_leaves_after_a_line_costs_neither_the_page_nor_the_exit_code(
    smoke: Smoke,
) -> None:
    """As `feedbench run --resume R 2>&1 | head -1` does."""
    folder = unreported(smoke, "unread")
    reading = subprocess.Popen(["head", "-1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert reading.stdin is not None
    with smoke.feedbench.start("run", "--resume", folder.name, into=reading.stdin) as process:
        reading.stdin.close()
        assert process.wait(LIMIT_SECONDS) == FAILED
    with reading:
        assert reading.stdout is not None
        said = reading.stdout.read()
    assert said.startswith(b"Nothing is left to measure")
    assert is_whole(folder / "report.html")
