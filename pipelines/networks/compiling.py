"""Compiles a model that is not compiled, and refuses a loss that other labels need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from feedbench.pipelines.errors import RequestError

if TYPE_CHECKING:
    from feedbench.pipelines.contract import LabelMode, Workload

_PROBABILITIES = {"softmax", "sigmoid"}
_LOSSES: dict[str, LabelMode] = {
    "sparsecategoricalcrossentropy": "int",
    "categoricalcrossentropy": "categorical",
    "categoricalfocalcrossentropy": "categorical",
    "binarycrossentropy": "binary",
    "binaryfocalcrossentropy": "binary",
}


def compile_for(model: Any, workload: Workload) -> str:
    """Compile a model for a workload's labels; return in words what it was compiled with.

    The loss is a cross-entropy: sparse for int labels. It reads the outputs as probabilities if
    they are, and else as logits.
    """
    import keras

    from_logits = not gives_probabilities(model)
    losses, metrics = keras.losses, keras.metrics
    loss, accuracy = {
        "int": (losses.SparseCategoricalCrossentropy, metrics.SparseCategoricalAccuracy()),
        "categorical": (losses.CategoricalCrossentropy, metrics.CategoricalAccuracy()),
        # A logit of 0 is a probability of one half.
        "binary": (
            losses.BinaryCrossentropy,
            metrics.BinaryAccuracy(threshold=0.0 if from_logits else 0.5),
        ),
    }[workload.label_mode]
    accuracy.name = "accuracy"
    model.compile(optimizer="adam", loss=loss(from_logits=from_logits), metrics=[accuracy])
    kind = "logits" if from_logits else "probabilities"
    return f"Adam and {loss.__name__} of {kind}"


def gives_probabilities(model: Any) -> bool:
    """Return whether a model's last layer is a softmax or a sigmoid."""
    layer = _last_layer(model)
    name = getattr(getattr(layer, "activation", None), "__name__", "")
    return name in _PROBABILITIES or type(layer).__name__ == "Softmax"


def _last_layer(model: Any) -> Any:
    """Return the layer that makes a model's output, within nested models."""
    outputs = getattr(model, "outputs", None)
    history = getattr(outputs[0], "_keras_history", None) if outputs else None
    layer = history.operation if history is not None else None
    if layer is None:
        layers = getattr(model, "layers", [])
        layer = layers[-1] if layers else None
    has_layers = layer is not None and getattr(layer, "layers", None)
    return _last_layer(layer) if has_layers else layer


def refuse_other_labels(model: Any, workload: Workload, text: str) -> None:
    """Raise RequestError if a compiled model's loss is one for another label mode."""
    loss = getattr(model, "loss", None)
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    mode = _LOSSES.get(name.lower().replace("_", ""))
    is_same = mode == workload.label_mode
    # Keras takes one-hot labels for a binary cross-entropy as well: one yes or no a class.
    if mode is None or is_same or (mode == "binary" and workload.label_mode == "categorical"):
        return
    raise RequestError(
        f"--model {text} is compiled with {name}, which takes {mode} labels; found --label-mode"
        f" {workload.label_mode}",
        hint=f"use --label-mode {mode}, or compile the model with another loss",
    )
