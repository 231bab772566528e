"""What a gate says: its answer in a sentence, and the notes below it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import msgspec

from feedbench.bench.records.checks.gate import BASE, NEW
from feedbench.bench.text import counted, duration
from feedbench.reports.sentences.more_blocks import adds, amount
from feedbench.reports.text import figures
from feedbench.reports.text.figures import shown

if TYPE_CHECKING:
    from feedbench.bench.records.checks.gate import GateRecord


def answer(gate: GateRecord) -> str:
    """Return the answer in one sentence, which names the loaders as they were given."""
    base, new = gate.base.spec, gate.new.spec
    most = f"{100 * gate.tolerance:.4g}%"
    match gate.word:
        case "slower":
            return f"{new} is slower than {base} by more than {most}{_ratio(gate)}."
        case "not slower":
            return f"{new} is not slower than {base} by more than {most}{_ratio(gate)}."
        case "failed":
            return f"{new} cannot be compared with {base}: {gate.why}."
        case _:
            why = "" if gate.why is None else f": {gate.why}"
            sentence = f"It is not clear whether {new} is slower than {base} by more than {most}"
            return f"{sentence}{why or _ratio(gate)}."


def details(gate: GateRecord) -> list[str]:
    """Return what comes after the answer: blocks and time, what would decide, the first run."""
    blocks = counted(gate.undisturbed_blocks, "undisturbed block")
    how_sure = (
        f"How sure: {blocks} of {gate.blocks}, in {duration(gate.seconds)}. The interval holds"
        " whenever the gate stops, so it could stop when its answer was clear."
    )
    sentences = [how_sure]
    if gate.word == "cannot tell" and gate.more_blocks is not None:
        more = amount(gate.more_blocks, gate.block_seconds)
        folder = shlex.quote(gate.folder)
        command = adds(gate.more_blocks, folder)
        needed = (
            f"At least {more} are needed" if gate.ratio is None else f"About {more} would decide"
        )
        sentences.append(f"{needed}. Raise --time, or add them: {command}")
        sentences.append(
            f"Then compare them: feedbench compare {folder} --base {BASE} --new {NEW}"
            f" --tolerance {100 * gate.tolerance:g}%"
        )
    if gate.status != "complete":
        sentences.append("The run was interrupted; its completed blocks are compared.")
    if gate.first is not None:
        is_confirmed = gate.word == "slower"
        sentences.append(
            f"This is the second run. The first one said slower{_ratio(gate.first)};"
            f" the second one {'confirms' if is_confirmed else 'does not confirm'} it."
        )
    return sentences


def as_record(gate: GateRecord) -> dict[str, object]:
    """Return the gate for JSON, with its answer as a sentence."""
    return {"answer": answer(gate), **msgspec.structs.asdict(gate)}


def _ratio(gate: GateRecord) -> str:
    """Return the ratio and its interval as a clause; "" if there is none."""
    if gate.ratio is None:
        return ""
    interval = figures.interval(gate.ratio_low, gate.ratio_high, "")
    level = f"{100 * gate.level:.4g}%"
    return f": it runs at {shown(gate.ratio)} times the rate ({level} interval {interval})"
