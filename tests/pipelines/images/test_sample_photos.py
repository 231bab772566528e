import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.sample_photos import write_photos


def photos(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.jpg"))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(photo.relative_to(folder)): photo.read_bytes() for photo in photos(folder)}


@pytest.fixture(scope="module")
def twenty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples") / "twenty"
    write_photos(folder, 20)
    return folder


def test_the_same_seed_gives_the_same_bytes_whatever_the_number_of_processes(
    tmp_path: Path,
) -> None:
    write_photos(tmp_path / "alone", 7, seed=3, processes=1)
    write_photos(tmp_path / "together", 7, seed=3, processes=3)
    assert contents(tmp_path / "alone") == contents(tmp_path / "together")


def test_a_photo_does_not_depend_on_how_many_others_are_made(twenty: Path, tmp_path: Path) -> None:
    write_photos(tmp_path / "few", 6)
    assert contents(tmp_path / "few").items() <= contents(twenty).items()


def test_no_two_photos_are_alike_whether_of_one_seed_or_of_two(
    twenty: Path, tmp_path: Path
) -> None:
    write_photos(tmp_path / "other", 5, seed=1)
    everything = [*contents(twenty).values(), *contents(tmp_path / "other").values()]
    assert len(set(everything)) == 25


def test_the_photos_are_spread_evenly_over_five_classes(twenty: Path, tmp_path: Path) -> None:
    names = [f"{number:04d}.jpg" for number in range(4)]
    classes = ["beach", "city", "forest", "meadow", "mountain"]
    assert sorted(contents(twenty)) == [f"{c}/{name}" for c in classes for name in names]
    write_photos(tmp_path / "uneven", 7)
    sizes = Counter(photo.parent.name for photo in photos(tmp_path / "uneven"))
    assert [sizes[c] for c in classes] == [2, 2, 1, 1, 1]


def test_the_photos_are_rgb_jpegs_of_200_to_640_pixels_in_both_orientations(twenty: Path) -> None:
    orientations = set()
    for path in photos(twenty):
        with Image.open(path) as photo:
            assert (photo.format, photo.mode) == ("JPEG", "RGB")
            assert 200 <= min(photo.size) < max(photo.size) <= 640
            orientations.add("landscape" if photo.width > photo.height else "portrait")
    assert orientations == {"landscape", "portrait"}


def test_a_pixel_takes_about_as_many_bytes_as_in_real_photos_and_far_fewer_than_in_noise(
    twenty: Path,
) -> None:
    pixels = 0
    for path in photos(twenty):
        with Image.open(path) as photo:
            pixels += photo.width * photo.height
    assert 0.4 < sum(map(len, contents(twenty).values())) / pixels < 0.85


def test_progress_is_told_after_each_photo(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    write_photos(tmp_path / "p", 6, on_photo=lambda done, total: calls.append((done, total)))
    assert calls == [(done, 6) for done in range(1, 7)]


def test_an_empty_folder_is_filled_and_missing_parents_are_made(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "some" / "where" / "new"):
        write_photos(folder, 5)
        assert len(photos(folder)) == 5
        assert [entry.name for entry in folder.parent.glob(".*")] == []


def test_a_folder_with_something_in_it_is_refused_and_left_untouched(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(
        RequestError, match=r"mine: expected .* found a folder with files in it\nhint: "
    ):
        write_photos(tmp_path / "mine", 5)
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", "letter.txt"]
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"


def test_a_file_in_the_place_of_the_folder_is_refused_and_left_untouched(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("dear")
    with pytest.raises(RequestError, match="found a file\nhint: "):
        write_photos(tmp_path / "mine", 5)
    assert (tmp_path / "mine").read_text() == "dear"


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda folder: write_photos(folder, 4), "photo count: expected 5 or more, .* found 4$"),
        (lambda folder: write_photos(folder, 5, seed=-1), "seed: expected 0 or more; found -1$"),
        (
            lambda folder: write_photos(folder, 5, processes=0),
            "processes: expected 1 or more; found 0$",
        ),
    ],
)
def test_too_small_a_number_is_refused_in_one_sentence_before_anything_is_made(
    call: Callable[[Path], None], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(RequestError, match=sentence):
        call(tmp_path / "photos")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stop", [KeyboardInterrupt, ZeroDivisionError])
def test_an_exception_half_way_leaves_nothing_behind(
    stop: type[BaseException], tmp_path: Path
) -> None:
    def stop_at_third(done: int, total: int) -> None:
        assert total == 20
        if done == 3:
            raise stop

    with pytest.raises(stop):
        write_photos(tmp_path / "photos", 20, on_photo=stop_at_third)
    assert list(tmp_path.iterdir()) == []


ENDLESS = """
import os, sys
from pathlib import Path
from feedbench.pipelines.images.sample_photos import write_photos

def tell(done, total):
    if done == 3:
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
        print(children, flush=True)

write_photos(Path(sys.argv[1]), 2_000, processes=2, on_photo=tell)
"""


def start_endless(folder: Path) -> tuple[subprocess.Popen[str], list[int]]:
    """Start a process that makes more photos than it will have time for; with its workers."""
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(folder)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a process group of its own, for Ctrl-C goes to the whole group
    )
    assert process.stdout is not None
    workers = [int(pid) for pid in process.stdout.readline().split()]
    assert len(workers) == 2
    return process, workers


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_ctrl_c_ends_it_with_one_keyboard_interrupt_and_leaves_nothing_behind(
    tmp_path: Path,
) -> None:
    process, workers = start_endless(tmp_path / "photos")
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    assert errors.count("Traceback") == errors.count("KeyboardInterrupt") == 1
    assert not any(map(is_running, workers))
    assert list(tmp_path.iterdir()) == []


def test_the_workers_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    process, workers = start_endless(tmp_path / "photos")
    process.kill()
    process.communicate(timeout=60)
    deadline = time.monotonic() + 60
    while any(map(is_running, workers)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(map(is_running, workers))
    assert not (tmp_path / "photos").exists()


def test_photos_of_one_size_have_that_size_and_detail_down_to_the_pixel(tmp_path: Path) -> None:
    write_photos(tmp_path / "large", 5, size=(300, 200))
    for photo in photos(tmp_path / "large"):
        with Image.open(photo) as image:
            assert image.size == (300, 200)
        assert (
            0.2 < photo.stat().st_size / (300 * 200) < 1.5
        )  # bytes a pixel: neither flat nor noise


@pytest.mark.parametrize("size", [(31, 100), (100, 8193)])
def test_a_size_that_no_camera_has_is_refused(size: tuple[int, int], tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="expected 32 to 8192 pixels a side"):
        write_photos(tmp_path / "photos", 5, size=size)
    assert not list(tmp_path.iterdir())
