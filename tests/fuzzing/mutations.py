"""Real content with a few changes, as hypothesis strategies."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import strategies as st

Json = Any

_DEEP = 3000  # levels, more than Python's own limit
_STRANGE: list[Json] = [
    *(None, True, -1, 0, 1, 2**31, 2**63, 10**30, -0.0, 0.5, 1e308, -1e-308),
    *(float("nan"), float("inf"), "", "\0", "..", "../../canary", "/etc/passwd", "~/canary"),
    *("\ud800", "\x1b[2J", "x" * 5000, "<script>", "NaN", [], {}, [[]], {"": None}, [None] * 1000),
]
_INTERESTING = [b"\0", b"\n", b'"', b",", b"\xff", b"\xef\xbb\xbf", b"\r", b"{", b"[" * _DEEP, b"-"]


@st.composite
def mutated_json(draw: st.DrawFn, tree: Json, most: int = 3) -> Json:
    """A copy of a tree of JSON in which values are replaced, removed, doubled or renamed."""
    changed = json.loads(json.dumps(tree))
    for _ in range(draw(st.integers(1, most))):
        holder, key = draw(st.sampled_from([*_places(changed)] or [(None, None)]))
        if holder is not None:
            _change(draw, holder, key)
    return changed


def _change(draw: st.DrawFn, holder: Any, key: Any) -> None:
    match draw(st.sampled_from(["replace", "replace", "replace", "remove", "double", "swap"])):
        case "remove":
            del holder[key]
        case "double":
            if isinstance(holder, list):
                holder.append(holder[key])
            else:
                holder[f"{key}_"] = holder[key]
        case "swap":
            other = draw(st.sampled_from([*holder] if isinstance(holder, dict) else [0]))
            holder[key], holder[other] = holder[other], holder[key]
        case _:
            holder[key] = copy.deepcopy(draw(st.sampled_from(_STRANGE)))


def _places(tree: Json) -> list[tuple[Any, Any]]:
    """Return each value's holder and its key there."""
    places, waiting = [], [tree]
    while waiting:
        holder = waiting.pop()
        keys = [*holder] if isinstance(holder, dict) else [*range(len(holder))]
        places += [(holder, key) for key in keys]
        waiting += [holder[key] for key in keys if isinstance(holder[key], (dict, list))]
    return places


@st.composite
def mutated_bytes(draw: st.DrawFn, content: bytes, most: int = 4) -> bytes:
    """A copy of some bytes that are cut, flipped, doubled, or have something else in between."""
    copy = bytearray(content)
    for _ in range(draw(st.integers(1, most))):
        at = draw(st.integers(0, len(copy)))
        length = draw(st.sampled_from([1, 2, 4, 8, 64]))
        match draw(st.sampled_from(["flip", "cut", "insert", "overwrite", "double", "remove"])):
            case "flip" if at < len(copy):
                copy[at] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del copy[at:]
            case "insert":
                copy[at:at] = draw(st.sampled_from(_INTERESTING))
            case "overwrite":
                copy[at : at + length] = draw(st.binary(min_size=length, max_size=length))
            case "double":
                copy[at:at] = copy[at : at + length] * 3
            case _:
                del copy[at : at + length]
    return bytes(copy)


def deep_json() -> bytes:
    """JSON that nests deeper than Python's own parser follows."""
    return b'{"schema":' + b"[" * _DEEP + b"]" * _DEEP + b"}"
