"""A cluster of tf.data service that the user has started: what is there, and what is not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
import pytest

from feedbench.pipelines.built_in.service import cluster, lost
from feedbench.pipelines.built_in.service.cluster import reached
from feedbench.pipelines.errors import RequestError


@contextmanager
def listening() -> Iterator[str]:
    """A server that accepts connections, and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield f"127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def dispatcher(workers: Sequence[str]) -> Iterator[str]:
    """A dispatcher that answers the one call GetWorkers, in the form of TensorFlow's."""

    def answer(request: bytes, context: object) -> bytes:
        infos = [b"\x0a" + bytes([len(worker)]) + worker.encode() for worker in workers]
        return b"".join(b"\x0a" + bytes([len(info)]) + info for info in infos)

    handler = grpc.method_handlers_generic_handler(
        "tensorflow.data.DispatcherService",
        {"GetWorkers": grpc.unary_unary_rpc_method_handler(answer)},
    )
    server = grpc.server(ThreadPoolExecutor(1), handlers=[handler])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"grpc://127.0.0.1:{port}"
    finally:
        server.stop(None)


def refusal(address: str, seconds: float = 5.0) -> str:
    with pytest.raises(RequestError) as refused:
        reached(address, seconds)
    return refused.value.sentence


def test_a_dispatcher_names_its_workers() -> None:
    with listening() as one, listening() as other, dispatcher([one, other]) as address:
        assert reached(address) == [one, other]


def test_where_nothing_listens_the_refusal_names_the_address() -> None:
    with listening() as place:
        pass
    assert refusal(f"grpc://{place}") == (
        f"address=grpc://{place}: expected a dispatcher of tf.data service there;"
        " it refused a connection (Connection refused)"
    )


def test_what_accepts_and_does_not_answer_is_given_up_after_the_time_that_is_named() -> None:
    with listening() as place:
        assert refusal(f"grpc://{place}", 0.3).endswith("it did not answer in 0.3 s")


def test_a_host_that_does_not_resolve_is_named() -> None:
    sentence = refusal("grpc://dispatcher.invalid:5050")
    assert sentence.endswith("it has a host, dispatcher.invalid, that does not resolve")


def test_a_dispatcher_without_workers_is_refused() -> None:
    with dispatcher([]) as address:
        assert refusal(address) == (
            f"address={address}: the dispatcher has no workers; expected one at least"
        )


def test_a_worker_that_cannot_be_reached_from_here_is_named() -> None:
    with listening() as gone:
        pass
    with listening() as there, dispatcher([there, gone]) as address:
        assert f"its worker {gone} refused a connection" in refusal(address)


def watched(
    monkeypatch: pytest.MonkeyPatch, workers: Sequence[str], address: str
) -> tuple[threading.Event, list[str]]:
    """A cluster that is watched: whether the trial ended, and the sentence."""
    sentences, ended = list[str](), threading.Event()

    def end_without(sentence: str) -> None:
        sentences.append(sentence)
        ended.set()
        threading.Event().wait()  # without end: the process would be gone

    monkeypatch.setattr(cluster, "_TICK_SECONDS", 0.02)
    monkeypatch.setattr(lost, "end_without", end_without)
    monkeypatch.setattr(lost, "WORKERS", [])
    cluster.watch(address, workers)
    return ended, sentences


@pytest.mark.filterwarnings("ignore:the worker")
def test_a_worker_that_stays_away_ends_the_trial_with_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with listening() as one, dispatcher([one]) as address:
        with listening() as other:
            ended, sentences = watched(monkeypatch, [one, other], address)
            assert not ended.wait(0.2)
            assert lost.WORKERS == []
        assert ended.wait(10)
    assert [other] == lost.WORKERS
    (sentence,) = sentences
    assert sentence == (
        f"the worker {other} of tf.data service refused a connection (Connection refused); its"
        " images are lost"
    )


def test_a_dispatcher_that_stays_away_ends_the_trial_with_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with listening() as worker:
        with dispatcher([worker]) as address:
            ended, sentences = watched(monkeypatch, [worker], address)
            assert not ended.wait(0.1)
        assert ended.wait(10)
    assert sentences[0].startswith(f"the dispatcher {address} of tf.data service ")
