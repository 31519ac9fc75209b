"""Package docrec; `models/` and `data/char_dict/` stay at the top level and become data of the package."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
VERSION = re.search(r'^__version__ = "(.+)"$', (ROOT / "docrec/__init__.py").read_text(encoding="utf-8"), re.MULTILINE)
if VERSION is None:
    raise RuntimeError('docrec/__init__.py must hold a line of the form __version__ = "1.2.3", and does not')

REQUIRES = [
    "click>=8.1",
    "numpy>=1.26",
    "onnxruntime>=1.18",  # runs the network on a CPU
    "opencv-python-headless>=4.9",  # opencv-python itself fails to import on a server without libGL
    "pillow>=10.3",
    "pymupdf>=1.24.5",
    "rich>=13.0",
    "scikit-image>=0.22",
    "tensorflow>=2.18",  # for training, export and GPU; reading on a CPU works where it is taken away
]
TRAIN = [  # making, judging and exporting models
    "brotli>=1.0.9",  # with fonttools, opens WOFF2 fonts
    "edlib>=1.3.9",
    "fonttools>=4.43",
    "freetype-py>=2.4",
    "google-crc32c>=1.5",
    "onnx>=1.16",
    "protobuf>=4.22",
    "rapidfuzz>=3.6",
    "tensorboard>=2.18",
    "tomli>=2.0; python_version < '3.11'",
    "tomli-w>=1.0",
]
LITERT = ["ai-edge-litert>=1.4"]
SERVING = ["grpcio>=1.60", "tensorflow-serving-api>=2.18"]  # for the example clients
RAY = ["ray>=2.10"]  # a cluster for `docrec batch`
TEST = [
    *("mypy>=1.11", "pytest>=8.0", "ruff>=0.6", "setuptools>=77", *LITERT, *SERVING),
    *("hocr-spec>=0.2", "jsonschema>=4.18", "lxml>=5.0", "markdown-it-py>=3.0", "pypdf>=4.0"),  # readers and checkers of what is written
]

setup(
    name="docrec",
    version=VERSION[1],
    description="Offline OCR of Chinese PDF files and pictures of pages, on the command line",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.10",
    packages=[*find_packages(include=["docrec", "docrec.*"]), "docrec.models", "docrec.data.char_dict"],
    package_dir={"docrec": "docrec", "docrec.models": "models", "docrec.data.char_dict": "data/char_dict"},
    package_data={
        "docrec": ["py.typed", "writers/*.schema.json"],
        "docrec.models": ["**/*"],
        "docrec.data.char_dict": ["*.json"],
    },
    include_package_data=False,
    zip_safe=False,
    install_requires=REQUIRES,
    extras_require={"train": TRAIN, "litert": LITERT, "serving": SERVING, "ray": RAY, "gpu": ["tensorflow[and-cuda]>=2.18"], "test": TEST},
    entry_points={"console_scripts": ["docrec = docrec.cli.app:main"]},
    classifiers=[
        "Environment :: Console",
        "Natural Language :: Chinese (Simplified)",
        "Natural Language :: Chinese (Traditional)",
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Image Recognition",
        "Topic :: Text Processing",
    ],
)
