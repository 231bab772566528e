"""A TCP proxy in front of a server: it delays and refuses requests, and spoils answers."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

_CHUNK = 1 << 16
_ERROR = b"<Error><Code>%s</Code><Message>%s</Message></Error>"
_SLOW_DOWN = _ERROR % (b"SlowDown", b"Please reduce your request rate.")
_DENIED = _ERROR % (b"AccessDenied", b"Access Denied")
_ETAG = re.compile(rb'(?i)(etag: "?)[0-9a-f]{4}')


def _answer(status: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 %s\r\nContent-Type: application/xml\r\nConnection: keep-alive\r\n" % status
    return head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def _without_body(answer: bytes, request: str) -> bytes:
    """Return an answer to this request: one to HEAD has no body, or it would be the next answer."""
    return answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if request.startswith("HEAD") else answer


_ANSWER_503 = _answer(b"503 Slow Down", _SLOW_DOWN)
_ANSWER_403 = _answer(b"403 Forbidden", _DENIED)


@dataclass
class FlakyProxy:
    """Passes on what comes; its fields may be changed at any time."""

    server: int  # the port of the server, on the loopback
    latency_seconds: float = 0.0  # before each request is passed on
    refusals: int = 0  # requests that are answered by 503, from now on
    cuts: int = 0  # answers that are cut off after their first bytes, from now on
    is_silent: bool = False  # requests get no answer at all
    denied: str = ""  # requests whose first line has it are answered by 403
    are_etags_wrong: bool = False  # in the heads of answers; those in listings remain
    requests: list[str] = field(default_factory=list)  # the first line of each
    most_at_once: int = 0  # requests that waited for their latency together
    port: int = 0
    _waiting: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:  # it was closed
                return
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        with (
            client,
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self.server)) as server,
        ):
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._pass_back, args=(server, client), daemon=True).start()
            self._ask(client, server)

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        while chunk := client.recv(_CHUNK):
            if chunk.startswith((b"GET ", b"HEAD ")):
                request = chunk.partition(b"\r\n")[0].decode()
                self.requests.append(request)
                self._wait()
                if self.denied and self.denied in request:
                    client.sendall(_without_body(_ANSWER_403, request))
                    continue
                if self._takes("refusals"):
                    client.sendall(_without_body(_ANSWER_503, request))
                    continue
            if not self.is_silent:
                server.sendall(chunk)

    def _wait(self) -> None:
        with self._lock:
            self._waiting += 1
            self.most_at_once = max(self.most_at_once, self._waiting)
        time.sleep(self.latency_seconds)
        with self._lock:
            self._waiting -= 1

    def _pass_back(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := server.recv(_CHUNK):
                head = chunk.index(b"\r\n\r\n") + 4 if chunk.startswith(b"HTTP/") else 0
                if len(chunk) > head + 1 and self._takes("cuts"):
                    client.sendall(chunk[: (head + len(chunk)) // 2])
                    client.shutdown(socket.SHUT_RDWR)
                    return
                if self.are_etags_wrong and head:
                    chunk = _ETAG.sub(rb"\g<1>0000", chunk[:head]) + chunk[head:]
                client.sendall(chunk)
            client.shutdown(socket.SHUT_RDWR)

    def _takes(self, what: str) -> bool:
        with self._lock:
            left: int = getattr(self, what)
            if left:
                setattr(self, what, left - 1)
            return left > 0


@contextlib.contextmanager
def flaky_proxy(server: int) -> Iterator[FlakyProxy]:
    """Put a proxy in front of a server on the loopback, until the end of this context."""
    proxy = FlakyProxy(server)
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        proxy.port = listener.getsockname()[1]
        threading.Thread(target=proxy.serve, args=(listener,), daemon=True).start()
        yield proxy
        listener.shutdown(socket.SHUT_RDWR)
