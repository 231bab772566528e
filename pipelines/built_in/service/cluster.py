"""A cluster of tf.data service that runs already: is it there, who are its workers, are they alive.

It is asked by its own gRPC calls, of tensorflow/core/data/service/dispatcher.proto. TensorFlow's
client would retry for an hour where nothing answers.
"""

from __future__ import annotations

import socket
import threading
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

from feedbench.pipelines.built_in.service import lost
from feedbench.pipelines.errors import RequestError

_CALL = "/tensorflow.data.DispatcherService/GetWorkers"
_ANSWER_SECONDS = 10.0  # for a connection, and for an answer
_TICK_SECONDS = 2.0
_TRIES = 3
_WORKER_TRIES = 10  # it takes a worker some seconds to import TensorFlow when it is started again


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
                hint="start it again, or give it a worker_address that this machine can reach",
            ) from None
    return workers


def watch(address: str, workers: Sequence[str]) -> None:
    """Watch a cluster from now on, by a thread.

    A worker that is lost goes into lost.WORKERS, and becomes a warning. A dispatcher or a worker
    that stays away ends this process: TensorFlow's client asks it for its part of an epoch without
    end.
    """
    thread = threading.Thread(target=_watch, args=(address, workers), name="service")
    thread.daemon = True
    thread.start()


def _watch(address: str, workers: Sequence[str]) -> None:
    place = address.partition("://")[2]
    failed: Counter[str] = Counter()  # ticks one after another
    while True:
        time.sleep(_TICK_SECONDS)
        try:
            _workers(place, _ANSWER_SECONDS / 2)
            failed[place] = 0
        except SilenceError as silence:
            failed[place] += 1
            if failed[place] == _TRIES:
                lost.end_without(f"the dispatcher {address} of tf.data service {silence}")
        for worker in workers:
            try:
                _connect(worker, _ANSWER_SECONDS)
                failed[worker] = 0
            except SilenceError as silence:
                failed[worker] += 1
                if worker not in lost.WORKERS:
                    lost.WORKERS.append(worker)
                    warnings.warn(lost_worker(worker, str(silence)), stacklevel=1)
                if failed[worker] == _WORKER_TRIES:
                    lost.end_without(gone_worker(worker, str(silence)))


def lost_worker(worker: str, how: str) -> str:
    """Return the remark on a worker that was lost, and came back."""
    return (
        f"the worker {worker} of tf.data service {how} during the trial: the images that it held"
        " are lost, and the rate is not that of all workers"
    )


def gone_worker(worker: str, how: str) -> str:
    """Return why a trial ends whose worker stays away."""
    return f"the worker {worker} of tf.data service {how}; its images are lost"


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
