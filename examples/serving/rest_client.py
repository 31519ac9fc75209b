#!/usr/bin/env python3
"""Read by a model that TensorFlow Serving serves, over REST:  python examples/serving/rest_client.py LINE.png...

Make the model, and start the server in one of these ways:

    docrec export --to saved-model --out serving/docrec
    docker run -p 8501:8501 -v "$PWD/serving/docrec:/models/docrec" -e MODEL_NAME=docrec tensorflow/serving
    tensorflow_model_server --rest_api_port=8501 --model_name=docrec --model_base_path="$PWD/serving/docrec"

Then:

    python examples/serving/rest_client.py line.png
    python examples/serving/rest_client.py --pages examples/sample.pdf
"""

import json
import urllib.error
import urllib.request

import numpy as np
from reading import Predict, Prediction, ServerError, main


def connect(server: str, model: str) -> Predict:
    """What asks the server's predict method, in its row format."""
    url = f"{server.rstrip('/')}/v1/models/{model}:predict"

    def predict(images: np.ndarray) -> list[Prediction]:
        body = json.dumps({"signature_name": "docrec", "instances": images.tolist()}).encode()
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                predictions: list[Prediction] = json.load(answer)["predictions"]
        except urllib.error.HTTPError as error:
            raise ServerError(f"{url} refuses: {error.read().decode(errors='replace').strip() or error.reason}") from error
        except urllib.error.URLError as error:
            raise ServerError(f"TensorFlow Serving must run at {server}, and does not answer ({error.reason}); --help says how") from error
        return predictions

    return predict


if __name__ == "__main__":
    main(__doc__ or "", "http://localhost:8501", connect)
