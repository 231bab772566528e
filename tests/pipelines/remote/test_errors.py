"""What a store answers in place of a file, without secrets."""

from __future__ import annotations

import errno

import pytest

from feedbench.pipelines.remote.errors import as_os_errors, os_error, refusal, without_secrets

FILE = "s3://bucket/cats/1.jpg"


class HTTPError(Exception):
    """As aiohttp's and gcsfs's errors: with a status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{status}, url='https://me:secret@example.org/x?token=secret'")
        self.status = status


@pytest.mark.parametrize(
    ("error", "number"),
    [
        (FileNotFoundError("bucket/x"), errno.ENOENT),
        (HTTPError(404), errno.ENOENT),
        (PermissionError("Access Denied"), errno.EACCES),
        (HTTPError(403), errno.EACCES),
        (TimeoutError(), errno.ETIMEDOUT),
        (HTTPError(500), errno.EIO),
    ],
)
def test_each_error_of_a_library_has_a_number_and_its_file(error: Exception, number: int) -> None:
    with pytest.raises(OSError) as caught, as_os_errors(FILE):  # noqa: PT011 - the number is asked
        raise error
    assert (caught.value.errno, caught.value.filename) == (number, FILE)
    assert "secret" not in str(caught.value)


def test_a_secret_of_the_environment_is_in_no_text() -> None:
    environment = {"AWS_SECRET_ACCESS_KEY": "abc/def+ghi"}
    text = without_secrets("signing with abc/def+ghi at https://me:pass@host/?sig=1", environment)
    assert text == "signing with *** at https://***@host/?sig=1"
    assert without_secrets("X-Amz-Signature=0123&x=1") == "X-Amz-Signature=***&x=1"


def test_the_sentence_has_the_wait_and_a_command_that_shows_the_same() -> None:
    error = refusal("s3://bucket/photos", os_error(FILE, TimeoutError()), "photos", 20)
    assert str(error) == (
        "s3://bucket/photos did not answer within 20 s; expected photos\n"
        "hint: check what this shows: aws s3 ls s3://bucket/photos/"
    )
