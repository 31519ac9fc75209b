"""The TOML file of training: every setting of TrainOptions by name, read before training and saved with the model."""

import sys
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, get_type_hints

from docrec.errors import FileAccessError, OptionError
from docrec.options import TrainOptions

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE = "training.toml"


def read_settings(path: str | Path) -> dict[str, Any]:
    """Read the settings that a file holds, which need not be all.

    Returns:
        Values for TrainOptions by name of its field, of the field's type.

    Raises:
        FileAccessError: the file cannot be read.
        OptionError: it is not TOML, or has a key that is no setting, or a value of another type.
    """
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise FileAccessError(f"the settings {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise OptionError(f"the settings {path} must be TOML in UTF-8, and are not: {error}") from error
    types = get_type_hints(TrainOptions)
    if unknown := sorted(content.keys() - types.keys()):
        raise OptionError(f"{path}: no such setting: {', '.join(unknown)}; there are {', '.join(types)}")
    return {name: _typed(value, types[name], f"{path}: {name}") for name, value in content.items()}


def settings_to_toml(options: TrainOptions) -> str:
    """All settings as the text of a TOML file, each preceded by what it means."""
    import tomli_w

    values = asdict(options)
    return "\n".join(f"# {field.metadata['help']}\n{tomli_w.dumps({field.name: values[field.name]})}" for field in fields(options))


def _typed(value: Any, kind: Any, name: str) -> Any:
    if kind in (int, float, str):
        if type(value) is kind or (kind is float and type(value) is int):
            return kind(value)
        raise OptionError(f"{name} must be a {'text' if kind is str else 'number'}, got {value!r}")
    item = kind.__args__[0]
    if not isinstance(value, list):
        raise OptionError(f"{name} must be a list, got {value!r}")
    return tuple(_typed(part, item, name) for part in value)
