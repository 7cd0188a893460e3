"""The size rules of the house: files and functions stay small enough to be read at a sitting."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FILE_LINES = 300
TEST_FILE_LINES = 400
FUNCTION_LINES = 40
GENERATED = re.compile(r"(^|/)(generated|dist)/|\.generated\.|\.d\.ts$")
TYPESCRIPT_FUNCTION = re.compile(
    r"^(?P<indent>\s*)(export\s+)?(default\s+)?(async\s+)?(function\b|(const|let)\s+\w+.*=>\s*\{\s*$)"
)


def tracked(*endings: str) -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    names = [name for name in listing.split("\0") if name.endswith(endings) and not GENERATED.search(name)]
    return [ROOT / name for name in names if (ROOT / name).exists()]


def allowed_lines(path: Path) -> int:
    return TEST_FILE_LINES if path.relative_to(ROOT).parts[0] == "tests" else FILE_LINES


def python_functions(source: str) -> Iterator[tuple[str, int]]:
    """Each function's name and its length in lines, decorators and docstring left out."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            documented = isinstance(first, ast.Expr) and isinstance(
                getattr(first, "value", None), ast.Constant
            )
            docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1 - docstring


def typescript_functions(source: str) -> Iterator[tuple[str, int]]:
    """Each function's first line and its length: up to the closing brace at the same indentation."""
    lines = source.splitlines()
    for number, line in enumerate(lines):
        start = TYPESCRIPT_FUNCTION.match(line)
        if start is None:
            continue
        closing = re.compile(rf"^{start['indent']}[}}\)]")
        for later in range(number + 1, len(lines)):
            if closing.match(lines[later]):
                yield line.strip()[:60], later - number + 1
                break


def test_files_are_short() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {lines}"
        for path in tracked(".py", ".ts", ".tsx")
        if (lines := len(path.read_text().splitlines())) > allowed_lines(path)
    ]
    assert not long, "split these files: " + ", ".join(long)


def test_functions_are_short() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{name}: {lines}"
        for path in tracked(".py")
        for name, lines in python_functions(path.read_text())
        if lines > FUNCTION_LINES
    ]
    long += [
        f"{path.relative_to(ROOT)}:{name}: {lines}"
        for path in tracked(".ts", ".tsx")
        for name, lines in typescript_functions(path.read_text())
        if lines > FUNCTION_LINES
    ]
    assert not long, "split these functions: " + ", ".join(long)


@pytest.mark.parametrize("lines", [FUNCTION_LINES, FUNCTION_LINES + 5])
def test_the_rule_measures_functions(lines: int) -> None:
    python = "def long():\n" + "    x = 1\n" * (lines - 1)
    typescript = "export function long() {\n" + "  x();\n" * (lines - 2) + "}\n"
    assert dict(python_functions(python)) == {"long": lines}
    assert [length for _, length in typescript_functions(typescript)] == [lines]
