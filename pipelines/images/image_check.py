"""Whether every pipeline delivers the same image from a file, and if not, why.

TensorFlow is imported only to decode a file. That happens in a worker process, because a file may
make it crash, hang or run out of memory (workers.py). TensorFlow decodes here as the pipelines do:
JPEG with INTEGER_ACCURATE, other formats by `decode_image`, and the first frame of a GIF.
"""

from __future__ import annotations

import errno
import os
import re
import resource
import stat
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from feedbench.pipelines.contract import LUMA
from feedbench.pipelines.images.file_formats import APPLE_DOUBLE, first_bytes, signature
from feedbench.pipelines.remote import reading as remote
from feedbench.pipelines.remote.address import is_address
from feedbench.pipelines.system.regular_files import open_regular

if TYPE_CHECKING:
    from PIL import Image

RULES = 2
"""Increase it when a file is bad for a new reason: findings by older rules are not used again."""

MOST_PIXELS = 89_478_485  # the size at which Pillow begins to warn
MOST_MOST_PIXELS = 2 * MOST_PIXELS  # above which Pillow, and with it Keras, refuses an image

UNREADABLE = "it cannot be read: "
"""How the reason of a file begins that the system, or a store, does not let be read."""

_MOST_DIFFERENCE = 1.0  # grey levels of 255, the mean over all values: METHOD, rule 2
_STRIP_VALUES = 1 << 20  # values compared at a time, which keeps the memory for it small
# Bytes a pixel: TensorFlow's 3, Pillow's 4, 4 more while it converts, and 3 as an array. The rest
# is for the file. A worker also needs memory to start with, threads' stacks included.
_BYTES_A_PIXEL = 16
_OWN_BYTES = 1 << 29
_ORIENTATION = 0x0112  # EXIF 2.32, 4.6.4
_MARKUP_HEAD = 512  # bytes
_PNG_DEPTH_AT = 24  # PNG 1.2, 11.2.2: bit depth, behind signature, length, type, width and height
_DEEP = 16
_LONGEST_REASON = 200  # characters
_TENSORFLOWS = {"JPEG", "MPO", "PNG", "GIF", "BMP", "WEBP"}  # Pillow's names; MPO begins as JPEG
_NAMES = {"JPEG2000": "JPEG 2000", "WEBP": "WebP"}  # Pillow's name -> the usual one


class Finding(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """The result of a check of one file. None or 0: not known, mostly because the file is bad."""

    reason: str | None = None  # why it is bad
    format: str | None = None
    mode: str | None = None  # Pillow's: RGB, L, P, CMYK, ...
    width: int = 0  # pixels
    height: int = 0
    orientation: int | None = None  # EXIF; 1 is upright
    channels: int = 0  # at which it was decoded; 0: only its header was checked
    lasts: bool = True  # whether it holds until the file changes

    @property
    def pixels(self) -> int:
        """Pixels of the image."""
        return self.width * self.height


def worker_bytes(most_pixels: int) -> int:
    """Return the bytes that a process may use to check images of up to `most_pixels` pixels."""
    return _OWN_BYTES + _BYTES_A_PIXEL * most_pixels


def limit_memory(most_pixels: int) -> None:
    """Limit how far this process's data may still grow: by `worker_bytes` (Linux).

    A lower limit that is already set stays.
    """
    with Path("/proc/self/status").open() as status:
        data_size = re.search(r"VmData:\s*(\d+) kB", status.read())
    if data_size is not None:
        most = int(data_size[1]) * 1024 + worker_bytes(most_pixels)
        soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        set_already = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_DATA, (min([most, *set_already]), hard))


def check(path: str, channels: int, most_pixels: int) -> Finding:
    """Check a file's header and, unless `channels` is 0, decode it by TensorFlow and by Pillow.

    An image of more than `most_pixels` pixels is not decoded; `judged` gives the reason.
    """
    finding = header(path)
    if finding.reason is not None or not channels or finding.pixels > most_pixels:
        return finding
    try:
        reason = _difference(path, channels)
    except (MemoryError, OSError) as error:
        return msgspec.structs.replace(finding, reason=_of_error(error), lasts=False)
    return msgspec.structs.replace(finding, reason=reason, channels=channels)


def judged(finding: Finding, channels: int, most_pixels: int) -> str | None:
    """Return why a file is bad at this limit and number of channels (0: by its header alone)."""
    if finding.pixels > most_pixels and (finding.reason is None or finding.channels):
        return (
            f"{finding.width:,} x {finding.height:,} pixels: over the limit of {most_pixels:,}"
            " (--max-pixels)"
        )
    return None if finding.channels and not channels else finding.reason


def header(path: str) -> Finding:
    """Return what Pillow reads from a file's header; no pixel is decoded."""
    from PIL import Image

    try:
        if (why := _unfit(path)) is not None:
            return why
        with unrestrained(), _opened(path) as opened, Image.open(opened) as image:
            name = _NAMES.get(image.format or "", image.format)
            is_foreign = image.format not in _TENSORFLOWS
            return Finding(
                reason=f"TensorFlow does not decode {name}" if is_foreign else None,
                format=name,
                mode=image.mode,
                width=image.width,
                height=image.height,
                orientation=_orientation(image),
            )
    except Exception as error:  # noqa: BLE001 - whatever a broken file makes Pillow raise
        if _is_of_system(error):
            return Finding(_of_error(error), lasts=False)
        return Finding(_unidentified(path, error), format=signature(path))


def _unfit(path: str) -> Finding | None:
    """Return why a file cannot hold an image, before it is opened; None if it may.

    Raises OSError if it cannot be accessed.
    """
    if is_address(path):
        return None if remote.size(path) else Finding("an empty file")
    status = os.stat(path)  # noqa: PTH116 - a million times
    if not stat.S_ISREG(status.st_mode):
        return Finding("not a regular file", lasts=False)
    return None if status.st_size else Finding("an empty file")


def _opened(path: str) -> AbstractContextManager[BinaryIO]:
    """Open a file; of one in a store, only the ranges are read that Pillow asks for."""
    if is_address(path):
        return remote.opened(path)
    return os.fdopen(open_regular(path), "rb")


def prepare_to_decode() -> None:
    """Restrict TensorFlow's runtime, which the first image starts, to one thread and no GPU."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.set_visible_devices([], "GPU")


@contextmanager
def unrestrained() -> Iterator[None]:
    """Lift Pillow's size limit and silence its warnings, because `judged` decides what is bad."""
    from PIL import Image

    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _unidentified(path: str, error: Exception) -> str:
    from PIL import UnidentifiedImageError

    if not isinstance(error, UnidentifiedImageError):
        return f"Pillow: {_text(error)}"
    if first_bytes(path, len(APPLE_DOUBLE)) == APPLE_DOUBLE:
        return "AppleDouble: metadata that macOS keeps of another file, not an image"
    if format_name := signature(path):
        return f"Pillow cannot identify it, although it starts like {format_name}"
    begins = first_bytes(path, _MARKUP_HEAD).lstrip().lower()
    if b"<svg" in begins:
        return "SVG, which neither TensorFlow nor Pillow decodes"
    is_markup = begins.startswith((b"<!", b"<?", b"<html"))
    return "HTML or XML text, not an image" if is_markup else "not an image that Pillow knows"


def _difference(path: str, channels: int) -> str | None:
    """Decode a file twice and return how the results differ, or why it cannot be decoded."""
    import numpy as np
    from PIL import Image

    encoded = remote.read(path)
    try:
        with unrestrained(), Image.open(BytesIO(encoded)) as image:
            kind = _kind(image, encoded)
            theirs = np.asarray(image.convert("RGB"))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a broken file makes Pillow raise
        return f"Pillow: {_text(error)}"
    ours = _by_tensorflow(encoded)
    if isinstance(ours, str):
        return f"{kind}TensorFlow: {ours}"
    if ours.shape != theirs.shape:
        sizes = [f"{shape[1]:,} x {shape[0]:,}" for shape in (ours.shape, theirs.shape)]
        return f"TensorFlow decodes {sizes[0]} pixels, Pillow {sizes[1]}"
    levels = _mean_difference(ours, theirs, channels)
    if levels <= _MOST_DIFFERENCE:
        return None
    return f"{kind}TensorFlow and Pillow differ by {levels:.1f} grey levels on average"


def _by_tensorflow(encoded: bytes) -> Any:
    """Return TensorFlow's array `[height, width, 3]`, or the text of its error."""
    import numpy as np
    import tensorflow as tf

    from feedbench.pipelines.images.decoding import decoded

    try:
        return np.asarray(decoded(tf.constant(encoded), (), "integer_accurate"))
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError from error
    except (tf.errors.OpError, ValueError) as error:
        return _text(error)


def _mean_difference(ours: Any, theirs: Any, channels: int) -> float:
    """Return the mean absolute difference in grey levels: of the colours, or of their luma."""
    import numpy as np

    rows = max(_STRIP_VALUES // (3 * ours.shape[1]), 1)
    weights = np.array(LUMA, np.float32)
    total = 0.0
    for top in range(0, len(ours), rows):
        strip = ours[top : top + rows].astype(np.float32) - theirs[top : top + rows]
        total += float(np.abs(strip @ weights if channels == 1 else strip).sum(dtype=np.float64))
    return total / (float(ours.size) / (3 if channels == 1 else 1))


def _kind(image: Image.Image, encoded: bytes) -> str:
    """Return what is uncommon about an image, as the beginning of a reason."""
    if image.mode == "CMYK":
        return "CMYK: "
    is_png = image.format == "PNG"
    if image.mode.startswith(("I", "F")) or (is_png and encoded[_PNG_DEPTH_AT] == _DEEP):
        return "16-bit: " if is_png else f"mode {image.mode}: "
    if image.mode.endswith("A") or "transparency" in image.info:
        return "transparency: "
    return "palette: " if image.mode == "P" else ""


def _orientation(image: Image.Image) -> int | None:
    # In a PNG, EXIF data follow the pixels: Pillow would decode all of it to find them.
    if image.format not in {"JPEG", "MPO", "WEBP", "TIFF"}:
        return None
    try:
        orientation = image.getexif().get(_ORIENTATION)
    except Exception:  # noqa: BLE001 - broken EXIF data do not make the pixels bad
        return None
    return orientation if isinstance(orientation, int) else None


def _is_of_system(error: Exception) -> bool:
    """Whether the system failed, not the file: Pillow raises OSError for bad files as well."""
    is_numbered = isinstance(error, OSError) and error.errno is not None
    return is_numbered or isinstance(error, MemoryError)


def _of_error(error: Exception) -> str:
    if not isinstance(error, OSError):
        return "it needs more memory than the check may use"
    match error.errno:
        case errno.ENOENT:
            return "no such file, or a link to nothing"
        case errno.ELOOP:
            return "a link that leads back to itself"
    return f"{UNREADABLE}{error.strerror}"


def _text(error: Exception) -> str:
    """Return an error's text on one line, without what TensorFlow puts around it."""
    text = re.sub(r"^\{\{.*?\}\} | \[Op:\w+\].*$", "", " ".join(str(error).split()))
    text = text.encode("utf-8", "backslashreplace").decode()
    return text[:_LONGEST_REASON].rstrip(".") or type(error).__name__
