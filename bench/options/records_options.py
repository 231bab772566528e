"""Which options go with the user's record files, and which do not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from feedbench.pipelines.catalog import RECORDS_NAME, parse
from feedbench.pipelines.errors import RequestError

if TYPE_CHECKING:
    from feedbench.pipelines.images.layouts import Layout


def refuse_with_records(layout: Layout) -> None:
    """Raise RequestError for options that contradict --records."""
    given = {
        "--labels": layout.labels is not None,
        "--label-column": layout.label_column is not None,
        "--part": layout.part is not None,
        "--classes-from": layout.classes_from != "top",
        "--follow-links": layout.follow_links,
    }
    for name, is_given in given.items():
        if is_given:
            raise RequestError(
                f"{name}: expected no {name} with --records, whose records hold the labels",
                hint=f"leave {name} out, or name the feature of the labels with --label-key",
            )


def refuse_without_records(
    image_key: str | None, label_key: str | None, specs: Iterable[str]
) -> None:
    """Raise RequestError for options and pipelines that need --records."""
    for name, key in (("--image-key", image_key), ("--label-key", label_key)):
        if key is not None:
            raise RequestError(
                f"{name} {key}: expected --records, whose feature it names",
                hint=f"name the record files with --records, or leave {name} out",
            )
    if any(parse(text).name == RECORDS_NAME for text in specs):
        raise RequestError(
            f"{RECORDS_NAME} reads your own record files: expected --records",
            hint="name the files, such as --records 'train-*.tfrecord'",
        )
