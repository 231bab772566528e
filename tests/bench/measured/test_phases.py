"""A trial's phases under a claimed clock: the feed says how long it took, and nobody waits."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from feedbench.bench.forkserver.tasks import perform
from feedbench.bench.measured.pilot_epoch import image_seconds
from feedbench.bench.records.messages import TURN, Event, Failed, Measured, Turned
from feedbench.bench.records.pace import Pace
from feedbench.bench.records.windows import MOST_RESTARTS, Window
from feedbench.pipelines.contract import Batch
from feedbench.pipelines.errors import WrongWorkError
from tests.support.clock import ClaimedClock
from tests.support.pipelines import loaders
from tests.support.pipelines.claimed_feeds import (
    START,
    Continuous,
    Mixing,
    Ramping,
    Restarted,
    Told,
    a_batch,
    a_request,
    continuous,
    restarted,
)


def test_opening_the_first_batch_and_the_first_epoch_are_told_apart() -> None:
    measured = Told(continuous()).run()
    assert measured.open_seconds == 1.0
    assert measured.first_batch_seconds == 0.25 + 0.5
    assert measured.first_batch_at == START + 1.0 + 0.25 + 0.5
    assert measured.first_epoch_seconds == 0.25 + 5 * 0.5
    assert measured.first_epoch_images == 36


def test_a_pilot_prepares_its_few_images_and_times_that_apart_from_opening() -> None:
    told = Told(continuous(), prepare_seconds=8.0)
    measured = told.pilot()
    assert (measured.prepare_seconds, measured.open_seconds) == (8.0, 1.0)
    assert told.phases[0] == ("open", 8.0 + 1.0)
    assert measured.first_batch_seconds == 0.25 + 0.5


def test_a_trial_of_the_blocks_reads_what_was_prepared_before() -> None:
    measured = Told(continuous(), prepare_seconds=8.0).run()
    assert (measured.prepare_seconds, measured.open_seconds) == (0.0, 1.0)


def test_a_restarted_epoch_goes_from_last_batch_to_last_batch_with_the_teardown_in_it() -> None:
    measured = Told(continuous()).run()
    turnover, rest = 0.0625 + 0.25 + 0.125, 4 * 0.125
    assert measured.epoch_seconds == [turnover + rest] * 2
    assert measured.turnover_seconds == [turnover] * 2


def test_a_teardown_of_300_ms_is_found_in_the_turnover_alone() -> None:
    usual, slow = (
        Told(continuous(images=80, teardown_seconds=seconds)).run() for seconds in (0.0, 0.3)
    )
    assert usual.turnover_seconds == [0.25 + 0.125]
    assert slow.turnover_seconds == pytest.approx([0.3 + 0.25 + 0.125])
    assert slow.first_epoch_seconds == usual.first_epoch_seconds
    assert [w.rate for w in slow.windows] == pytest.approx([w.rate for w in usual.windows])


def test_epochs_are_restarted_until_a_second_has_passed() -> None:
    assert len(Told(continuous(images=80)).run().epoch_seconds) == 1
    assert len(Told(continuous(images=8)).run().epoch_seconds) == 3


def test_what_has_a_cache_is_restarted_twice_since_the_second_epoch_may_still_fill_it() -> None:
    assert len(Told(continuous(images=80), cache="memory").run().epoch_seconds) == 2
    assert len(Told(continuous(images=8), cache="memory").run().epoch_seconds) == 3


def test_a_brief_pace_restarts_fewer_epochs_and_has_shorter_windows() -> None:
    measured = Told(continuous(images=8)).run(pace=Pace(restart_seconds=0.25, least_seconds=0.5))
    assert len(measured.epoch_seconds) == 1
    assert measured.windows[0] == Window(64, 1.0)  # of eight batches all the same
    quick = continuous(images=64, batch_seconds=1 / 64)
    assert Told(quick).run(pace=Pace(least_seconds=0.125)).windows[0] == Window(64, 0.125)


def test_epochs_are_restarted_five_times_at_most() -> None:
    short = continuous(images=8, start_seconds=0.0, teardown_seconds=0.0, batch_seconds=1 / 64)
    assert len(Told(short).run().epoch_seconds) == MOST_RESTARTS == 5


def test_continuous_windows_have_the_rate_of_the_batches_and_nothing_of_a_restart() -> None:
    measured = Told(continuous()).run()
    assert measured.continuous
    # 8 batches of 1/8 s each; every fifth is a short one of 4 images.
    assert measured.windows == [Window(images, 1.0) for images in (60, 56, 56, 60, 56)]


def test_a_known_rate_reads_to_the_last_digit() -> None:
    measured = Told(continuous(images=64)).run(steady_seconds=10.0)
    assert measured.windows == [Window(64, 1.0)] * 10


def test_a_slow_ramp_is_timed_until_it_is_steady() -> None:
    feed = Ramping(clock=ClaimedClock(START), images=8)
    rates = [window.rate for window in Told(feed).run().windows]
    assert rates == [64.0, 128.0, 256.0, 512.0, 512.0, 512.0]


def test_windows_over_restarted_epochs_have_the_turnover_in_them() -> None:
    measured = Told(restarted(images=64, teardown_seconds=0.25)).run()
    assert not measured.continuous
    # An epoch is 8 batches of 1/8 s, and the turnover adds 1/4 s of teardown and 1/4 s of start.
    assert measured.windows == [Window(64, 1.5)] * 3


@pytest.mark.parametrize("images", [3, 36, 64, 400])
def test_windows_over_restarted_epochs_are_of_whole_epochs_and_of_all_of_them(images: int) -> None:
    told = Told(restarted(images=images))
    measured = told.run()
    epochs = measured.epoch_seconds
    assert sum(window.seconds for window in measured.windows) == sum(epochs)
    assert sum(window.images for window in measured.windows) == images * len(epochs)
    assert {window.rate for window in measured.windows} == {images / epochs[0]}
    assert told.edges[0] == 1.0 + measured.first_epoch_seconds


@pytest.mark.parametrize(
    ("teardown_seconds", "windows", "has_turn"), [(0.25, 1, True), (4.0, 3, False)]
)
def test_one_window_of_restarted_epochs_is_enough_before_turns_if_epochs_are_short(
    teardown_seconds: float, windows: int, has_turn: bool, tmp_path: Path
) -> None:
    pipe = tmp_path / "turns"
    os.mkfifo(pipe)
    told = Told(restarted(images=64, teardown_seconds=teardown_seconds))
    thread = threading.Thread(target=one_turn, args=(pipe,), daemon=True)
    thread.start()
    measured = told.run(turns=os.fspath(pipe))
    turns = [event for event in told.events if isinstance(event, Turned)]
    assert len(measured.windows) == windows
    assert bool(turns) is has_turn
    assert sum(measured.epoch_seconds) >= 1.0
    if not has_turn:
        pipe.open("rb").close()
    thread.join(10)
    assert not thread.is_alive()


def one_turn(pipe: Path) -> None:
    """Give one turn to whoever reads the pipe."""
    with suppress(BrokenPipeError), pipe.open("wb", buffering=0) as commands:
        commands.write(TURN.pack(1, 0.0))
        commands.write(TURN.pack(0, 0.0))


def test_restarted_epochs_go_on_until_the_seconds_asked_for_have_been_timed() -> None:
    measured = Told(restarted(images=64, teardown_seconds=0.25)).run(steady_seconds=9.0)
    assert measured.windows == [Window(64, 1.5)] * 6
    assert measured.epoch_seconds == [1.5] * 6


def test_each_phase_and_each_edge_is_told_when_it_came() -> None:
    told = Told(continuous(images=64))
    told.run()
    first, epoch = 0.25 + 0.5, 0.25 + 8 * 0.5
    again = 1.0 + epoch + 0.0625 + 0.25 + 1.0
    assert told.phases[:4] == [
        ("open", 1.0),
        ("first batch", 1.0 + first),
        ("first epoch", 1.0 + epoch),
        ("restarted", again),
    ]
    begun = again + 0.0625 + 0.125  # the teardown of the last restarted one, and a batch
    assert told.edges == [begun, begun + 1.0, begun + 2.0, begun + 3.0]
    assert told.phases[4:] == [("continuous", begun + 3.0)]
    assert len(told.events) == 5 + 4


def test_an_epoch_of_one_batch_can_be_measured() -> None:
    measured = Told(continuous(images=3)).run()
    assert measured.first_epoch_images == 3
    assert measured.windows == [Window(24, 1.0)] * 3


def test_a_feed_whose_repeat_ends_is_refused() -> None:
    with pytest.raises(WrongWorkError, match=r"its repeat\(\) ended; expected epoch aft"):
        Told(continuous(repeats=2)).run()


def test_a_feed_whose_repeat_mixes_epochs_is_refused() -> None:
    with pytest.raises(WrongWorkError, match=r"its repeat\(\) delivered .* two epochs of 36"):
        Told(Mixing(clock=ClaimedClock(START), images=36)).run()


def test_a_feed_that_delivers_nothing_is_refused() -> None:
    with pytest.raises(WrongWorkError, match="it delivered 0 images in an epoch; expected 36"):
        Told(restarted(images=0), images=36).run()


def test_a_feed_with_too_few_images_is_refused() -> None:
    with pytest.raises(WrongWorkError, match="it delivered 32 images in an epoch; expected 36"):
        Told(restarted(images=32), images=36).run()


def test_a_feed_with_too_many_images_is_refused_before_it_ends() -> None:
    endless = restarted(images=10_000_000)
    with pytest.raises(WrongWorkError, match="40 images or more in an epoch; expected 36"):
        Told(endless, images=36).run()


@pytest.mark.parametrize("measured", [0, 32, 44])
def test_a_restarted_epoch_of_another_size_than_the_first_is_refused(measured: int) -> None:
    feed = restarted(epoch_images={3: measured})
    with pytest.raises(WrongWorkError, match="in epoch 3; expected 36, as in the first"):
        Told(feed).run()


def test_a_restarted_epoch_without_end_is_refused() -> None:
    with pytest.raises(WrongWorkError, match="images or more in epoch 2; expected 36"):
        Told(restarted(epoch_images={2: 1_000_000}, most_batches=1_000)).run()


def test_a_feed_that_runs_dry_after_some_restarts_is_refused() -> None:
    dry = dict.fromkeys(range(5, 200), 0)
    with pytest.raises(WrongWorkError, match="expected 36"):
        Told(restarted(epoch_images=dry, most_epochs=100)).run()


def test_a_feed_that_loses_images_after_some_restarts_is_refused_without_talk_of_repeat() -> None:
    with pytest.raises(WrongWorkError, match="expected 36") as caught:
        Told(restarted(epoch_images={5: 28})).run()
    assert "repeat()" not in str(caught.value)


def test_a_pilot_stops_its_seconds_after_the_first_batch() -> None:
    told = Told(restarted(images=3600))
    measured = told.pilot(pilot_seconds=1.0)
    assert measured.first_epoch_images == 3 * 8  # after 0.75, 1.25 and 1.75 seconds
    assert measured.open_seconds == 1.0
    assert measured.first_batch_seconds == 0.75
    assert (measured.epoch_seconds, measured.turnover_seconds, measured.windows) == ([], [], [])
    assert [name for name, _ in told.phases] == ["open", "first batch"]


@pytest.mark.parametrize("pilot_seconds", [1.5, 60.0])
def test_a_pilots_seconds_go_to_the_arrival_of_its_last_batch(pilot_seconds: float) -> None:
    measured = Told(restarted(images=64, teardown_seconds=4.0)).pilot(pilot_seconds=pilot_seconds)
    batches = -(-measured.first_epoch_images // 8)
    assert measured.first_epoch_seconds == 0.25 + batches * 0.5


def test_a_pilot_does_not_count_the_time_of_its_look_at_the_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    feed = restarted(images=3600)
    looks = "feedbench.bench.measured.trial.check_range"
    monkeypatch.setattr(looks, lambda images, workload: feed.clock.sleep(4.0))
    measured = Told(feed).pilot(pilot_seconds=1.0)
    assert measured.first_epoch_images == 3 * 8
    assert measured.first_epoch_seconds == 0.25 + 3 * 0.5


def test_a_pilot_that_stops_early_estimates_what_an_image_takes_in_a_whole_epoch() -> None:
    whole = Told(restarted(images=800)).pilot(pilot_seconds=1e6)
    stopped = Told(restarted(images=800)).pilot(pilot_seconds=1.0)
    assert stopped.first_epoch_images == 3 * 8
    assert stopped.image_seconds == whole.image_seconds == (0.25 + 100 * 0.5) / 800


def test_a_pilot_does_not_count_the_start_of_worker_processes_as_its_images() -> None:
    class Starting(Restarted):
        def __iter__(self) -> Iterator[Batch]:
            if not self.begun:
                workers.append(subprocess.Popen(["sleep", "60"]))
                self.clock.sleep(100.0)
            return super().__iter__()

    workers: list[subprocess.Popen[bytes]] = []
    try:
        measured = Told(Starting(clock=ClaimedClock(START), images=32)).pilot(pilot_seconds=60.0)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    assert measured.first_batch_seconds == 100.0 + 0.25 + 0.5
    assert measured.epoch_seconds == [0.25 + 4 * 0.125]
    assert measured.image_seconds == measured.epoch_seconds[0] / 32


def test_a_pilot_reads_a_first_epoch_only_where_no_process_was_started() -> None:
    feed = restarted(images=32)
    assert Told(feed).pilot(pilot_seconds=60.0).epoch_seconds == []
    assert feed.begun == 1


def test_what_comes_before_the_first_batch_such_as_a_buffer_is_spread_over_the_epoch() -> None:
    seconds = image_seconds(first_seconds=60.0, first_images=32, seconds=62.0, images=432, of=6000)
    assert seconds == pytest.approx((60.0 + (6000 - 32) * 2.0 / 400) / 6000)
    assert image_seconds(
        first_seconds=60.0, first_images=32, seconds=62.0, images=432, of=432
    ) == pytest.approx(62.0 / 432)


@pytest.mark.parametrize("feed", [restarted(), continuous()])
def test_a_pilot_tells_whether_the_feed_can_go_on_without_a_restart(feed: Restarted) -> None:
    assert Told(feed).pilot().continuous == isinstance(feed, Continuous)


def test_a_pilot_of_few_images_ends_with_the_epoch_and_checks_it() -> None:
    assert Told(restarted(images=12)).pilot(pilot_seconds=60.0).first_epoch_images == 12
    with pytest.raises(WrongWorkError, match="it delivered 12 images in an epoch; expected 36"):
        Told(restarted(images=12), images=36).pilot(pilot_seconds=60.0)


def test_a_pilot_looks_at_the_values() -> None:
    class Bright(Restarted):
        def batches(self, images: int, seconds: float) -> Iterator[Batch]:
            yield a_batch(8, value=255.0)

    with pytest.raises(WrongWorkError, match="values from 255 to 255; expected 0 to 1"):
        Told(Bright(clock=ClaimedClock(START), images=36)).pilot()


def performed(loader: str, folder: Path, workload: Path, purpose: str = "pilot") -> Event:
    """Return the last that a trial of a loader file says."""
    file = loaders.write_loader(folder, loader)
    said: list[Event] = []
    given = {"label": "mine", "spec": f"{file}:photos", "workload": str(workload)}
    folders = {"prepared": str(folder), "scratch": str(folder)}
    perform(a_request(purpose=purpose, **given, **folders), said.append)
    return said[-1]


def test_an_error_of_several_lines_is_one_line_that_can_be_written(
    tmp_path: Path, workload_file: Path
) -> None:
    text = 'def photos(workload):\n    raise OSError("a\\nb\\udcff")\n'
    said = performed(text, tmp_path, workload_file)
    assert isinstance(said, Failed)
    line = len(loaders.HEAD.splitlines()) + 2
    assert said.sentence == f"it raised OSError: a b\\udcff ({tmp_path / 'loader.py'}, line {line})"
    assert said.traceback.endswith("OSError: a\nb\\udcff\n")
    assert said.hint == ""


def test_an_error_of_an_import_has_a_hint_and_the_traceback_of_the_loader(
    tmp_path: Path, workload_file: Path
) -> None:
    said = performed("import no_such_package\n", tmp_path, workload_file, "check")
    assert isinstance(said, Failed)
    assert "cannot be imported: ModuleNotFoundError" in said.sentence
    assert said.hint == "--debug shows the whole traceback"
    assert "import no_such_package\nModuleNotFoundError" in said.traceback


def test_a_refusal_is_told_from_other_errors(tmp_path: Path, workload_file: Path) -> None:
    head = "from feedbench.pipelines import RequestError\n"
    text = 'def photos(workload):\n    raise RequestError("it cannot", hint="use another")\n'
    said = performed(head + text, tmp_path, workload_file)
    assert isinstance(said, Failed)
    assert (said.sentence, said.hint, said.is_refused) == ("it cannot", "use another", True)


def test_wrong_work_has_no_traceback(tmp_path: Path, workload_file: Path) -> None:
    said = performed(loaders.NOTHING, tmp_path, workload_file)
    assert isinstance(said, Failed)
    assert (said.is_wrong_work, said.traceback) == (True, "")


@pytest.mark.parametrize(
    "text",
    [
        'raise OSError("a\\nb\\udcff")\n',  # while it is imported
        'def photos(workload):\n    raise OSError("\\udcff\\n" * 100_000)\n',
    ],
)
def test_no_error_of_a_loader_is_more_than_a_line(
    tmp_path: Path, workload_file: Path, text: str
) -> None:
    said = performed(text, tmp_path, workload_file)
    assert isinstance(said, Failed)
    assert len(said.sentence.splitlines()) == 1
    assert "\\udcff" in said.sentence
    assert len(said.sentence.encode()) < 4_000


def test_of_many_warnings_the_first_ten_are_remarks(tmp_path: Path, workload_file: Path) -> None:
    text = (
        "import warnings\n"
        "def photos(workload):\n"
        "    for place in range(20):\n"
        '        warnings.warn(f"image {place}\\nis odd")\n'
        "    return batches(workload)\n"
    )
    said = performed(text, tmp_path, workload_file)
    assert isinstance(said, Measured)
    assert said.measurement.remarks == [f"image {place} is odd" for place in range(10)]
