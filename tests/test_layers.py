"""The rooms of docrec, in order: a module imports only from rooms above its own, and each outside library has its owners."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "docrec"

ROOMS = [
    *("errors", "document", "options", "worker"),
    *("resources", "charset", "source", "colour", "polarity", "clean", "upright"),
    *("ink", "band", "scripts", "runs", "pictures", "margin", "codes", "tables", "cards", "blocks", "kinds", "vertical", "layout"),
    *("ctc", "ngrams", "column", "chunk", "overlay", "crnn_tensorflow", "network", "onnx_graph"),
    "bundle",
    "recognizer",
    *("turn", "textlayer"),
    *("pipeline", "writers", "training"),
    "__init__",
    *("evaluate", "report", "exported", "export", "import_crnn", "batch", "cluster", "serve"),
    *("cli", "__main__"),
]
"""A module imports from its own room and from those before it in this list, also inside functions."""

OWNERS = {
    "pymupdf": {"source", "writers", "report"},  # of which the report takes the typeface alone
    "click": {"cli"},
    "rich": {"cli"},
    "ray": {"cluster"},
    "keras": {"network", "crnn_tensorflow", "onnx_graph", "bundle", "training", "export"},
}

FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    """Room of a file: the name below docrec/."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(tree: ast.AST) -> Iterator[str]:
    """Absolute names of what a module imports, anywhere in it; `from a import b` gives a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms_entered(tree: ast.AST) -> set[str]:
    """Rooms of docrec that a module imports from; the version is free to all."""
    rooms = set()
    for name in imports(tree):
        top, *rest = name.split(".")
        if top == "docrec" and rest != ["__version__"]:
            rooms.add(rest[0] if rest and rest[0] in ROOMS else "__init__")
    return rooms


def violations(room: str, source: str) -> set[str]:
    """Rooms that `source`, standing in `room`, imports from and must not."""
    return {entered for entered in rooms_entered(ast.parse(source)) if ROOMS.index(entered) > ROOMS.index(room)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    assert room_of(path) in ROOMS, "a new room needs its place in the list"
    assert violations(room_of(path), path.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_each_library_has_its_owners(path: Path) -> None:
    libraries = {name.split(".")[0] for name in imports(ast.parse(path.read_text(encoding="utf-8")))}
    assert {library for library in libraries if room_of(path) not in OWNERS.get(library, {room_of(path)})} == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_command_line_prints_and_exits(path: Path) -> None:
    if room_of(path) == "cli":
        return
    calls = {ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)}
    assert calls & {"print", "exit", "quit", "sys.exit", "os._exit", "sys.stdout.write", "sys.stderr.write"} == set()


@pytest.mark.parametrize(
    ("room", "source", "refused"),
    [
        ("layout", "from docrec.source import PageImage", set()),
        ("source", "from docrec.layout import find_lines", {"layout"}),
        ("source", "def f():\n    import docrec.pipeline", {"pipeline"}),
        ("source", "from docrec import cli", {"cli"}),
        ("ctc", "from docrec import recognize", {"__init__"}),
        ("bundle", "from docrec import __version__", set()),
        ("cli", "import docrec", set()),
        ("writers", "from docrec.writers.txt import txt", set()),
    ],
)
def test_the_check_itself_sees_violations(room: str, source: str, refused: set[str]) -> None:
    assert violations(room, source) == refused
