"""Code that loads a saved model and predicts the class of a photo, in the workload's form."""

from __future__ import annotations

from feedbench.bench.records.run import WorkloadRecord
from feedbench.pipelines.forms import NORMALIZED, ValueRange, uniform

_FITS: dict[str, list[str]] = {"stretch": [], "crop": ["    keep_aspect_ratio=True,"]}


def code(work: WorkloadRecord, model: str) -> str:
    """Return the code; for a `fit` that load_img does not have, it loads the model only."""
    if work.fit not in _FITS:
        return f"import keras\n\nmodel = keras.models.load_model({model!r})\nmodel.summary()\n"
    mode = "grayscale" if work.channels == 1 else "rgb"
    lines = [
        "import keras",
        "import numpy as np",
        "",
        f"CLASSES = {list(work.classes)!r}",
        "",
        f"model = keras.models.load_model({model!r})",
        "photo = keras.utils.load_img(",
        '    "photo.jpg",',
        f'    color_mode="{mode}",',
        f"    target_size=({work.height}, {work.width}),",
        *_FITS[work.fit],
        '    interpolation="bilinear",',
        ")",
        "image = keras.utils.img_to_array(photo)",
        *_values(work),
        *(["image = image.transpose(2, 0, 1)"] if work.data_format == "channels_first" else []),
        f'scores = model.predict(image[np.newaxis].astype("{work.dtype}"))[0]',
        *_class(work),
    ]
    return "\n".join(lines) + "\n"


def _values(work: WorkloadRecord) -> list[str]:
    """Return the lines that bring grey levels into the range of the workload."""
    low, high = work.value_range
    if work.normalization not in NORMALIZED:
        return _of_range(uniform(low, high), low)
    (values,) = (each for name, each in NORMALIZED.items() if name == work.normalization)
    turned = ["image = image[..., ::-1]"] if values.is_bgr else []
    return [*turned, f"image = (image - {list(values.mean)}) / {list(values.std)}"]


def _of_range(values: ValueRange, low: float) -> list[str]:
    std = values.std[0]
    scaled = "" if std == 1 else f" / {std:g}"
    shifted = "" if low == 0 else f" {'+' if low > 0 else '-'} {abs(low):g}"
    return [f"image = image{scaled}{shifted}"] if scaled or shifted else []


def _class(work: WorkloadRecord) -> list[str]:
    if work.label_mode == "binary":
        return [
            "# 0.5 is for a sigmoid; a model that returns a logit needs 0",
            "print(CLASSES[int(scores[0] > 0.5)], scores)",
        ]
    return ["print(CLASSES[int(np.argmax(scores))], scores)"]
