"""The clients in examples/serving, against small servers that answer as TensorFlow Serving does, with an exported model.

TensorFlow Serving itself is in neither PyPI nor Debian. What stands in for it speaks its protocols: the PredictionService of
tensorflow-serving-api over gRPC, and the JSON of its REST interface.
"""

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import grpc
import numpy as np
import pytest
from PIL import Image
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

import docrec
from docrec.bundle import load_bundle
from docrec.export import document_to_images, export
from docrec.options import ExportOptions


class Model:
    """A SavedModel as a server runs it: by the name of a signature, from arrays to arrays."""

    def __init__(self, path):
        import tensorflow as tf

        self.signatures = tf.saved_model.load(str(path)).signatures

    def __call__(self, signature, inputs):
        import tensorflow as tf

        function = self.signatures[signature]
        expected = function.structured_input_signature[1]
        inputs = {name: tf.constant(value, expected[name].dtype) for name, value in inputs.items()}
        return {name: value.numpy() for name, value in function(**inputs).items()}


class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, model):
        self.model = model

    def Predict(self, request, context):
        import tensorflow as tf

        if request.model_spec.name != "docrec":
            context.abort(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: Latest({request.model_spec.name})")
        arrays = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
        response = predict_pb2.PredictResponse()
        for name, value in self.model(request.model_spec.signature_name or "serving_default", arrays).items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
        return response


class Handler(BaseHTTPRequestHandler):
    model: Model

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/v1/models/docrec:predict":
            return self.answer(404, {"error": f"Malformed request: POST {self.path}"})
        outputs = self.model(request.get("signature_name", "serving_default"), {"images": request["instances"]})
        columns = {name: [v.decode() if isinstance(v, bytes) else v for v in value.tolist()] for name, value in outputs.items()}
        self.answer(200, {"predictions": [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]})

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture(scope="module", params=["tiny", pytest.param("bundled", marks=pytest.mark.slow)])
def model(request, tiny_model, tmp_path_factory):
    folder = tiny_model if request.param == "tiny" else None
    return Model(export(load_bundle(folder), tmp_path_factory.mktemp("served") / "docrec", ExportOptions("saved-model"))[0])


@pytest.fixture(scope="module")
def servers(model):
    """Where each client finds its server."""
    handler = type("ServingHandler", (Handler,), {"model": model})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        rpc = grpc.server(ThreadPoolExecutor(2))
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(model), rpc)
        port = rpc.add_insecure_port("127.0.0.1:0")
        rpc.start()
        yield {"rest_client": f"http://127.0.0.1:{http.server_port}", "grpc_client": f"127.0.0.1:{port}"}
        rpc.stop(None).wait()
        http.shutdown()
        thread.join()


@pytest.fixture(params=["rest_client", "grpc_client"])
def client(request, root, monkeypatch):
    """One of the clients, as a module."""
    monkeypatch.syspath_prepend(str(root / "examples" / "serving"))
    return __import__(request.param)


@pytest.fixture(scope="module")
def images(root):
    return document_to_images(root / "examples" / "sample.png")[:10]


def test_the_answers_are_those_of_the_model(client, servers, model, images):
    predictions = client.connect(servers[client.__name__], "docrec")(images)
    expected = model("docrec", {"images": images})
    for name in ("lengths", "indices", "starts", "ends"):
        assert [prediction[name] for prediction in predictions] == expected[name].tolist()
    np.testing.assert_allclose([prediction["confidences"] for prediction in predictions], expected["confidences"], atol=1e-6)
    assert [prediction["text"] for prediction in predictions] == [text.decode() for text in expected["text"]]
    assert any(prediction["text"] for prediction in predictions)


def test_an_absent_server(client, images):
    server = {"rest_client": "http://127.0.0.1:9", "grpc_client": "127.0.0.1:9"}[client.__name__]
    with pytest.raises(client.ServerError, match=r"must run at .*127\.0\.0\.1:9.*--help"):
        client.connect(server, "docrec")(images[:1])


def test_a_model_that_is_not_served(client, servers, images):
    with pytest.raises(client.ServerError, match="refuses: .*other"):
        client.connect(servers[client.__name__], "other")(images[:1])


@pytest.mark.parametrize(("paper", "ink"), [(255, 0), (10, 240)])
def test_a_line_is_scaled_by_its_ink_and_cut_with_an_overlap(client, paper, ink):
    picture = np.full((60, 700), paper, np.uint8)
    picture[10:20, 20:680] = picture[40:50, 20:680] = ink
    pieces = sys.modules["reading"].to_pieces(picture)
    assert pieces.shape == (2, 32, 280)  # 462 columns of ink, in pieces that begin every 212
    assert (pieces[0, [3, 28], 3:] < 20).all()
    assert (pieces[1, [3, 28], : 3 + 462 - 212] < 20).all()
    assert (pieces[:, :2] > 235).all()
    assert (pieces[1, :, 3 + 462 - 212 :] > 235).all()
    assert (sys.modules["reading"].to_pieces(np.full((5, 3), 255, np.uint8)) == 255).all()


def test_pieces_are_joined_where_no_character_is_near(client):
    def piece(*characters):
        text, frames = "".join(char for char, _ in characters), [frame for _, frame in characters]
        return {"text": text, "starts": [*frames, -1], "ends": [*frames, -1]}

    first = piece(("一", 40), (" ", 46), ("二", 53), ("三", 62), ("四", 69))
    second = piece(("二", 0), ("三", 9), ("四", 17), ("五", 60))
    assert sys.modules["reading"].join([first, second]) == "一 二三四五"
    assert sys.modules["reading"].join([piece()]) == ""


@pytest.mark.parametrize(
    ("raw", "text"), [("说 , 好 ! ", "说，好！"), ("用 Python 3", "用 Python 3"), ("一 二。 三", "一二。三"), ("a , b", "a , b"), ("", "")]
)
def test_marks_and_spaces_are_tidied(client, raw, text):
    assert sys.modules["reading"].tidy(raw) == text


@pytest.mark.slow
@pytest.mark.parametrize("model", ["bundled"], indirect=True)
@pytest.mark.parametrize("name", ["rest_client", "grpc_client"])
def test_the_clients_read(root, servers, name, tmp_path):
    gray = np.array(Image.open(root / "examples" / "sample.png").convert("L"))
    rows = np.flatnonzero((gray < 128).any(axis=1))
    starts = np.flatnonzero(np.diff(rows, prepend=-9) > 3)
    pictures = []
    for number, (first, last) in enumerate(zip(rows[starts], rows[[*starts[1:] - 1, -1]], strict=True)):
        pictures.append(str(tmp_path / f"{number}.png"))
        cv2.imwrite(pictures[-1], gray[first - 4 : last + 5])

    def run(*arguments):
        command = [sys.executable, str(root / "examples" / "serving" / f"{name}.py"), "--server", servers[name], *arguments]
        return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)

    sample = str(root / "examples" / "sample.png")
    (page,) = docrec.recognize(sample, docrec.load(device="cpu"))
    assert run("--pages", sample).stdout == page.text + "\n"
    read = run(*pictures[:4]).stdout.splitlines()
    assert read[0] == "巷口的旧书店"
    assert sum(a != b for a, b in zip("".join(read), "".join(line.text for line in page.lines[:4]), strict=True)) <= 2
    absent = run("--model", "other", pictures[0])
    assert (absent.returncode, absent.stdout) == (1, "")
    assert absent.stderr.splitlines()[-1].startswith("error: ")
    assert run(str(root / "README.md")).stderr.splitlines()[-1].endswith("is none that OpenCV reads")
