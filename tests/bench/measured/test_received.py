"""The bytes that a process receives, counted by its own sockets."""

from __future__ import annotations

import socket

from feedbench.bench.measured.received import Received


def connected() -> tuple[socket.socket, socket.socket]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        sender = socket.create_connection(server.getsockname())
        receiver, _ = server.accept()
    return sender, receiver


def received(sender: socket.socket, receiver: socket.socket, count: int) -> None:
    sender.sendall(bytes(count))
    while count:
        count -= len(receiver.recv(65536))


def test_bytes_count_from_the_first_look_to_the_last() -> None:
    sender, receiver = connected()
    with sender, receiver:
        received(sender, receiver, 1_000)
        counted = Received()
        assert counted.bytes == 0
        received(sender, receiver, 300_000)
        counted.look()
        assert counted.bytes == 300_000


def test_a_connection_that_ended_still_counts_and_a_new_one_counts_as_well() -> None:
    counted = Received()
    for _ in range(2):
        sender, receiver = connected()
        with sender, receiver:
            received(sender, receiver, 50_000)
            counted.look()
    assert counted.bytes == 100_000


def test_other_sockets_do_not_count() -> None:
    counted = Received()
    one, other = socket.socketpair()
    with one, other:
        one.sendall(b"text")
        counted.look()
        assert not counted.bytes
