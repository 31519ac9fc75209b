"""An installed docrec is whole: from a wheel, an sdist and in editable form it finds its model and dictionaries, and reads."""

import os
import re
import shutil
import site
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

LOCATE = """
import docrec.resources as resources
print(resources.__file__)
print(*sorted(path.name for path in resources.char_dict_folder().glob("*.json")))
print(*sorted(path.parent.name for path in resources.models_folder().glob("*/config.json")))
"""
NO_TENSORFLOW = """
import sys
sys.modules["tensorflow"] = sys.modules["keras"] = None  # an import of either fails, as if it were not installed
from docrec.cli.app import main
main()
"""


@pytest.fixture(scope="module")
def checkout(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository that may be built in."""
    copy = tmp_path_factory.mktemp("checkout") / "docrec"
    ignored = (".*", "build", "dist", "train", "benchmarks", "*.egg-info", "__pycache__")
    shutil.copytree(root, copy, ignore=shutil.ignore_patterns(*ignored))
    return copy


def pip(*args: object) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--quiet", *map(str, args)], check=True)


def build_wheel(source: Path, folder: Path) -> Path:
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source)
    (wheel,) = folder.glob("docrec-*.whl")
    return wheel


def build_sdist(source: Path, folder: Path) -> Path:
    code = "import sys; from setuptools.build_meta import build_sdist; build_sdist(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(folder)], cwd=source, check=True, stdout=subprocess.DEVNULL)
    (sdist,) = folder.glob("docrec-*.tar.gz")
    return sdist


@pytest.fixture(scope="module", params=["wheel", "sdist", "editable"])
def python(request: pytest.FixtureRequest, checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new virtual environment into which docrec was installed in one of three ways.

    Its dependencies are those of the environment that runs the tests, so that nothing is fetched.
    """
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "editable":
        what: tuple[object, ...] = ("--editable", checkout)
    else:
        source = build_sdist(checkout, folder) if request.param == "sdist" else checkout
        what = (build_wheel(source, folder),)
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv" / "bin" / "python"
    (packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (packages / "dependencies.pth").write_text("\n".join(site.getsitepackages()), encoding="utf-8")
    pip("--python", python, "install", "--no-deps", "--no-build-isolation", "--ignore-installed", *what)
    return python


@pytest.mark.slow
def test_an_installed_docrec_finds_its_data_and_reads(
    python: Path, checkout: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    where, dictionaries, models = subprocess.check_output([python, "-c", LOCATE], cwd=tmp_path, text=True).splitlines()
    editable = "editable" in python.parts[-4]
    assert Path(where).is_relative_to(checkout if editable else python.parent.parent)
    assert dictionaries.split() == sorted(path.name for path in (root / "data" / "char_dict").glob("*.json"))
    assert models.split() == sorted(path.parent.name for path in (root / "models").glob("*/config.json"))
    assert "crnn-zh" in models.split()
    command = [str(python.with_name("docrec")), "pdf", str(root / "examples" / "sample.pdf"), "--mode", "force"]
    assert "巷口的旧书店" in subprocess.check_output(command, cwd=tmp_path, encoding="utf-8")


@pytest.mark.slow
def test_distributions_hold_what_they_should(checkout: Path, tmp_path: Path) -> None:
    sdist = build_sdist(checkout, tmp_path)
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "examples/sample.pdf", "tests/conftest.py", "data/make_char_dict.py"} <= names
    with zipfile.ZipFile(build_wheel(checkout, tmp_path)) as wheel:
        tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {re.sub(r"-.*\.", ".", top) for top in tops} == {"docrec", "docrec.dist-info"}


def test_reading_on_a_cpu_needs_no_tensorflow(root: Path) -> None:
    command = [sys.executable, "-c", NO_TENSORFLOW, "pdf", str(root / "examples" / "sample.pdf"), "--device", "cpu", "--mode", "force"]
    assert "巷口的旧书店" in subprocess.check_output(command, encoding="utf-8")


def test_python_m_does_what_the_command_does(root: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(root)}
    shown = subprocess.check_output([sys.executable, "-m", "docrec", "--help"], env=environment, text=True)
    assert shown.startswith("Usage: docrec [OPTIONS] COMMAND")


def test_the_readme_gives_the_commands_that_are_tested(root: Path) -> None:
    readme = (root / "README.md").read_text(encoding="utf-8")
    install, test = re.findall(r"```sh\n(pip install .+)\n```", readme)
    assert install.endswith("&& docrec pdf examples/sample.pdf --mode force")
    assert test in (root / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def test_the_readme_points_at_what_is_there(root: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", (root / "README.md").read_text(encoding="utf-8"))
    assert "docs/terminal.png" in targets
    assert [target for target in targets if "://" not in target and not (root / target).exists()] == []
