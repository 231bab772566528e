"""Photos that the tests make for themselves, and the real ones where somebody has put them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

from feedbench.bench.processes.client import Processes
from feedbench.bench.processes.workload_file import write_workload
from tests.support.builders import workload_over
from tests.support.turns import Turns

if TYPE_CHECKING:
    from tests.support.programs.command import Feedbench
    from tests.support.programs.smoke import Smoke

# A busy machine is no fault of a property: how long an example takes is not asserted.
settings.register_profile("feedbench", deadline=None)
settings.load_profile("feedbench")

_TURNS = pytest.StashKey[Turns]()


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell without job control starts commands in the background so. Tests send SIGINT.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(config, "workerinput"):  # one of several processes: pytest -n 2
        config.stash[_TURNS] = Turns(Path(config.getoption("basetemp")).parent)


def pytest_unconfigure(config: pytest.Config) -> None:
    if _TURNS in config.stash:
        config.stash[_TURNS].close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put first what needs the machine alone."""
    items.sort(key=lambda item: not is_alone(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, object, object]:
    """Have a test wait for its turn, where tests run in several processes."""
    turns = item.config.stash.get(_TURNS, None)
    if turns is None:
        return (yield)
    turns.begin(alone=is_alone(item))
    try:
        return (yield)
    finally:
        turns.end(keep=is_alone(item) and nextitem is not None and is_alone(nextitem))


def is_alone(item: pytest.Item) -> bool:
    return item.get_closest_marker("alone") is not None


@pytest.fixture(scope="session", autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Folders that all processes of the tests share: the user's own stay as they are.

    matplotlib would list the fonts of the machine for each test that has a cache of its own.
    """
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_STATE_HOME", str(folder / "state"))
        patched.setenv("MPLCONFIGDIR", str(folder / "matplotlib"))
        yield


@pytest.fixture(autouse=True)
def unseeded() -> Iterator[None]:
    """Take back a seed of TensorFlow, which changes what the next test shuffles."""
    yield
    if "tensorflow" in sys.modules:
        sys.modules["tensorflow"].random.set_seed(None)


CLASSES = ("cats", "dogs", "owls")
PHOTOS_PER_CLASS = 13  # so that 39 photos in batches of 8 leave a short last one


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 39 small JPEGs in 3 classes, each of another colour, and a note beside them."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for name in CLASSES:
        (folder / name).mkdir()
        for number in range(PHOTOS_PER_CLASS):
            small = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
            image = Image.fromarray(small).resize((60, 48), Image.Resampling.BICUBIC)
            image.save(folder / name / f"{number:02d}.jpg", quality=90)
    (folder / "LICENSE.txt").write_text("no photo")
    return folder


@pytest.fixture(scope="session")
def flowers() -> Path:
    """600 real photos. Skips where they are not there."""
    return given("flowers")


@pytest.fixture(scope="session")
def mnist() -> Path:
    """600 handwritten digits. Skips where they are not there."""
    return given("mnist")


@pytest.fixture(scope="session")
def odd() -> Path:
    """88 real odd files, in one folder. Skips where they are not there."""
    return given("odd")


def given(name: str) -> Path:
    data = os.environ.get("FEEDBENCH_TEST_DATA")
    folder = (Path(data) if data else Path(__file__).parents[2] / "shared" / "data") / name
    if not folder.is_dir():
        pytest.skip(f"there is no {folder}: set FEEDBENCH_TEST_DATA to the folder around it")
    return folder


@pytest.fixture(scope="session")
def smoke(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Smoke:
    """A real run with traces, made once in all processes of pytest -n 2."""
    from tests.support.programs.smoke import made_once

    folder = tmp_path_factory.getbasetemp()
    return made_once(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder, photos)


@pytest.fixture(scope="session")
def profile_server(smoke: Smoke) -> Iterator[str]:
    """The address of `feedbench tensorboard R`, which Ctrl-C must end without a trace."""
    import psutil

    from tests.support.waiting import gone

    with smoke.feedbench.start("tensorboard", "R", "--port", "0") as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said.startswith("The traces are at http://127.0.0.1:"), process.communicate()
        yield said.split()[4].partition("/#")[0]
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert gone(child.pid for child in children)


@pytest.fixture(scope="session")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """A forkserver that has TensorFlow imported."""
    scratch = tmp_path_factory.mktemp("scratch")
    with Processes(scratch, scratch / "forkserver.log") as running:
        running.ready()
        yield running


@pytest.fixture
def pids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file into which loaders write the processes that are theirs. Set before a forkserver."""
    file = tmp_path / "pids"
    monkeypatch.setenv("PIDS", str(file))
    return file


@pytest.fixture
def workload_file(photos: Path, tmp_path: Path) -> Path:
    """The workload of the tests' own photos: 39 images to 32x32 in batches of 8."""
    file = tmp_path / "workload.json"
    write_workload(workload_over(photos), file)
    return file


@pytest.fixture
def feedbench(tmp_path: Path) -> Feedbench:
    """The command, in a folder of its own."""
    from tests.support.programs.command import Feedbench

    return Feedbench(tmp_path)
