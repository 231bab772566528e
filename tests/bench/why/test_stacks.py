"""Which stage a sampled stack belongs to."""

from __future__ import annotations

import pytest

from feedbench.bench.why.stacks import are_of_one_thread, stage_of_stack, stages_of_stacks

ROOT = 'process 7:"python x.py";<module> (x.py:9);_worker (concurrent/futures/thread.py:83)'
OURS = f"{ROOT};photo (loader.py:4)"


@pytest.mark.parametrize(
    ("frames", "stage"),
    [
        ("0x7f8ffcda1cd9 (simplejpeg/_jpeg.cpython-311-x86_64-linux-gnu.so)", "decode"),
        ("Image.convert (PIL/Image.py:961);ImageFile.load (PIL/ImageFile.py:425)", "decode"),
        ("Image.resize (PIL/Image.py:2365);ImagingResample (Resample.c:836)", "resize"),
        ("decode_image (torchvision/io/image.py:20)", "decode"),
        ("resize (torchvision/transforms/v2/functional/_geometry.py:1)", "resize"),
        ("stack (numpy/_core/shape_base.py:465);0x7fef2e58bb20 (libc.so.6)", "collate"),
        ("default_collate (torch/utils/data/_utils/collate.py:400)", "collate"),
        ("FLOAT_multiply_X86_V3 (numpy/_core/_multiarray_umath.so)", "scale"),
        ("_io_FileIO_readall (libpython3.11.so.1.0);read (libc.so.6)", "read"),
        ("open64 (libc.so.6)", "read"),
        ("Connection._send (multiprocessing/connection.py:384);_Py_write (python3.11)", "transfer"),
        ("Connection._recv (multiprocessing/connection.py:395);_Py_read (python3.11)", "transfer"),
        ("0x7f9001a65844 (cv2/cv2.abi3.so)", "OpenCV"),
        ("resize_photo (loader.py:8);0x7f9001a65844 (cv2/cv2.abi3.so)", "resize"),
        ("shuffled (loader.py:12)", "other"),
    ],
)
def test_the_innermost_function_with_a_stage_decides(frames: str, stage: str) -> None:
    assert stage_of_stack(f"{OURS};{frames}".split(";")) == stage


@pytest.mark.parametrize(
    "frames",
    [
        "Condition.wait (threading.py:327)",
        "PyThread_acquire_lock_timed (libpython3.11.so);0x7f900daaed90 (libc.so.6)",
        "pthread_cond_timedwait (libc.so.6);0x7f900daa3f16 (libc.so.6)",
        "page_values (feedbench/bench/measured/batches/page_reads.py:31)",
    ],
)
def test_what_waits_and_what_measures_is_no_work_of_the_loader(frames: str) -> None:
    assert stage_of_stack(f"{OURS};{frames}".split(";")) is None


def test_a_thread_without_python_has_no_stage() -> None:
    assert stage_of_stack(["process 7", "0x7f900daa3f16 (libc.so.6)"]) is None


def test_the_cpu_time_is_divided_by_how_often_each_stage_was_seen() -> None:
    lines = [
        f"{OURS};ImageFile.load (PIL/ImageFile.py:1) 60",
        f"{OURS};ImageFile.load (PIL/ImageFile.py:2) 15",
        f"{OURS};stack (numpy/_core/shape_base.py:465) 25",
        f"{OURS};Condition.wait (threading.py:327) 900",
        "py-spy> not a stack",
    ]
    stages = stages_of_stacks(lines, cpu_ms=5.0, native_ms=1.0)
    assert [(stage.name, stage.ms) for stage in stages] == [
        ("decode", pytest.approx(3.0)),
        ("collate", pytest.approx(1.0)),
        ("other threads", 1.0),
    ]


def test_a_loader_whose_threads_are_all_c_has_them_as_its_stage() -> None:
    lines = [f"{OURS};Condition.wait (threading.py:327) 900"]
    stages = stages_of_stacks(lines, cpu_ms=5.0, native_ms=4.5)
    assert [(stage.name, stage.ms) for stage in stages] == [("other threads", 4.5), ("other", 0.5)]


@pytest.mark.parametrize(("lines", "cpu_ms"), [([], 5.0), ([f"{OURS} 3"], None)])
def test_without_samples_or_cpu_time_no_stage_is_known(
    lines: list[str], cpu_ms: float | None
) -> None:
    assert stages_of_stacks(lines, cpu_ms=cpu_ms, native_ms=0.0) == []


def test_one_thread_does_all_work_unless_another_thread_or_process_works() -> None:
    main = 'process 7:"python x.py";photo (loader.py:4) 9'
    waiting = f"{OURS};Condition.wait (threading.py:327) 50"
    thread = main.replace("photo", "Thread._bootstrap (threading.py:1002);photo")
    assert are_of_one_thread([main, waiting])
    assert not are_of_one_thread([main, thread])
    assert not are_of_one_thread([main, main.replace(";", ";process 8;", 1)])
    assert not are_of_one_thread([])
