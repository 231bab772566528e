"""The stages of a loader in Python or C++, from samples of its stacks. Pure.

py-spy's raw format has a line for each stack, its frames from the outermost to the innermost, and
how often it was seen: `process 7:"python x.py";main (x.py:3);read (libc.so.6) 12`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from feedbench.bench.records.diagnosis import NATIVE, OTHER, Stage

_STAGES = {
    "transfer": (
        r"\((multiprocessing/(connection|queues|reduction|shared_memory|heap|popen)|pickle"
        r"|torch/multiprocessing/(reductions|queue)|multiprocess/)"
        r"|_pickle|rebuild_storage|pin_memory"
    ),
    "decode": (
        r"jpeg|libpng|libwebp|turbojpeg|imdecode|imread|^_?decode|^cv::.*Decoder"
        r"|\((PIL/(ImageFile|\w+ImagePlugin)\.py|torchvision/io/|imageio|skimage/io)"
        r"|^(open|preinit|init) \(PIL/Image\.py|ImageDecoder|nvimgcodec"
    ),
    "resize": (
        r"resiz|Resampl|thumbnail|interpolate|upsample|^cv::.*(remap|warp)"
        r"|_fit \(feedbench/pipelines/"
    ),
    "collate": (
        r"collat|^(stack|vstack|concatenate|hstack|cat|array_concatenate) \("
        r"|ConcatenateArrays|_batch_stack"
    ),
    "scale": (
        r"normaliz|to_dtype|to_tensor|ToTensor|convert_image_dtype|astype|_cast_|true_divide"
        r"|_divide|_multiply|_subtract|array_multiply|array_subtract|convertTo|^cv::.*LUT"
    ),
    "read": (
        r"_io_|_Py_(read|open)|FileIO|^pread|read_bytes|^read_file|\((tarfile|fsspec/|webdataset/"
        r"(tariterators|gopen))|^(open|open64|read|pread64|fstat64|lseek64) \(libc"
    ),
    "OpenCV": r"\(cv2/",  # its functions have no names there
}
"""The names of functions and modules, by the stage that they belong to."""

_NAMED_LAST = "OpenCV"  # only if no function around it has a stage
_OF_STAGES = tuple((stage, re.compile(names)) for stage, names in _STAGES.items())
# Threads that wait use no CPU, even where py-spy takes them for active ones.
_WAITING = re.compile(
    r"^(\w+\.)*(wait|__enter__|acquire|_wait_for_tstate_lock|get|put|select|poll|accept|join|result"
    r"|_poll|_recv|recv_bytes|_worker|result_iterator|_result_or_cancel|sleep)"
    r" \((threading|queue|selectors|concurrent/futures/\w+|multiprocessing/(synchronize|popen_\w+))"
)
_BLOCKED = re.compile(
    r"^(pthread_cond_\w+|sem_\w*wait\w*|take_gil|PyThread_acquire_lock_timed|\w*poll\w*|select"
    r"|epoll_wait|nanosleep|clock_nanosleep|wait4|waitpid) \("
)
_THREAD = re.compile(r"^Thread\._bootstrap |^thread_run ")
_PROCESS = re.compile(r"^process \d+")
_NAMELESS = re.compile(r"^0x[0-9a-f]+ ")
_PYTHON_FRAME = re.compile(r"\.pyx?:\d+\)$")
_HARNESS = "feedbench/bench/"
_COUNTED = re.compile(r"^(.*) (\d+)$")


def stages_of_stacks(
    lines: Iterable[str], *, cpu_ms: float | None, native_ms: float
) -> list[Stage]:
    """Return the stages of sampled stacks, the largest first, in milliseconds per image.

    `cpu_ms` is the CPU time of the whole process tree, and `native_ms` that of threads which no
    stack is known of, both per image. There are no stages without samples or a CPU time. Where no
    stack works, as of a loader whose threads are all C++, what is left of `cpu_ms` is other.
    """
    seen: Counter[str] = Counter()
    for frames, times in _stacks(lines):
        if (stage := stage_of_stack(frames)) is not None:
            seen[stage] += times
    if not cpu_ms or not (seen or native_ms):
        return []
    native_ms = min(native_ms, cpu_ms)
    if not seen and native_ms < cpu_ms:
        seen[OTHER] = 1
    total = sum(seen.values())
    stages = [
        Stage(name=name, ms=(cpu_ms - native_ms) * count / total) for name, count in seen.items()
    ]
    if native_ms:
        stages.append(Stage(name=NATIVE, ms=native_ms))
    return sorted(stages, key=lambda stage: -stage.ms)


def are_of_one_thread(lines: Iterable[str]) -> bool:
    """Return whether all stacks that work are of the main thread of one process."""
    working = [frames for frames, _ in _stacks(lines) if stage_of_stack(frames) is not None]
    others = any(_THREAD.match(frame) for frames in working for frame in frames)
    # A worker's stack begins with the processes that it descends from.
    processes = {tuple(filter(_PROCESS.match, frames)) for frames in working}
    return len(processes) == 1 and not others


def _stacks(lines: Iterable[str]) -> Iterator[tuple[list[str], int]]:
    """Yield the frames of each stack, and how often it was seen."""
    for line in lines:
        if counted := _COUNTED.match(line.strip()):
            yield counted[1].split(";"), int(counted[2])


def stage_of_stack(frames: list[str]) -> str | None:
    """Return the stage of a stack, by its innermost frame that has one; None: it is no work.

    What moves data between processes also reads and writes: there, that stage comes first.
    """
    python = [frame for frame in frames if _PYTHON_FRAME.search(frame)]
    if not python or _HARNESS in python[-1] or _WAITING.match(python[-1]):
        return None
    named = [frame for frame in frames if not _NAMELESS.match(frame)]
    if _BLOCKED.match(named[-1]):  # such as by the GIL
        return None
    stages = [stage for frame in reversed(frames) for stage in _stage_of_frame(frame)]
    if "transfer" in stages:
        return "transfer"
    known = [stage for stage in stages if stage != _NAMED_LAST]
    return (known or stages or [OTHER])[0]


def _stage_of_frame(frame: str) -> list[str]:
    return [stage for stage, names in _OF_STAGES if names.search(frame)][:1]
