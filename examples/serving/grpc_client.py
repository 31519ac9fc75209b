#!/usr/bin/env python3
"""Read by a model that TensorFlow Serving serves, over gRPC:  python examples/serving/grpc_client.py LINE.png...

Needs `pip install '.[serving]'`. Make the model, and start the server in one of these ways:

    docrec export --to saved-model --out serving/docrec
    docker run -p 8500:8500 -v "$PWD/serving/docrec:/models/docrec" -e MODEL_NAME=docrec tensorflow/serving
    tensorflow_model_server --port=8500 --model_name=docrec --model_base_path="$PWD/serving/docrec"

Then:

    python examples/serving/grpc_client.py line.png
    python examples/serving/grpc_client.py --pages examples/sample.pdf --server localhost:9000
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import grpc
import numpy as np
import tensorflow as tf
from reading import Predict, Prediction, ServerError, main
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc


def connect(server: str, model: str) -> Predict:
    """What asks PredictionService.Predict."""
    service = prediction_service_pb2_grpc.PredictionServiceStub(grpc.insecure_channel(server))

    def predict(images: np.ndarray) -> list[Prediction]:
        request = predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = model, "docrec"
        request.inputs["images"].CopyFrom(tf.make_tensor_proto(images))
        try:
            answer = service.Predict(request, timeout=60)
        except grpc.RpcError as error:
            if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                reason = error.details()
                raise ServerError(f"TensorFlow Serving must run at {server}, and does not answer ({reason}); --help says how") from error
            raise ServerError(f"{server} refuses: {error.details()}") from error
        columns = {name: tf.make_ndarray(tensor).tolist() for name, tensor in answer.outputs.items()}
        columns["text"] = [text.decode() for text in columns["text"]]
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    return predict


if __name__ == "__main__":
    main(__doc__ or "", "localhost:8500", connect)
