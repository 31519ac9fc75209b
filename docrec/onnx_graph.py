"""The network as ONNX graphs: the backbone, which the CPU runtime executes, and the whole reader, which is exported."""

from typing import Any

import numpy as np

from docrec.chunk import FRAMES, HEIGHT, WIDTH
from docrec.errors import MissingDependencyError

OPSET = 17
IR_VERSION = 9


def backbone_to_onnx(backbone: Any, dtype: str = "float16") -> bytes:
    """Translate a Keras model of `network.build_backbone`.

    Args:
        backbone: the model.
        dtype: what its weights are stored as; they are computed with as float32.

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
    import keras

    nodes: list[Any] = []
    weights: list[Any] = []

    def constant(name: str, value: np.ndarray) -> str:
        stored = value.astype(dtype if value.dtype.kind == "f" else np.int64)
        if stored.dtype != np.float16:
            weights.append(numpy_helper.from_array(stored, name))
            return name
        weights.append(numpy_helper.from_array(stored, f"{name}_f16"))
        return node("Cast", [f"{name}_f16"], name, to=TensorProto.FLOAT)

    def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def convolution(x: str, layer: Any, norm: Any) -> str:
        """Convolution with its batch normalisation folded in."""
        gain = _array(norm.gamma) / np.sqrt(_array(norm.moving_variance) + norm.epsilon)
        kernel = (_array(layer.kernel) * gain).transpose(3, 2, 0, 1)
        mean = _array(norm.moving_mean) - (_array(layer.bias) if layer.use_bias else 0)
        bias = _array(norm.beta) - mean * gain
        parameters = [constant(f"{layer.name}_w", kernel), constant(f"{layer.name}_b", bias)]
        padding = "SAME_UPPER" if layer.padding == "same" else "VALID"
        return node("Conv", [x, *parameters], f"{layer.name}_y", strides=list(layer.strides), auto_pad=padding)

    def bilstm(x: str, layer: Any) -> str:
        """Both directions; Keras orders the gates i f c o, ONNX i o f c."""
        name = layer.name
        cells = [layer.forward_layer.cell, layer.backward_layer.cell]
        units = cells[0].units
        order = np.concatenate([np.arange(units) + gate * units for gate in (0, 3, 1, 2)])
        kernels = np.stack([_array(cell.kernel).T[order] for cell in cells])
        recurrent = np.stack([_array(cell.recurrent_kernel).T[order] for cell in cells])
        biases = np.stack([np.concatenate([_array(cell.bias)[order], np.zeros(4 * units)]) for cell in cells])
        parameters = [constant(f"{name}_w", kernels), constant(f"{name}_r", recurrent), constant(f"{name}_b", biases)]
        x = node("Transpose", [x], f"{name}_x", perm=[1, 0, 2])
        y = node("LSTM", [x, *parameters], f"{name}_h", direction="bidirectional", hidden_size=units)  # (70, 2, N, units)
        y = node("Transpose", [y], f"{name}_t", perm=[2, 0, 1, 3])
        return node("Reshape", [y, constant(f"{name}_shape", np.array([0, FRAMES, 2 * units]))], f"{name}_y")

    def translate(layer: Any, inputs: list[str]) -> str:
        """Images, (N, H, W, C) in Keras, are (N, C, H, W) here."""
        name, output = layer.name, f"{layer.name}_y"
        match type(layer).__name__.strip("_"):
            case "InputLayer":
                return node("Reshape", ["image", constant("image_shape", np.array([0, 1, HEIGHT, WIDTH]))], output)
            case "Rescaling":
                scaled = node("Mul", [*inputs, constant(f"{name}_scale", np.array(layer.scale))], f"{name}_scaled")
                return node("Add", [scaled, constant(f"{name}_offset", np.array(layer.offset))], output)
            case "Conv2D":
                return convolution(inputs[0], layer, backbone.get_layer(f"{name}_bn"))
            case "BatchNormalization":
                return inputs[0]
            case "ReLU":
                return node("Relu", inputs, output)
            case "MaxPooling2D":
                return node("MaxPool", inputs, output, kernel_shape=list(layer.pool_size), strides=list(layer.strides))
            case "Reshape":  # the image, by now one row, to frames
                row = node("Squeeze", [*inputs, constant(f"{name}_height", np.array([2]))], f"{name}_row")
                return node("Transpose", [row], output, perm=[0, 2, 1])
            case "BiLSTM" | "Bidirectional":
                return bilstm(inputs[0], layer)
            case "Concatenate":
                return node("Concat", inputs, output, axis=1 if len(layer.output.shape) == 4 else 2)
            case "Dense":
                scores = node("MatMul", [*inputs, constant(f"{name}_w", _array(layer.kernel))], f"{name}_xw")
                return node("Add", [scores, constant(f"{name}_b", _array(layer.bias))], output) if layer.use_bias else scores
            case "Add":
                return node("Add", inputs, output)
            case "Subtract":
                return node("Sub", inputs, output)
            case "Logsumexp":
                return node("ReduceLogSumExp", inputs, output, axes=[2])
            case kind:
                raise NotImplementedError(f"no ONNX form is known of the layer {name}, a {kind}")

    names: dict[int, str] = {}
    for layer in backbone.operations:
        names[id(layer.output)] = translate(layer, [names[id(tensor)] for tensor in keras.tree.flatten(layer.input)])
    features, blank = backbone.output["features"], backbone.output["blank"]
    node("Identity", [names[id(features)]], "features")
    node("Squeeze", [names[id(blank)], constant("last_axis", np.array([2]))], "blank")
    graph = helper.make_graph(
        nodes,
        "backbone",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", HEIGHT, WIDTH, 1])],
        [
            helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", FRAMES, features.shape[-1]]),
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
