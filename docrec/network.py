"""The recogniser's network: a CRNN (CNN + BiLSTM, trained with CTC) as Keras 3 functional models, and the door to imported ones.

Shi, Bai and Yao, "An End-to-End Trainable Neural Network for Image-based Sequence Recognition", 2015 (arXiv:1507.05717).
The class scores are factorised: one output says how likely a frame is blank, a softmax says which character it is if it is
not. At reading time the softmax over thousands of characters is then needed only at the few frames that are not blank.
"""

from dataclasses import asdict, dataclass
from typing import Any

import keras

from docrec import crnn_tensorflow
from docrec.chunk import FRAMES, HEIGHT, WIDTH
from docrec.crnn_tensorflow import CrnnTensorflowConfig


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes of the network.

    Attributes:
        classes: characters the network tells apart, the blank not counted.
        channels: filters of the five stages of the CNN.
        lstm_units: units of the LSTM in each direction.
    """

    classes: int
    channels: tuple[int, int, int, int, int] = (32, 32, 64, 128, 256)
    lstm_units: int = 128

    @property
    def features(self) -> int:
        """Features of a frame."""
        return self.channels[-1] + 2 * self.lstm_units

    def to_dict(self) -> dict[str, Any]:
        """The config as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "NetworkConfig":
        """The inverse of `to_dict`."""
        return cls(**{**values, "channels": tuple(values["channels"])})


def to_config(values: dict[str, Any]) -> NetworkConfig | CrnnTensorflowConfig:
    """The config whose `to_dict` gave these values.

    Raises:
        ValueError: they are those of no architecture that this docrec has.
    """
    architecture = values.get("architecture")
    if architecture == crnn_tensorflow.ARCHITECTURE:
        return CrnnTensorflowConfig(values["classes"])
    if architecture is not None:
        raise ValueError(f"the architecture must be {crnn_tensorflow.ARCHITECTURE}, or unnamed if docrec's own, got {architecture!r}")
    return NetworkConfig.from_dict(values)


def build_backbone(config: NetworkConfig | CrnnTensorflowConfig) -> keras.Model:
    """Build the part that runs on every frame.

    Returns:
        A model from images float32 (N, 32, 280, 1), 0 = paper, 1 = ink, to two float32 outputs:
        `features` (N, 70, F), F = config.features, and `blank` (N, 70, 1), the logit of "no character".
    """
    if isinstance(config, CrnnTensorflowConfig):
        return crnn_tensorflow.build_backbone(config)
    # === Layers ===
    image = keras.Input((HEIGHT, WIDTH, 1), name="image")
    first, second, third, fourth, fifth = config.channels

    # === Functional graph ===
    x = _convolve(image, first, 4, (2, 2), "conv1")  # 16 × 140
    x = _convolve(x, second, 3, (1, 1), "conv2")
    x = _convolve(x, third, 3, (2, 2), "conv3")  # 8 × 70
    x = _convolve(x, third, 3, (1, 1), "conv4")
    x = _convolve(x, fourth, 3, (2, 1), "conv5")  # 4 × 70
    shortcut = x
    x = _convolve(x, fourth, 3, (1, 1), "conv6")
    x = _convolve(x, fourth, 3, (1, 1), "conv7", shortcut)
    x = _convolve(x, fifth, 3, (2, 1), "conv8")  # 2 × 70
    x = _convolve(x, fifth, (2, 1), (1, 1), "conv9", padding="valid")  # 1 × 70
    visual = keras.layers.Reshape((FRAMES, fifth), name="frames")(x)
    context = _BiLSTM(keras.layers.LSTM(config.lstm_units, return_sequences=True, name="lstm"), name="bilstm")(visual)
    features = keras.layers.Concatenate(name="features", dtype="float32")([visual, context])
    blank = keras.layers.Dense(1, name="blank", dtype="float32")(features)
    return keras.Model(image, {"features": features, "blank": blank}, name="backbone")


def build_classifier(config: NetworkConfig | CrnnTensorflowConfig) -> keras.layers.Dense:
    """Build the character classifier: features (…, F) to logits (…, classes)."""
    layer = keras.layers.Dense(config.classes, name="classifier", dtype="float32")
    layer.build((None, config.features))
    return layer


def _convolve(x: Any, filters: int, size: Any, strides: Any, name: str, shortcut: Any = None, padding: str = "same") -> Any:
    """Convolution, batch normalisation, the residual if there is one, ReLU."""
    x = keras.layers.Conv2D(filters, size, strides, padding, use_bias=False, name=name)(x)
    x = _BatchNormalization(momentum=0.98, epsilon=1e-3, name=f"{name}_bn")(x)
    if shortcut is not None:
        x = keras.layers.Add(name=f"{name}_add")([x, shortcut])
    return keras.layers.ReLU(name=f"{name}_relu")(x)


class _BatchNormalization(keras.layers.BatchNormalization):
    """Keras's batch normalisation, in training on PyTorch through its fused kernel (four times faster on a CPU)."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not training or keras.backend.backend() != "torch":
            return super().call(inputs, training=training, mask=mask)
        from torch.nn.functional import batch_norm

        x = inputs.permute(0, 3, 1, 2)
        mean, variance = self.moving_mean.value.detach(), self.moving_variance.value.detach()
        x = batch_norm(x, mean, variance, self.gamma.value, self.beta.value, True, 1 - self.momentum, self.epsilon)
        return x.permute(0, 2, 3, 1)


class _BiLSTM(keras.layers.Bidirectional):
    """Keras's bidirectional LSTM, in training on PyTorch through its fused kernel (three times faster on a CPU)."""

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool | None = None) -> Any:
        if not training or keras.backend.backend() != "torch":
            return super().call(sequences, initial_state=initial_state, mask=mask, training=training)
        import torch

        sequences = sequences.float()
        weights = []
        for cell in (self.forward_layer.cell, self.backward_layer.cell):
            kernel, recurrent, bias = cell.kernel.value, cell.recurrent_kernel.value, cell.bias.value
            weights += [kernel.t().contiguous(), recurrent.t().contiguous(), bias, torch.zeros_like(bias)]
        state = sequences.new_zeros((2, sequences.shape[0], self.forward_layer.units))
        with torch.autocast(sequences.device.type, torch.bfloat16, enabled=self.compute_dtype == "bfloat16"):
            return torch.lstm(sequences, (state, state), weights, True, 1, 0.0, True, True, True)[0]
