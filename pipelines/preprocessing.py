"""What the networks of keras.applications take: the values and the size of their images.

The values are those of `preprocess_input` in the network's module below keras/src/applications.
There it calls `imagenet_utils.preprocess_input` with a mode (tf, caffe or torch), or returns 0..255
unchanged, since the network itself begins with a rescaling. The size is the `default_size` of the
network's function in the same module.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from feedbench.pipelines.forms import RANGES, ValueRange


@dataclass(frozen=True)
class Preprocessing:
    """The images that a network of keras.applications takes."""

    module: str  # of keras.applications, with preprocess_input
    function: str  # of keras.applications, which builds the network
    value_range: ValueRange
    image_size: tuple[int, int]  # height, width in pixels


def _all() -> Iterator[tuple[str, Preprocessing]]:
    """Yield each network's name, and what it takes; a module's own name is its first network."""
    for module, (mode, networks) in _MODULES.items():
        for place, (name, (function, size)) in enumerate(networks.items()):
            takes = Preprocessing(module, function, RANGES[mode], (size, size))
            if not place and name != module:
                yield module, takes
            yield name, takes


_MODULES: dict[str, tuple[str, dict[str, tuple[str, int]]]] = {
    "mobilenet": ("tf", {"mobilenet": ("MobileNet", 224)}),
    "mobilenet_v2": ("tf", {"mobilenet_v2": ("MobileNetV2", 224)}),
    "mobilenet_v3": (
        "0..255",
        {
            "mobilenet_v3_small": ("MobileNetV3Small", 224),
            "mobilenet_v3_large": ("MobileNetV3Large", 224),
        },
    ),
    "resnet": (
        "caffe",
        {
            "resnet50": ("ResNet50", 224),
            "resnet101": ("ResNet101", 224),
            "resnet152": ("ResNet152", 224),
        },
    ),
    "resnet_v2": (
        "tf",
        {
            "resnet50_v2": ("ResNet50V2", 224),
            "resnet101_v2": ("ResNet101V2", 224),
            "resnet152_v2": ("ResNet152V2", 224),
        },
    ),
    "vgg16": ("caffe", {"vgg16": ("VGG16", 224)}),
    "vgg19": ("caffe", {"vgg19": ("VGG19", 224)}),
    "densenet": (
        "torch",
        {
            "densenet121": ("DenseNet121", 224),
            "densenet169": ("DenseNet169", 224),
            "densenet201": ("DenseNet201", 224),
        },
    ),
    "inception_v3": ("tf", {"inception_v3": ("InceptionV3", 299)}),
    "inception_resnet_v2": ("tf", {"inception_resnet_v2": ("InceptionResNetV2", 299)}),
    "xception": ("tf", {"xception": ("Xception", 299)}),
    "nasnet": (
        "tf",
        {"nasnet_mobile": ("NASNetMobile", 224), "nasnet_large": ("NASNetLarge", 331)},
    ),
    "efficientnet": (
        "0..255",
        {
            f"efficientnet_b{number}": (f"EfficientNetB{number}", size)
            for number, size in enumerate((224, 240, 260, 300, 380, 456, 528, 600))
        },
    ),
    "efficientnet_v2": (
        "0..255",
        {
            f"efficientnet_v2_{variant.lower()}": (f"EfficientNetV2{variant}", size)
            for variant, size in (
                *(("B0", 224), ("B1", 240), ("B2", 260), ("B3", 300)),
                *(("S", 384), ("M", 480), ("L", 480)),
            )
        },
    ),
    "convnext": (
        "0..255",
        {
            f"convnext_{variant.lower()}": (f"ConvNeXt{variant}", 224)
            for variant in ("Tiny", "Small", "Base", "Large", "XLarge")
        },
    ),
}

PREPROCESSINGS = dict(_all())
"""What --preprocess takes."""
