# ruff: noqa: RUF009 - `option` and its like make fields, as dataclasses.field does
"""What every pipeline of a run delivers."""

from __future__ import annotations

from dataclasses import dataclass

from feedbench.bench.options import values as read
from feedbench.bench.options.option import option
from feedbench.pipelines.contract import Channels, Dtype, LabelMode
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.forms import RANGES, DataFormat, Fit, ValueRange

MOST_PIXELS = 4096  # a side; a batch of 32 is 6 GB then


@dataclass(frozen=True, kw_only=True)
class DeliveryOptions:
    """The form of the images, the labels and the batches."""

    image_size: tuple[int, int] = option(  # height, width
        "224",
        read=read.image_size,
        metavar="N|HxW",
        help="Size of the delivered images in pixels: N for a square, or HEIGHTxWIDTH.",
    )
    fit: Fit = option(
        "stretch",
        read=read.fit,
        metavar="stretch|crop|crop=SHARE|pad",
        help="How images of other proportions become this size. crop: as Keras'"
        " crop_to_aspect_ratio; crop=0.875: as torchvision's Resize(256) and CenterCrop(224); pad:"
        " with black, as tf.image.resize_with_pad.",
    )
    channels: Channels = option(
        "3",
        read=read.one_of(read.CHANNELS),
        metavar="1|3",
        help="3 is RGB. 1 is grey: 0.299 R + 0.587 G + 0.114 B of the resized image.",
    )
    dtype: Dtype = option(
        "float32",
        read=read.one_of(read.DTYPES),
        metavar="float32|float16|bfloat16|uint8",
        help="Type of the delivered images. uint8 is 0..255, rounded half to even.",
    )
    data_format: DataFormat = option(
        "channels_last",
        name="layout",
        read=read.one_of(read.DATA_FORMATS),
        metavar="channels_last|channels_first",
        help="Layout of the images: [B, height, width, channels] or [B, channels, height, width].",
    )
    value_range: ValueRange = option(
        None,
        name="range",
        read=read.one_of(RANGES),
        metavar="0..1|-1..1|0..255|imagenet|tf|caffe|torch",
        help="Black and white, or how channels are normalized. -1..1 and tf: as MobileNet's"
        " preprocess_input; 0..255: for a model with a Rescaling layer; imagenet and torch: by the"
        " mean and std of ImageNet; caffe: BGR minus the mean, as ResNet50's preprocess_input.",
        otherwise="0..1, or 0..255 for uint8",
        absent=lambda given: RANGES["0..255" if given.get("dtype") == "uint8" else "0..1"],
    )
    label_mode: LabelMode = option(
        "int",
        read=read.one_of(read.LABEL_MODES),
        metavar="int|categorical|binary",
        help="int is [B] int32. categorical is one-hot, [B, classes] float32. binary is [B, 1]"
        " float32, for 2 classes.",
    )
    batch_size: int = option("32", read=read.whole_number, metavar="N", help="Images per batch.")

    def __post_init__(self) -> None:
        """Raise RequestError for what no pipeline can deliver."""
        height, width = self.image_size
        if not (1 <= height <= MOST_PIXELS and 1 <= width <= MOST_PIXELS):
            raise RequestError(
                f"--image-size {height}x{width}: expected 1 to {MOST_PIXELS} pixels a side"
            )
        self._refuse_range()
        read.refuse_under_1("--batch-size", self.batch_size, "images")

    def _refuse_range(self) -> None:
        """Raise RequestError for a range that the dtype or the channels cannot have."""
        name = self.value_range.name
        if self.dtype == "uint8" and name != "0..255":
            raise RequestError(
                f"--range {name}: expected 0..255 with --dtype uint8",
                hint="leave --range out, or use --dtype float32",
            )
        if self.channels == 1 and self.value_range.normalization != "none":
            raise RequestError(
                f"--range {name}: its mean is of red, green and blue, and --channels is 1",
                hint="use --channels 3, or --range 0..1",
            )
