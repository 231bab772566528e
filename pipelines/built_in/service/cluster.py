"""A cluster of tf.data service that runs already: is it there, who are its workers, are they alive.

It is asked by its own gRPC calls, of tensorflow/core/data/service/dispatcher.proto. TensorFlow's
client would retry for an hour where nothing answers.
"""

from __future__ import annotations

import socket
import threading
import time
import warnings
from collections.abc import Sequence
from functools import cache
from typing import Any

from feedbench.pipelines.built_in.service.lost import end_without
from feedbench.pipelines.errors import RequestError

_CALL = "/tensorflow.data.DispatcherService/GetWorkers"
_ANSWER_SECONDS = 10.0  # for a connection, and for an answer
_TICK_SECONDS = 2.0
_TRIES = 3


class SilenceError(Exception):
    """A server did not answer; the text says how, as a clause."""


def reached(address: str, seconds: float = _ANSWER_SECONDS) -> list[str]:
    """Return the workers of the dispatcher at grpc://HOST:PORT, each as HOST:PORT.

    Raises RequestError if it cannot be reached or does not answer within these seconds, has no
    workers, or one of them cannot be reached from here.
    """
    place = address.partition("://")[2]
    try:
        _connect(place, seconds)
        workers = _workers(place, seconds)
    except SilenceError as silence:
        raise RequestError(
            f"address={address}: expected a dispatcher of tf.data service there; it {silence}",
            hint="start a dispatcher there, or leave address out: the trial then starts its own",
        ) from None
    if not workers:
        raise RequestError(
            f"address={address}: the dispatcher has no workers; expected one at least",
            hint="start a worker with this dispatcher's address",
        )
    for worker in workers:
        try:
            _connect(worker, seconds)
        except SilenceError as silence:
            raise RequestError(
                f"address={address}: its worker {worker} {silence}",
                hint="give each worker a worker_address that this machine can reach",
            ) from None
    return workers


def watch(address: str, workers: Sequence[str]) -> None:
    """Watch a cluster from now on, by a thread.

    A worker that is lost becomes a warning. A dispatcher that is lost ends this process.
    """
    thread = threading.Thread(target=_watch, args=(address, [*workers]), name="service")
    thread.daemon = True
    thread.start()


def _watch(address: str, workers: list[str]) -> None:
    place = address.partition("://")[2]
    failed = 0
    while True:
        time.sleep(_TICK_SECONDS)
        try:
            _workers(place, _ANSWER_SECONDS / 2)
            failed = 0
        except SilenceError as silence:
            failed += 1
            if failed == _TRIES:
                end_without(f"the dispatcher {address} of tf.data service {silence}")
        for worker in [*workers]:
            try:
                _connect(worker, _ANSWER_SECONDS)
            except SilenceError as silence:
                workers.remove(worker)
                warnings.warn(lost_worker(worker, str(silence)), stacklevel=1)


def lost_worker(worker: str, how: str) -> str:
    """Return the remark on a worker that was lost."""
    return (
        f"the worker {worker} of tf.data service {how} during the trial: the images that it held"
        " are lost, and the rate is that of the others"
    )


def _connect(place: str, seconds: float) -> None:
    """Connect to HOST:PORT once. Raises SilenceError."""
    host, _, port = place.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=seconds).close()
    except TimeoutError:
        raise SilenceError(f"did not accept a connection in {seconds:g} s") from None
    except socket.gaierror:
        raise SilenceError(f"has a host, {host}, that does not resolve") from None
    except OSError as error:
        raise SilenceError(f"refused a connection ({error.strerror})") from None


def _workers(place: str, seconds: float) -> list[str]:
    """Ask a dispatcher for its workers. Raises SilenceError."""
    import grpc

    with grpc.insecure_channel(place) as channel:
        ask = channel.unary_unary(_CALL)
        try:
            answer = ask(b"", timeout=seconds)
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.DEADLINE_EXCEEDED:
                raise SilenceError(f"did not answer in {seconds:g} s") from None
            raise SilenceError(f"answered {error.code().name} by gRPC") from None
    return [worker.address for worker in _answer_type().FromString(answer).workers]


@cache
def _answer_type() -> Any:
    """Return GetWorkersResponse: workers, each with an address."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    kind = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="feedbench_workers.proto", package="feedbench")
    worker = file.message_type.add(name="Worker")
    worker.field.add(name="address", number=1, type=kind.TYPE_STRING, label=kind.LABEL_OPTIONAL)
    answer = file.message_type.add(name="Workers")
    answer.field.add(
        name="workers",
        number=1,
        type=kind.TYPE_MESSAGE,
        label=kind.LABEL_REPEATED,
        type_name=".feedbench.Worker",
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("feedbench.Workers"))
