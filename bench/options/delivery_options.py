# ruff: noqa: RUF009 - `option` and its like make fields, as dataclasses.field does
"""What every pipeline of a run delivers."""

from __future__ import annotations

from dataclasses import dataclass

from feedbench.bench.options import values as read
from feedbench.bench.options.option import Given, option
from feedbench.pipelines.contract import Channels, Dtype, LabelMode
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.forms import RANGES, DataFormat, Fit, ValueRange
from feedbench.pipelines.preprocessing import PREPROCESSINGS

MOST_PIXELS = 4096  # a side; a batch of 32 is 6 GB then
_USUAL_SIZE = (224, 224)


def _usual_size(given: Given) -> tuple[int, int]:
    network = PREPROCESSINGS.get(read.network_key(given.get("preprocess")))
    return _USUAL_SIZE if network is None else network.image_size


def _usual_range(given: Given) -> ValueRange:
    network = PREPROCESSINGS.get(read.network_key(given.get("preprocess")))
    if network is not None:
        return network.value_range
    return RANGES["0..255" if given.get("dtype") == "uint8" else "0..1"]


@dataclass(frozen=True, kw_only=True)
class DeliveryOptions:
    """The form of the images, the labels and the batches."""

    image_size: tuple[int, int] = option(  # height, width
        None,
        read=read.image_size,
        metavar="N|HxW",
        help="Size of the delivered images in pixels: N for a square, or HEIGHTxWIDTH.",
        otherwise="224, or that of the network of --preprocess",
        absent=_usual_size,
    )
    fit: Fit = option(
        "stretch",
        read=read.fit,
        metavar="stretch|crop|crop=SHARE|pad",
        help="How images of another aspect ratio are fitted to this size. crop: as Keras'"
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
        help="The values of black and white, or how channels are normalized. -1..1 and tf: as"
        " MobileNet's preprocess_input; 0..255: for a model with a Rescaling layer; imagenet and"
        " torch: by the mean and std of ImageNet; caffe: BGR minus the mean, as ResNet50's"
        " preprocess_input.",
        otherwise="0..1, or 0..255 for uint8",
        absent=_usual_range,
    )
    preprocess: str | None = option(
        None,
        read=read.network,
        metavar="NETWORK",
        help="Deliver what a pretrained network of keras.applications takes: the values of its"
        " preprocess_input, and its image size. Such as mobilenet_v2, resnet50, vgg16 or"
        " efficientnet_b0.",
        words=lambda: PREPROCESSINGS,
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
        given, alone = f"--range {name}", "--range"
        if self.preprocess is not None:
            given, alone = f"--preprocess {self.preprocess}", "--preprocess"
            takes = PREPROCESSINGS[self.preprocess].value_range
            if takes != self.value_range:
                raise RequestError(
                    f"--range {name}: expected no --range with {given}, whose values are"
                    f" {takes.name}",
                    hint="leave one of the two out",
                )
        if self.dtype == "uint8" and name != "0..255":
            raise RequestError(
                f"{given}: expected 0..255 with --dtype uint8"
                + (f"; its values are {name}" if self.preprocess else ""),
                hint=f"leave {alone} out, or use --dtype float32",
            )
        if self.channels == 1 and self.value_range.normalization != "none":
            instead = "leave --preprocess out" if self.preprocess else "--range 0..1"
            raise RequestError(
                f"{given}: its mean is of red, green and blue, and --channels is 1",
                hint=f"use --channels 3, or {instead}",
            )
