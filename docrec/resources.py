"""Where the data that ships with docrec lies: the bundled models and the alphabet's dictionaries.

A wheel holds them inside the package, as setup.py maps them there; in a checkout, and so in an editable install, they lie
beside the package.
"""

from pathlib import Path

PACKAGE = Path(__file__).parent


def models_folder() -> Path:
    """Folder that holds one sub-folder for each bundled model."""
    return _folder("models")


def char_dict_folder() -> Path:
    """Folder of `char_dict_cn.json` and `ord_map_cn.json`, the alphabet of the bundled model."""
    return _folder("data/char_dict")


def sample_document() -> Path | None:
    """The sample PDF, which is only in a checkout."""
    path = PACKAGE.parent / "examples" / "sample.pdf"
    return path if path.is_file() else None


def _folder(name: str) -> Path:
    installed = PACKAGE / name
    return installed if installed.is_dir() else PACKAGE.parent / name
