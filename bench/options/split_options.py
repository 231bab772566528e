# ruff: noqa: RUF009 - `option` and its like make fields, as dataclasses.field does
"""How the images are split into training and validation, and which part is measured."""

from __future__ import annotations

from dataclasses import dataclass

from feedbench.bench.options import values as read
from feedbench.bench.options.option import option
from feedbench.pipelines.contract import Part
from feedbench.pipelines.errors import RequestError


@dataclass(frozen=True, kw_only=True)
class SplitOptions:
    """The split of the images."""

    validation: float | None = option(  # a share of each class
        None,
        read=read.split_share,
        metavar="SHARE",
        help="Keep this share of each class for validation, such as 20% or 0.2, chosen by --seed."
        " All pipelines get the same images.",
        otherwise="none, unless FOLDER has the parts train and val",
    )
    subset: Part | None = option(
        None,
        read=read.one_of(read.SUBSETS),
        metavar="training|validation",
        help="The part to measure, with --validation or if FOLDER has the parts train and val.",
        otherwise="training",
    )


def refuse_two_parts(options: SplitOptions, part: str | None) -> None:
    """Raise RequestError if both --part and --subset name a part of the folder."""
    if options.subset is not None and options.validation is None and part is not None:
        raise RequestError(
            f"--subset {options.subset}: expected no --part {part}, since both name a part of the"
            " folder",
            hint="leave one of the two out, or split this part with --validation 20%",
        )
