"""TensorBoard over a run's traces, asked over HTTP as its page asks."""

from __future__ import annotations

import json
import socket
import urllib.request
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.programs.smoke import Smoke

pytestmark = [pytest.mark.tensorflow, pytest.mark.end_to_end]


def asked(address: str, what: str, **given: str) -> Any:
    url = f"{address}/data/plugin/profile/{what}?{urlencode(given)}"
    with urllib.request.urlopen(url, timeout=60) as answer:
        content = answer.read()
    if content[:2] == b"\x1f\x8b":
        import gzip

        content = gzip.decompress(content)
    return json.loads(content)


def test_the_profile_plugin_lists_one_run_a_pipeline_with_its_tools(
    profile_server: str,
) -> None:
    runs = asked(profile_server, "runs")
    assert sorted(run.partition("/")[0] for run in runs) == ["tfdata-naive", "tfrecord-sharded"]
    for run in runs:
        assert {"input_pipeline_analyzer", "framework_op_stats"} <= set(
            asked(profile_server, "run_tools", run=run)
        )
        (host,) = asked(profile_server, "hosts", run=run, tag="framework_op_stats")
        ops = json.dumps(
            asked(profile_server, "data", run=run, tag="framework_op_stats", host=host["hostname"])
        )
        assert "DecodeJpeg" in ops
        steps = json.dumps(
            asked(
                profile_server,
                "data",
                run=run,
                tag="input_pipeline_analyzer",
                host=host["hostname"],
            )
        )
        assert "input-bound" in steps


def test_a_port_that_is_taken_is_one_sentence(smoke: Smoke) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = smoke.feedbench.run("tensorboard", "R", "--port", port)
    assert done.returncode == 2
    assert done.stderr.strip() == (
        f"feedbench: --port {port} is not available (Address already in use)\n"
        "hint: choose another, or 0 for any free port"
    )


def test_a_folder_that_is_no_run_is_one_sentence(smoke: Smoke) -> None:
    done = smoke.feedbench.run("tensorboard", "nowhere")
    assert done.returncode == 2
    assert done.stderr.startswith("feedbench: nowhere is not a run folder: ")
