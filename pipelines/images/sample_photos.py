"""Photo-like JPEGs made from a seed, for a user who has no folder of images.

They cost a decoder as much time as real photos do. Measured on a 2-core machine with Pillow 13.0.0
and libjpeg-turbo 3.2.0, compared with "the flowers", 600 CC BY 2.0 photos of flowers:

                                     bytes a pixel    time to decode a pixel
    the flowers                          0.635           8.1 ns
    512 photos from here                 0.605           7.9 ns   0.98 of the flowers'
    uniform noise at quality 90          1.895          17.0 ns   2.13 of the flowers'

Bytes are a set's total over its total pixels. Times are of `Image.open(...).convert("RGB")` from
memory in one thread. Times and ratios are medians over eleven rounds of all sets in turn.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.system.pool import in_processes

Floats = NDArray[np.float32]
Colour = tuple[int, int, int]
"""The Y, Cb and Cr of a JPEG file: luma, blue difference, red difference; 0 to 255 each."""


@dataclass(frozen=True)
class Scene:
    """What the photos of one class have in common: a sky, a skyline and the land below it."""

    name: str
    sky: Colour
    land: Colour
    relief: float
    """Standard deviation of the skyline's height, as a share of the photo's height."""
    smoothness: float
    """The skyline's amplitude falls as 1/frequency**smoothness: 1 is jagged, 2 is rolling."""
    step: int
    """Pixels for which the skyline keeps one height: 1 for hills, more for roofs."""


SCENES = (
    Scene("beach", sky=(172, 146, 110), land=(178, 110, 138), relief=0.0, smoothness=1, step=1),
    Scene("city", sky=(186, 132, 125), land=(104, 127, 131), relief=0.12, smoothness=1, step=24),
    Scene("forest", sky=(190, 131, 125), land=(72, 113, 120), relief=0.08, smoothness=1, step=3),
    Scene("meadow", sky=(168, 148, 110), land=(118, 98, 122), relief=0.03, smoothness=2, step=1),
    Scene("mountain", sky=(176, 141, 117), land=(96, 131, 127), relief=0.1, smoothness=1.5, step=1),
)

# Field 1987, "Relations between the statistics of natural images and the response properties of
# cortical cells", JOSA A 4(12): the amplitude of natural images falls as 1/frequency.
SPECTRUM_DECAY = 1.0

# Rows Y, Cb, Cr out of three independent noises. Cb and Cr have 0.30 and 0.25 of Y's strength and
# correlations of -0.34 (Y, Cb), 0.23 (Y, Cr) and -0.40 (Cb, Cr). These are means over the flowers
# (above): of the strengths, and of the correlations' sizes, with the signs of the mean ones.
MIXING: Floats = np.array(
    [[1.0, 0.0, 0.0], [-0.10, 0.28, 0.0], [0.06, -0.09, 0.23]], dtype=np.float32
)

# Chosen so that the bytes a pixel match the flowers' in mean and, roughly, in spread.
CONTRASTS = (17.0, 76.0)  # standard deviation of the land's luma, 0-255 scale
SKY_CONTRAST = 0.2  # the sky's share of it: the flat part of a photo
QUALITIES = (85, 95)  # of the JPEG encoder, as cameras and photo sites use

LONG_SIDES = (300, 640)  # pixels; with these shapes the short side is 200 or more
LEAST_SIDE, MOST_SIDE = 32, 8192  # pixels, of photos whose size is asked for
SHAPES = (4 / 3, 3 / 2)  # long side over short side, as cameras make them
LANDSCAPE_SHARE = 2 / 3


def write_photos(
    folder: Path,
    count: int,
    seed: int = 0,
    processes: int | None = None,
    on_photo: Callable[[int, int], None] | None = None,
    size: tuple[int, int] | None = None,
) -> None:
    """Write `count` JPEGs into `folder`, one sub-folder per class: all of them, or nothing.

    The photos are RGB of 200 to 640 pixels a side, or of one `size`, (width, height). Photo `i`
    depends on `(seed, i)` and the size alone, not on `count` or `processes`. Its bytes are the same
    for the same versions of NumPy, Pillow and libjpeg on the same kind of processor.

    `processes` defaults to the processors that this process may use. `on_photo(done, count)` is
    called in the calling process after each photo. Until the last photo is written, all are in a
    directory `.<name>.<random>` next to `folder`. Any exception removes it; a killed process leaves
    it behind. Call this in the main thread, before other threads start.

    Raises RequestError for a `count` below one a class, `processes` below 1, a negative `seed`, or
    a `folder` that exists and is not an empty directory. Raises OSError if a photo cannot be
    written, RuntimeError if a worker process dies, and whatever `on_photo` raises.
    """
    folder = folder.resolve()
    _check(folder, count, seed, processes)
    _check_size(size)
    if processes is None:
        processes = len(os.sched_getaffinity(0))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as temporary:
        unfinished = Path(temporary) / folder.name
        for scene in SCENES:
            (unfinished / scene.name).mkdir(parents=True)
        photos = [(unfinished, seed, index, size) for index in range(count)]
        in_processes(
            _write_photo,
            photos,
            min(processes, count),
            lambda done: on_photo and on_photo(done, count),
        )
        unfinished.rename(folder)


def _check(folder: Path, count: int, seed: int, processes: int | None) -> None:
    if count < len(SCENES):
        raise RequestError(
            f"photo count: expected {len(SCENES)} or more, one for each class; found {count}"
        )
    if seed < 0:
        raise RequestError(f"seed: expected 0 or more; found {seed}")
    if processes is not None and processes < 1:
        raise RequestError(f"processes: expected 1 or more; found {processes}")
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        what = "a folder with files in it" if folder.is_dir() else "a file"
        raise RequestError(
            f"photo folder {folder}: expected a new or empty folder; found {what}",
            hint="choose another folder or remove this one",
        )


def _check_size(size: tuple[int, int] | None) -> None:
    if size is None:
        return
    width, height = size
    if not LEAST_SIDE <= min(size) <= max(size) <= MOST_SIDE:
        raise RequestError(
            f"photo size {width}x{height}: expected {LEAST_SIDE} to {MOST_SIDE} pixels a side"
        )


def _write_photo(folder: Path, seed: int, index: int, size: tuple[int, int] | None) -> None:
    rng = np.random.default_rng([seed, index])
    scene = SCENES[index % len(SCENES)]
    height, width = _height_and_width(rng)
    if size is not None:
        # A roof is as wide a part of the photo as in a small one.
        scene = replace(scene, step=max(scene.step * size[0] // width, 1))
        width, height = size
    colours, contrast = _painted(rng, scene, height, width)
    planes = colours + contrast * _texture(rng, *contrast.shape)
    channels = [Image.fromarray(plane) for plane in np.clip(planes, 0, 255).astype(np.uint8)]
    Image.merge("YCbCr", channels).convert("RGB").save(
        folder / scene.name / f"{index // len(SCENES):04d}.jpg",
        quality=int(rng.integers(*QUALITIES, endpoint=True)),
        subsampling="4:4:4",  # as all of the flowers have; 4:2:0 would decode faster
    )


def _height_and_width(rng: np.random.Generator) -> tuple[int, int]:
    long = int(rng.integers(*LONG_SIDES, endpoint=True))
    short = round(long / rng.choice(SHAPES))
    return (short, long) if rng.random() < LANDSCAPE_SHARE else (long, short)


def _painted(
    rng: np.random.Generator, scene: Scene, height: int, width: int
) -> tuple[Floats, Floats]:
    """Lay out a photo without its texture.

    Returns its YCbCr colours, (3, height, width), and the texture's strength at each pixel,
    (height, width). The outlines are hard edges, which noise of random phases never has.
    """
    y, x = np.ogrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    hills = scene.relief * _noise(rng, (1, width), scene.smoothness)[0]
    land = y > rng.uniform(0.25, 0.5) + np.repeat(hills[:: scene.step], scene.step)[:width]
    colours = np.where(land, _pixel(scene.land), _pixel(scene.sky))
    colours[0] += np.where(land, 0, 40 * (y - 0.3))  # skies are lighter near the horizon
    strength = np.exp(rng.uniform(*np.log(CONTRASTS)))
    contrast = np.where(land, strength, SKY_CONTRAST * strength).astype(np.float32)
    for _ in range(rng.integers(2, 7)):  # boulders, bushes, people: discs on the land
        centre_y, centre_x = rng.uniform(0.6, 1.0), rng.uniform(0.0, 1.0)
        radius_y, radius_x = rng.uniform(0.03, 0.15, size=2)
        disc = ((y - centre_y) / radius_y) ** 2 + ((x - centre_x) / radius_x) ** 2 < 1
        colours[:, disc] = _pixel(scene.land + rng.normal(0, (40, 10, 10)))[..., 0]
        contrast[disc] = strength * rng.uniform(0, 1)
    angle = rng.uniform(0, 2 * np.pi)
    shaded = land & ((y - 0.7) * np.sin(angle) + (x - 0.5) * np.cos(angle) > 0)
    colours[0, shaded] *= 0.65
    return colours, contrast


def _pixel(colour: ArrayLike) -> Floats:
    return np.array(colour, dtype=np.float32)[:, None, None]


def _texture(rng: np.random.Generator, height: int, width: int) -> Floats:
    """Make YCbCr noise of shape (3, height, width) whose luma has a standard deviation of 1."""
    noises = np.stack([_noise(rng, (height, width), SPECTRUM_DECAY) for _ in range(3)])
    mixed: Floats = np.einsum("ij,jhw->ihw", MIXING, noises)
    return mixed


def _noise(rng: np.random.Generator, shape: tuple[int, int], decay: float) -> Floats:
    """Make noise of standard deviation 1 whose amplitude falls as 1/frequency**decay."""
    height, width = shape
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    frequency[0, 0] = np.inf  # no constant part
    amplitude = (frequency**-decay).astype(np.float32)
    white = rng.standard_normal((*amplitude.shape, 2), dtype=np.float32).view(np.complex64)
    noise: Floats = np.fft.irfft2(amplitude * white[..., 0], s=shape).astype(np.float32)
    noise /= noise.std()
    return noise
