"""fsspec's file system of each scheme, with the time-outs and retries that a benchmark needs.

Credentials come from the environment, as each library finds them. What a user sets by fsspec's own
configuration (FSSPEC_S3_..., ~/.config/fsspec) takes precedence over what is set here.
"""

from __future__ import annotations

import os
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.remote.address import scheme_of

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

CONNECT_SECONDS, READ_SECONDS = 5.0, 15.0  # for each attempt
ANSWER_SECONDS = 20.0  # for the first answer of a store, all attempts included
CONNECTIONS = 64  # to a store at once
ATTEMPTS = 5  # at each HTTP request; the pauses between them grow
_ATTEMPTS_OF_BOTOCORE = 3  # in each of the five that s3fs makes

_MODULES = {
    "s3": {"fsspec": "fsspec", "s3fs": "s3fs"},
    "gs": {"fsspec": "fsspec", "gcsfs": "gcsfs"},
    "http": {"fsspec": "fsspec", "aiohttp": "aiohttp", "tenacity": "tenacity"},
    "https": {"fsspec": "fsspec", "aiohttp": "aiohttp", "tenacity": "tenacity"},
}


def refuse_missing(scheme: str) -> None:
    """Raise RequestError if a library is not installed that reads this scheme."""
    needed = _MODULES.get(scheme, {"fsspec": "fsspec"})
    missing = [name for module, name in needed.items() if find_spec(module) is None]
    if missing:
        raise RequestError(
            f"{scheme}:// needs {' and '.join(missing)}, which this Python does not have",
            hint="install the extra: pip install 'feedbench[remote]'",
        )


def file_system(address: str) -> AbstractFileSystem:
    """Return the file system of an address: one a process, for all threads.

    Raises RequestError if its library is not installed.
    """
    return _file_system(scheme_of(address), os.getpid())


def asynchronous_file_system(address: str) -> AbstractFileSystem | None:
    """Return the file system of an address for the running event loop; None: it has only threads.

    Raises RequestError if its library is not installed.
    """
    return _asynchronous_file_system(scheme_of(address), os.getpid())


@lru_cache(maxsize=8)
def _asynchronous_file_system(scheme: str, process: int) -> AbstractFileSystem | None:
    refuse_missing(scheme)
    import fsspec

    if not fsspec.get_filesystem_class(scheme).async_impl:
        return None
    return _file_system(scheme, process, is_asynchronous=True)


@lru_cache(maxsize=8)
def _file_system(
    scheme: str,
    process: int,  # noqa: ARG001 - a fork has its own
    *,
    is_asynchronous: bool = False,
) -> AbstractFileSystem:
    refuse_missing(scheme)
    import fsspec
    from fsspec.config import conf

    options = _options(scheme)
    for name, given in conf.get(scheme, {}).items():
        is_both = isinstance(given, dict) and isinstance(options.get(name), dict)
        options[name] = {**options[name], **given} if is_both else given
    if is_asynchronous:
        options["asynchronous"] = True
    return fsspec.filesystem(scheme, **options)


def load(address: str) -> None:
    """Import the library of an address, so that processes forked later have it already."""
    refuse_missing(scheme_of(address))
    import fsspec

    fsspec.get_filesystem_class(scheme_of(address))


def _options(scheme: str) -> dict[str, Any]:
    if scheme == "s3":
        return {
            "use_listings_cache": False,
            "max_concurrency": 1,  # else it asks for an object's size before it reads it
            "config_kwargs": {
                "connect_timeout": CONNECT_SECONDS,
                "read_timeout": READ_SECONDS,
                "max_pool_connections": CONNECTIONS,
                "retries": {"mode": "standard", "total_max_attempts": _ATTEMPTS_OF_BOTOCORE},
            },
        }
    if scheme == "gs":
        return {"use_listings_cache": False, "requests_timeout": READ_SECONDS}
    if scheme in {"http", "https"}:
        from aiohttp import ClientTimeout

        timeout = ClientTimeout(sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS)
        return {"use_listings_cache": False, "client_kwargs": {"timeout": timeout}}
    return {}
