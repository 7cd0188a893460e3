"""The image holds what the programs need, pinned and hashed, and nothing that they don't."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from ops.docker.runtime_lock import EMBEDDED, runtime_lock
from tests.compose_file import ROOT

DOCKERFILE = (ROOT / "ops/docker/Dockerfile").read_text()
IGNORE = (ROOT / ".dockerignore").read_text().splitlines()
LOCK = (ROOT / "requirements.lock").read_text()
PYPROJECT = (ROOT / "pyproject.toml").read_text()
PIN = re.compile(r"^([a-z0-9-]+)==([^ ]+)", re.MULTILINE)


def names(lock: str) -> set[str]:
    return {name for name, _ in PIN.findall(lock)}


def instructions(word: str) -> list[str]:
    return re.findall(rf"^{word} (.+)$", DOCKERFILE, re.MULTILINE)


def test_both_stages_stand_on_one_exact_python() -> None:
    bases = [line.split()[0] for line in instructions("FROM")]
    assert len(bases) == 2
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.1[1-4]\.\d+-slim-[a-z]+(@sha256:[0-9a-f]{64})?", bases[0])


def test_it_runs_as_nobody_special() -> None:
    user = instructions("USER")[-1]
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
    assert DOCKERFILE.index("USER ") > DOCKERFILE.index("RUN python -m compileall")


def test_only_checked_wheels_are_installed() -> None:
    installs = re.findall(r"pip install[^&]*", DOCKERFILE)
    assert len(installs) == 1
    assert {"--require-hashes", "--only-binary=:all:", "--no-deps"} <= set(installs[0].split())


def test_what_is_copied_exists_and_is_let_in() -> None:
    sources = [
        word for line in instructions("COPY") if not line.startswith("--from") for word in line.split()[:-1]
    ]
    assert {"schemas", "adapters", "processors", "projections", "api", "ops"} <= set(sources)
    for source in sources:
        assert (ROOT / source).exists(), source
        assert f"!{source.partition('/')[0]}" in IGNORE, source


def test_nothing_else_is_let_in() -> None:
    assert IGNORE[1] == "*"
    assert "ops/stack" in IGNORE
    assert not {"!tests", "!.git", "!.env", "!.darkroom", "!.venv"} & set(IGNORE)


def test_the_packages_are_the_lock_without_tests_and_embedded_servers() -> None:
    kept = names(runtime_lock(PYPROJECT, LOCK))
    project = tomllib.loads(PYPROJECT)
    wanted = {re.split(r"[\[<>=; ]", entry)[0] for entry in project["project"]["dependencies"]}
    assert wanted - EMBEDDED <= kept <= names(LOCK)
    assert not kept & {*EMBEDDED, "pytest", "mypy", "ruff", "hypothesis", "testcontainers", "uv"}


def test_each_package_stands_there_as_in_the_lock() -> None:
    kept = runtime_lock(PYPROJECT, LOCK)
    assert set(PIN.findall(kept)) <= set(PIN.findall(LOCK))
    blocks = re.split(r"\n(?=[a-z0-9])", kept)
    assert all("--hash=sha256:" in block and block.rstrip() in LOCK for block in blocks)


def test_a_package_for_two_pythons_stays_twice() -> None:
    for name in names(LOCK) & names(runtime_lock(PYPROJECT, LOCK)):
        count = len(re.findall(rf"^{name}==", LOCK, re.MULTILINE))
        assert len(re.findall(rf"^{name}==", runtime_lock(PYPROJECT, LOCK), re.MULTILINE)) == count


def test_dependencies_of_dependencies_stay() -> None:
    lock = (
        "# made by a tool\na==1 \\\n    --hash=sha256:00\n    # via darkroom (pyproject.toml)\n"
        "b==2 \\\n    --hash=sha256:01\n    # via\n    #   a\n    #   c\n"
        "c==3 \\\n    --hash=sha256:02\n    # via b\n"
        "d==4 \\\n    --hash=sha256:03\n    # via darkroom (pyproject.toml:dev)\n"
        "e==5 \\\n    --hash=sha256:04\n    # via jgo\n"
        "jgo==6 \\\n    --hash=sha256:05\n    # via darkroom (pyproject.toml)\n"
    )
    assert names(runtime_lock('[project]\ndependencies = ["A>=1", "jgo"]', lock)) == {"a", "b", "c"}


def test_a_package_without_a_lock_is_said() -> None:
    with pytest.raises(ValueError, match="not in the lock: zebra"):
        runtime_lock('[project]\ndependencies = ["zebra"]', "a==1 \\\n    --hash=sha256:00\n")


def imported(source: str) -> Iterator[str]:
    """The top-level names that a module imports when it runs; what stands under TYPE_CHECKING does not."""
    pending: list[ast.AST] = [ast.parse(source)]
    while pending:
        node = pending.pop()
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                pending += node.orelse
                continue
            case ast.Import():
                yield from (alias.name.partition(".")[0] for alias in node.names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.partition(".")[0]
        pending += ast.iter_child_nodes(node)


def in_the_image() -> list[Path]:
    rooms = ("schemas", "adapters", "processors", "projections", "api", "ops")
    return [path for room in rooms for path in (ROOT / room).rglob("*.py") if "stack" not in path.parts]


def test_no_program_needs_a_package_that_the_image_lacks() -> None:
    kept = names(runtime_lock(PYPROJECT, LOCK))
    distributions = packages_distributions()
    lacking = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in in_the_image()
        for name in imported(path.read_text())
        if name not in sys.stdlib_module_names
        and name in distributions
        and not {re.sub(r"[._-]+", "-", one).lower() for one in distributions[name]} & kept
    }
    assert lacking == set()


def test_no_program_needs_the_embedded_stack() -> None:
    needing = re.compile(r"^\s*(from|import) ops\.stack", re.MULTILINE)
    assert [path for path in in_the_image() if needing.search(path.read_text())] == []
