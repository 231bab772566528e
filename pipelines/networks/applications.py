"""The networks of keras.applications: their names there, and their own image sizes in pixels.

The sizes are Keras' `default_size`, which keras/src/applications gives each network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from feedbench.pipelines.networks.course import activation_of, images_in, units_of

if TYPE_CHECKING:
    from feedbench.pipelines.contract import Workload

APPLICATIONS = {  # as people write it: the name in keras.applications, and the side in pixels
    "convnext_base": ("ConvNeXtBase", 224),
    "convnext_large": ("ConvNeXtLarge", 224),
    "convnext_small": ("ConvNeXtSmall", 224),
    "convnext_tiny": ("ConvNeXtTiny", 224),
    "convnext_xlarge": ("ConvNeXtXLarge", 224),
    "densenet121": ("DenseNet121", 224),
    "densenet169": ("DenseNet169", 224),
    "densenet201": ("DenseNet201", 224),
    "efficientnet_b0": ("EfficientNetB0", 224),
    "efficientnet_b1": ("EfficientNetB1", 240),
    "efficientnet_b2": ("EfficientNetB2", 260),
    "efficientnet_b3": ("EfficientNetB3", 300),
    "efficientnet_b4": ("EfficientNetB4", 380),
    "efficientnet_b5": ("EfficientNetB5", 456),
    "efficientnet_b6": ("EfficientNetB6", 528),
    "efficientnet_b7": ("EfficientNetB7", 600),
    "efficientnet_v2_b0": ("EfficientNetV2B0", 224),
    "efficientnet_v2_b1": ("EfficientNetV2B1", 240),
    "efficientnet_v2_b2": ("EfficientNetV2B2", 260),
    "efficientnet_v2_b3": ("EfficientNetV2B3", 300),
    "efficientnet_v2_l": ("EfficientNetV2L", 480),
    "efficientnet_v2_m": ("EfficientNetV2M", 480),
    "efficientnet_v2_s": ("EfficientNetV2S", 384),
    "inception_resnet_v2": ("InceptionResNetV2", 299),
    "inception_v3": ("InceptionV3", 299),
    "mobilenet": ("MobileNet", 224),
    "mobilenet_v2": ("MobileNetV2", 224),
    "mobilenet_v3_large": ("MobileNetV3Large", 224),
    "mobilenet_v3_small": ("MobileNetV3Small", 224),
    "nasnet_large": ("NASNetLarge", 331),
    "nasnet_mobile": ("NASNetMobile", 224),
    "resnet101": ("ResNet101", 224),
    "resnet101_v2": ("ResNet101V2", 224),
    "resnet152": ("ResNet152", 224),
    "resnet152_v2": ("ResNet152V2", 224),
    "resnet50": ("ResNet50", 224),
    "resnet50_v2": ("ResNet50V2", 224),
    "vgg16": ("VGG16", 224),
    "vgg19": ("VGG19", 224),
    "xception": ("Xception", 299),
}


def application(name: str, workload: Workload) -> Any:
    """Return a network of keras.applications without weights, for a workload's images and classes.

    Its last layer gives probabilities: softmax over the classes, or one sigmoid for binary labels.
    Raises ValueError if the images are smaller than the network takes.
    """
    import keras

    inputs, images = images_in(workload)
    network = getattr(keras.applications, APPLICATIONS[name][0])(
        weights=None,
        input_shape=tuple(images.shape[1:]),
        classes=units_of(workload),
        classifier_activation=activation_of(workload),
    )
    return network if images is inputs else keras.Model(inputs, network(images), name=name)
