"""The network as ONNX graphs: the backbone, which the CPU runtime executes, and the whole reader, which is exported."""

from typing import Any

import numpy as np

from docrec.chunk import FRAMES, HEIGHT, WIDTH
from docrec.errors import MissingDependencyError

OPSET = 17
IR_VERSION = 9


def backbone_to_onnx(backbone: Any) -> bytes:
    """Translate the Keras model of `network.build_backbone`.

    Weights are stored as float16 and computed with as float32.

    Returns:
        A serialised ONNX model; input `image` float32 (N, 32, 280, 1), outputs `features` (N, 70, F) and `blank` (N, 70).

    Raises:
        MissingDependencyError: the package onnx is not installed.
    """
    try:
        import onnx
        from onnx import TensorProto, helper, numpy_helper
    except ImportError as error:
        raise MissingDependencyError("saving a model needs the package onnx; install docrec[train]") from error

    nodes: list[Any] = []
    weights: list[Any] = []

    def constant(name: str, value: np.ndarray) -> str:
        if value.dtype.kind != "f":
            weights.append(numpy_helper.from_array(value.astype(np.int64), name))
            return name
        weights.append(numpy_helper.from_array(value.astype(np.float16), f"{name}_f16"))
        return node("Cast", [f"{name}_f16"], name, to=TensorProto.FLOAT)

    def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def convolution(x: str, layer: Any, norm: Any, shortcut: str = "") -> str:
        """Convolution with its batch normalisation folded in, the residual if there is one, ReLU."""
        gain = _array(norm.gamma) / np.sqrt(_array(norm.moving_variance) + norm.epsilon)
        kernel = (_array(layer.kernel) * gain).transpose(3, 2, 0, 1)
        bias = _array(norm.beta) - _array(norm.moving_mean) * gain
        parameters = [constant(f"{layer.name}_w", kernel), constant(f"{layer.name}_b", bias)]
        padding = "SAME_UPPER" if layer.padding == "same" else "VALID"
        y = node("Conv", [x, *parameters], f"{layer.name}_conv", strides=list(layer.strides), auto_pad=padding)
        if shortcut:
            y = node("Add", [y, shortcut], f"{layer.name}_add")
        return node("Relu", [y], layer.name)

    def bilstm(x: str, layer: Any) -> str:
        """Both directions; Keras orders the gates i f c o, ONNX i o f c."""
        cells = [layer.forward_layer.cell, layer.backward_layer.cell]
        units = cells[0].units
        order = np.concatenate([np.arange(units) + gate * units for gate in (0, 3, 1, 2)])
        kernels = np.stack([_array(cell.kernel).T[order] for cell in cells])
        recurrent = np.stack([_array(cell.recurrent_kernel).T[order] for cell in cells])
        biases = np.stack([np.concatenate([_array(cell.bias)[order], np.zeros(4 * units)]) for cell in cells])
        inputs = [x, constant("lstm_w", kernels), constant("lstm_r", recurrent), constant("lstm_b", biases)]
        y = node("LSTM", inputs, "lstm_y", direction="bidirectional", hidden_size=units)  # (70, 2, N, units)
        y = node("Transpose", [y], "lstm_t", perm=[2, 0, 1, 3])
        return node("Reshape", [y, constant("lstm_shape", np.array([0, FRAMES, 2 * units]))], "context")

    layers = {layer.name: layer for layer in backbone.layers}
    x = node("Reshape", ["image", constant("image_shape", np.array([0, 1, HEIGHT, WIDTH]))], "nchw")
    shortcut = ""
    for layer in (layer for layer in backbone.layers if layer.__class__.__name__ == "Conv2D"):
        residual = f"{layer.name}_add" in layers
        x = convolution(x, layer, layers[f"{layer.name}_bn"], shortcut if residual else "")
        if layer.name == "conv5":
            shortcut = x
    x = node("Squeeze", [x, constant("height_axis", np.array([2]))], "columns")  # (N, C, 70)
    visual = node("Transpose", [x], "visual", perm=[0, 2, 1])
    context = bilstm(node("Transpose", [x], "sequence", perm=[2, 0, 1]), layers["bilstm"])
    node("Concat", [visual, context], "features", axis=2)
    head = layers["blank"]
    scores = node("MatMul", ["features", constant("blank_w", _array(head.kernel))], "blank_scores")
    scores = node("Add", [scores, constant("blank_b", _array(head.bias))], "blank_logits")
    node("Squeeze", [scores, constant("last_axis", np.array([2]))], "blank")

    width = backbone.output["features"].shape[-1]
    graph = helper.make_graph(
        nodes,
        "backbone",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", HEIGHT, WIDTH, 1])],
        [
            helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", FRAMES, width]),
            helper.make_tensor_value_info("blank", TensorProto.FLOAT, ["N", FRAMES]),
        ],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def reader_to_onnx(backbone: bytes, kernel: np.ndarray, bias: np.ndarray) -> bytes:
    """Put pictures before a backbone and the classifier behind it.

    Args:
        backbone: what `backbone_to_onnx` returns.
        kernel: the classifier's, float32 (F, K); stored as float16.
        bias: the classifier's, float32 (K,).

    Returns:
        A serialised ONNX model; input `images` uint8 (N, 32, 280), 255 = paper, output `log_probabilities` float32 (N, 70, K + 1),
        the blank last.

    Raises:
        MissingDependencyError: the package onnx is not installed.
    """
    try:
        import onnx
        from onnx import TensorProto, helper, numpy_helper
    except ImportError as error:
        raise MissingDependencyError("this export needs the package onnx; install docrec[train]") from error

    model = onnx.compose.add_prefix(onnx.load_from_string(backbone), "backbone/")  # its names may be any
    graph = model.graph
    constants = {
        "paper": np.float32(255),
        "gray_axis": np.array([3]),
        "blank_axis": np.array([2]),
        "classifier_w_f16": kernel.astype(np.float16),
        "classifier_b": bias,
    }
    graph.initializer.extend(numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items())
    before = [
        helper.make_node("Cast", ["images"], ["gray"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["paper", "gray"], ["darkness"]),
        helper.make_node("Div", ["darkness", "paper"], ["ink"]),
        helper.make_node("Unsqueeze", ["ink", "gray_axis"], ["backbone/image"]),
    ]
    behind = [
        helper.make_node("Cast", ["classifier_w_f16"], ["classifier_w"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["backbone/features", "classifier_w"], ["products"]),
        helper.make_node("Add", ["products", "classifier_b"], ["scores"]),
        helper.make_node("LogSoftmax", ["scores"], ["log_if_shown"], axis=2),
        helper.make_node("Unsqueeze", ["backbone/blank", "blank_axis"], ["blank_logit"]),
        helper.make_node("Neg", ["blank_logit"], ["shown_logit"]),
        helper.make_node("Softplus", ["blank_logit"], ["minus_log_shown"]),  # log sigmoid(x) = -softplus(-x)
        helper.make_node("Softplus", ["shown_logit"], ["minus_log_blank"]),
        helper.make_node("Sub", ["log_if_shown", "minus_log_shown"], ["log_shown"]),
        helper.make_node("Neg", ["minus_log_blank"], ["log_blank"]),
        helper.make_node("Concat", ["log_shown", "log_blank"], ["log_probabilities"], axis=2),
    ]
    nodes = [*before, *graph.node, *behind]
    del graph.node[:], graph.input[:], graph.output[:]
    graph.node.extend(nodes)
    graph.input.append(helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", HEIGHT, WIDTH]))
    graph.output.append(helper.make_tensor_value_info("log_probabilities", TensorProto.FLOAT, ["N", FRAMES, len(bias) + 1]))
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _array(variable: Any) -> np.ndarray:
    import keras

    return np.asarray(keras.ops.convert_to_numpy(variable), np.float32)
