"""What a store answers in place of a file, as an OSError, and as a sentence. No secrets in it."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from feedbench.pipelines.errors import RequestError

_SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID")
_NO_CREDENTIALS = {"NoCredentialsError", "PartialCredentialsError", "DefaultCredentialsError"}
"""Of botocore and google.auth: the environment has no credentials."""

_LONGEST = 200  # characters of a library's text
_CHECKS = {  # what shows the same problem without Feedbench
    "s3": "check what this shows: aws s3 ls {address}/",
    "gs": "check what this shows: gcloud storage ls {address}/",
    "http": "check what this shows: curl -I {address}/",
    "https": "check what this shows: curl -I {address}/",
    "file": "check the folder and its rights",
}

_READS = {  # the same for one file
    "s3": "check what this shows: aws s3 cp {address} .",
    "gs": "check what this shows: gcloud storage cp {address} .",
    "http": "check what this shows: curl -I {address}",
    "https": "check what this shows: curl -I {address}",
    "file": "check the rights of the file",
}


@contextmanager
def as_os_errors(file: str) -> Iterator[None]:
    """Turn whatever a library of a store raises in this context into an OSError with a number.

    `file` is the address. FileNotFoundError: there is none. PermissionError: no rights to it.
    TimeoutError: no answer. Others have the library's text, without secrets.
    """
    try:
        yield
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever a library raises
        raise os_error(file, error) from None


def os_error(file: str, error: Exception) -> OSError:
    """Return the OSError that stands for an error of a library."""
    from asyncio import TimeoutError as NoAnswer

    from fsspec.exceptions import FSTimeoutError

    status = getattr(error, "status", None) or getattr(error, "code", None)  # of HTTP
    if isinstance(error, FileNotFoundError) or status == 404:  # noqa: PLR2004 - RFC 9110
        return FileNotFoundError(errno.ENOENT, "the store has no such file", file)
    if (
        isinstance(error, PermissionError)
        or status in {401, 403}
        or type(error).__name__ in _NO_CREDENTIALS
    ):
        return PermissionError(errno.EACCES, _denied(error), file)
    if isinstance(error, (FSTimeoutError, NoAnswer, TimeoutError)) or _is_timeout(error):
        return TimeoutError(errno.ETIMEDOUT, "the store did not answer in time", file)
    return OSError(errno.EIO, f"the store failed: {text_of(error)}", file)


def text_of(error: Exception) -> str:
    """Return the text of a library's error on one line, without secrets."""
    text = without_secrets(" ".join(str(error).split()))
    return text[:_LONGEST].rstrip(".") or type(error).__name__


def without_secrets(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return a text without passwords in addresses, and without the environment's keys."""
    text = re.sub(r"(://)[^/@\s]+@", r"\1***@", text)
    text = re.sub(r"(?i)\b(x-amz-[a-z-]*|signature|token|key|password)=[^&\s\"']+", r"\1=***", text)
    for name in _SECRETS:
        if secret := environment.get(name):
            text = text.replace(secret, "***")
    return text


def refusal(address: str, error: OSError, expected: str, seconds: float) -> RequestError:
    """Return the error of a folder that cannot be listed; `seconds` is how long it was awaited."""
    hint = _CHECKS.get(address.partition("://")[0], "").format(address=address)
    match error:
        case FileNotFoundError():
            return nothing_at(address, expected)
        case PermissionError():
            return RequestError(
                f"{address}: {error.strerror}; expected credentials that may list and read it",
                hint=hint,
            )
        case TimeoutError():
            return RequestError(
                f"{address} did not answer within {seconds:.0f} s; expected {expected}", hint=hint
            )
    return RequestError(
        f"{address} cannot be listed: {error.strerror}; expected {expected}", hint=hint
    )


def unreadable(where: str, what: str, first: str, reason: str, otherwise: str = "") -> RequestError:
    """Return the error of files that a store lists and does not let be read, in one sentence.

    `what` counts them, such as `2 of 3 photos`. `first` is the address of one, and `reason` is why.
    `otherwise` is what else the user can do, as a clause.
    """
    hint = _READS.get(first.partition("://")[0], "").format(address=first)
    return RequestError(
        f"{where}: the store lists {what} that cannot be read, such as {first} ({reason});"
        " expected a store that sends what it lists",
        hint=", or ".join(filter(None, [hint, otherwise])),
    )


def nothing_at(address: str, expected: str) -> RequestError:
    """Return the error of an address where a store has nothing."""
    if address.startswith("http"):
        hint = "name a folder whose server lists its files; unpack an archive on this machine first"
    else:
        hint = _CHECKS.get(address.partition("://")[0], "").format(address=address)
    return RequestError(f"there is nothing at {address}: expected {expected}", hint=hint)


def _denied(error: Exception) -> str:
    text = text_of(error)
    return f"the store denies access ({text})" if text else "the store denies access"


def _is_timeout(error: Exception) -> bool:
    """Whether a library without a common class for it reports that nothing answered."""
    return "Timeout" in type(error).__name__
