"""The walk through of the README, as it stands there: from text and fonts to a model, its report, and a reading by the server's client."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from rapidfuzz.distance import Levenshtein
from tensorflow_serving.apis import prediction_service_pb2_grpc
from test_serving_examples import Model, Service

MAX_CER = 0.3  # some 0.05 are usual, on a machine that is busy more


@pytest.mark.slow
def test_from_text_and_fonts_to_a_served_model(root, tmp_path):
    started = time.monotonic()
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(root)}
    command = ["sh", str(root / "examples" / "workshop.sh"), str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    assert "whole lines right" in done.stdout
    assert "</html>" in (tmp_path / "report.html").read_text(encoding="utf-8")
    rows = (tmp_path / "lines" / "labels.tsv").read_text(encoding="utf-8").splitlines()[:40]
    pictures, texts = zip(*(row.split("\t") for row in rows), strict=True)

    server = grpc.server(ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(Model(tmp_path / "serving" / "docrec" / "1")), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    client = [sys.executable, str(root / "examples" / "serving" / "grpc_client.py"), "--server", f"127.0.0.1:{port}"]
    files = [str(tmp_path / "lines" / picture) for picture in pictures]
    read = subprocess.run([*client, *files], env=environment, capture_output=True, encoding="utf-8", check=True).stdout.splitlines()
    server.stop(None).wait()
    edits = sum(Levenshtein.distance("".join(a.split()), "".join(b.split())) for a, b in zip(texts, read, strict=True))
    assert edits < MAX_CER * len("".join("".join(texts).split()))
    assert time.monotonic() - started < 600
