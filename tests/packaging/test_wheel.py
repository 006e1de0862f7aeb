"""The wheel: exactly two top-level packages, typed, and usable in an environment of its own.

Nothing is downloaded. The wheel is built without isolation from the build back end of the test
environment, by way of the sdist, and installed with ``--no-deps`` into a fresh virtual environment
that borrows third-party packages through a ``.pth`` file. Such a file adds a folder without running
the ``.pth`` files in it, so the editable install of this repository stays invisible there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("packaging")]


def run(*command: str | Path, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the sdist and the wheel that was built from it."""
    out = tmp_path_factory.mktemp("dist")
    build = (sys.executable, "-m", "build", "--no-isolation", "--outdir", out, REPOSITORY)
    run(*build, cwd=out)
    return out


@pytest.fixture(scope="session")
def wheel(distributions: Path) -> Path:
    [path] = distributions.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def fresh_python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a new virtual environment in which only the wheel is installed."""
    home = tmp_path_factory.mktemp("fresh")
    venv.create(home, with_pip=False, symlinks=os.name != "nt")
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    install = ("-m", "pip", "--python", python, "install", "--no-deps", "--no-index", "--quiet")
    run(sys.executable, *install, wheel, cwd=home)
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=home)
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    Path(site.strip(), "borrowed.pth").write_text("\n".join(sorted(borrowed)), encoding="utf-8")
    return python


def files_of(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_wheel_holds_exactly_the_two_packages(wheel: Path) -> None:
    folders = {name.partition("/")[0] for name in files_of(wheel)}
    metadata = {name for name in folders if name.endswith(".dist-info")}
    assert folders - metadata == {"agentgraph", "agentgraph_compiler"}
    assert metadata == {f"agentgraph_workflows-{PROJECT['version']}.dist-info"}


def test_the_wheel_holds_every_module_of_the_source(wheel: Path) -> None:
    roots = [REPOSITORY / "agentgraph", REPOSITORY / "compiler" / "agentgraph_compiler"]
    source = {
        path.relative_to(root.parent).as_posix() for root in roots for path in root.rglob("*.py")
    }
    assert {name for name in files_of(wheel) if name.endswith(".py")} == source


def test_both_packages_say_that_they_are_typed(wheel: Path) -> None:
    assert {"agentgraph/py.typed", "agentgraph_compiler/py.typed"} <= set(files_of(wheel))


def test_the_wheel_carries_the_licence(wheel: Path) -> None:
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in files_of(wheel))


def test_the_sdist_holds_what_a_packager_needs(distributions: Path) -> None:
    [path] = distributions.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "Makefile"} <= names
    assert not any(name.startswith((".venv", ".cache", ".git/")) for name in names)


def test_the_installed_package_is_the_one_that_is_imported(fresh_python: Path) -> None:
    program = (
        "import agentgraph, agentgraph_compiler, importlib.metadata as m, json; print(json.dumps(["
        "agentgraph.__file__, agentgraph_compiler.__file__, agentgraph.__version__, "
        "m.version('agentgraph-workflows')]))"
    )
    out = json.loads(run(fresh_python, "-c", program, cwd=fresh_python.parent))
    home = fresh_python.parent.parent
    assert all(Path(path).is_relative_to(home) for path in out[:2]), out
    assert out[2:] == [PROJECT["version"], PROJECT["version"]]


def test_a_workflow_compiles_and_runs_in_the_fresh_environment(
    fresh_python: Path, tmp_path: Path
) -> None:
    program = tmp_path / "hello.py"
    program.write_text(
        "from agentgraph import Agent, Runner\n"
        "from agentgraph.testing import ScriptedModel, assistant_message\n"
        "agent = Agent(name='Greeter', model=ScriptedModel([[assistant_message('hello')]]))\n"
        "print(Runner.run_sync(agent, 'hi').final_output)\n",
        encoding="utf-8",
    )
    assert run(fresh_python, program, cwd=tmp_path).strip() == "hello"


def test_the_command_is_installed(fresh_python: Path, tmp_path: Path) -> None:
    command = fresh_python.with_name("agentgraph.exe" if os.name == "nt" else "agentgraph")
    out = run(command, "--help", cwd=tmp_path)
    assert "check" in out
    assert "draw" in out


def test_pytest_loads_the_plugin_of_the_installed_package(
    fresh_python: Path, tmp_path: Path
) -> None:
    (tmp_path / "test_desk.py").write_text(
        "from agentgraph import Agent, Runner\n"
        "from agentgraph.testing import assistant_message\n"
        "def test_hello(scripted_model):\n"
        "    model = scripted_model([[assistant_message('hello')]])\n"
        "    Runner.run_sync(Agent(name='Greeter', model=model), 'hi')\n",
        encoding="utf-8",
    )
    options = ("--agentgraph-cov", "--agentgraph-cov-report=html", "-p", "no:cacheprovider")
    out = run(fresh_python, "-m", "pytest", "-q", *options, cwd=tmp_path)
    assert "1 passed" in out
    assert "HTML written to agentgraph-htmlcov" in out
    assert "<iframe" in (tmp_path / "agentgraph-htmlcov" / "index.html").read_text("utf-8")
