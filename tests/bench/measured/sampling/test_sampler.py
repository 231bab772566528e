"""py-spy as a child of the process that it samples, without rights of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from feedbench.bench.measured.sampling.sampler import sample
from feedbench.bench.records.measurement import Profile
from feedbench.bench.why.sampled import py_spy, with_samples
from feedbench.pipelines.errors import FeedbenchError

needs_py_spy = pytest.mark.skipif(not py_spy(), reason="needs py-spy: pip install py-spy")

SAMPLED = """
import dataclasses, json, sys
from io import BytesIO
from itertools import repeat
from pathlib import Path
import numpy as np
from PIL import Image
from feedbench.bench.measured.sampling.sampler import be_sampled, sample

def jpeg():
    saved = BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (600, 600, 3), np.uint8)
    Image.fromarray(pixels).save(saved, "JPEG")
    return saved

def batches():
    file = jpeg()
    while True:
        image = Image.open(file).convert("RGB").resize((32, 32))
        yield np.stack([np.asarray(image)]), np.zeros(1, np.int32)

be_sampled()
taken = sample(batches(), Path(sys.argv[2]), sys.argv[1])
print(json.dumps([taken.images, taken.cpu_seconds, taken.native_seconds]))
"""


@needs_py_spy
@pytest.mark.thorough
def test_a_loader_that_decodes_is_seen_to_decode(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SAMPLED, py_spy(), str(tmp_path / "trace")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    images, cpu_seconds, native_seconds = json.loads(done.stdout)
    taken = Profile(
        images=images,
        steps=images,
        seconds=1.0,
        cpu_seconds=cpu_seconds,
        is_tf_data=False,
        native_seconds=native_seconds,
    )
    trace = with_samples(None, taken, tmp_path / "trace", "traces/a")
    assert trace is not None
    assert trace.stages[0].name == "decode"
    assert trace.share("decode") > 0.25
    assert trace.total_ms == pytest.approx(trace.cpu_ms)


def test_a_sampler_that_may_not_trace_is_an_error_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numpy as np

    program = tmp_path / "py-spy"
    program.write_text("#!/bin/sh\necho 'Permission Denied: try sudo' >&2\nexit 1\n")
    program.chmod(0o755)
    for name in ("_WARM_SECONDS", "_CPU_SECONDS"):
        monkeypatch.setattr(f"feedbench.bench.measured.sampling.sampler.{name}", 0.01)
    batch = (np.zeros((1, 8, 8, 3), np.float32), np.zeros(1, np.int32))
    with pytest.raises(
        FeedbenchError, match=r"\(Permission Denied: try sudo\)\nhint: .*SYS_PTRACE"
    ):
        sample(iter(lambda: batch, None), tmp_path / "trace", str(program))
