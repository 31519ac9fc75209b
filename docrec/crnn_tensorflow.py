"""The network of CRNN_Tensorflow, a predecessor of docrec, as a backbone: a VGG-like CNN and two bidirectional LSTMs.

Its one softmax over characters and blank is split as `network` has it: the character classifier is its last layer without the
blank's column, and the logit of the blank is the blank's score less the log of the sum of the characters' exponentiated scores.
The network is convolutional along the line, so that models trained on lines of another width read docrec's, whose rest is paper.
"""

from dataclasses import dataclass
from typing import Any

import keras

from docrec.chunk import FRAMES, HEIGHT, WIDTH

ARCHITECTURE = "crnn-tensorflow"
LSTM_UNITS = 256


@dataclass(frozen=True)
class CrnnTensorflowConfig:
    """Sizes of the network; but for the classes they are always the same.

    Attributes:
        classes: characters the network tells apart, the blank not counted.
    """

    classes: int

    @property
    def features(self) -> int:
        """Features of a frame."""
        return 2 * LSTM_UNITS

    def to_dict(self) -> dict[str, Any]:
        """The config as JSON values, with what else sets such a model apart: its input and its decoding."""
        fixed = {"input": "BGR, value / 127.5 - 1", "decoding": "prefix-1"}
        return {"architecture": ARCHITECTURE, "classes": self.classes, **fixed}


def build_backbone(config: CrnnTensorflowConfig) -> keras.Model:
    """Build the network (see `network.build_backbone` for its input and outputs); its layer `classifier` is the character classifier."""
    # === Layers ===
    image = keras.Input((HEIGHT, WIDTH, 1), name="image")
    classifier = keras.layers.Dense(config.classes, name="classifier")

    # === Functional graph ===
    x = keras.layers.Rescaling(-2.0, 1.0, name="paper_1_ink_-1")(image)  # value = 255 × (1 - ink)
    x = keras.layers.Concatenate(name="bgr")([x, x, x])
    x = _convolve(x, 64, 3, (1, 1), "conv1", use_bias=True)
    x = keras.layers.MaxPooling2D((2, 2), name="pool1")(x)  # 16 × 140
    x = _convolve(x, 128, 3, (1, 1), "conv2", use_bias=True)
    x = keras.layers.MaxPooling2D((2, 2), name="pool2")(x)  # 8 × 70
    x = _convolve(x, 256, 3, (1, 1), "conv3")
    x = _convolve(x, 256, 3, (1, 1), "conv4")
    x = keras.layers.MaxPooling2D((2, 1), name="pool4")(x)  # 4 × 70
    x = _convolve(x, 512, 3, (1, 1), "conv5")
    x = _convolve(x, 512, 3, (1, 1), "conv6")
    x = keras.layers.MaxPooling2D((2, 1), name="pool6")(x)  # 2 × 70
    x = _convolve(x, 512, 2, (2, 1), "conv7")  # 1 × 70
    x = keras.layers.Reshape((FRAMES, 512), name="frames")(x)
    for name in ("bilstm0", "bilstm1"):
        x = keras.layers.Bidirectional(keras.layers.LSTM(LSTM_UNITS, return_sequences=True, name="lstm"), name=name)(x)
    characters = keras.ops.logsumexp(classifier(x), axis=-1, keepdims=True)
    score = keras.layers.Dense(1, use_bias=False, name="blank_score")(x)
    blank = keras.layers.Subtract(name="blank")([score, characters])
    return keras.Model(image, {"features": x, "blank": blank}, name="backbone")


def _convolve(x: Any, filters: int, size: int, strides: Any, name: str, use_bias: bool = False) -> Any:
    """Convolution, batch normalisation, ReLU."""
    x = keras.layers.Conv2D(filters, size, strides, "same", use_bias=use_bias, name=name)(x)
    x = keras.layers.BatchNormalization(epsilon=1e-3, name=f"{name}_bn")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)
