"""What a commit may hold: no download hosts, no machine's paths, floors for safety, a lock with hashes."""

import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]
HOSTS = re.compile(
    r"py[p]i\.org|python[h]osted|registry\.[n]pmjs|repo1?\.[m]aven|proxy\.[g]olang|crates\.[i]o|deb\.[d]ebian",
    re.IGNORECASE,
)
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
FLOORS = {
    "pillow": (13, 0, 0),
    "starlette": (1, 3, 1),
    "python-multipart": (0, 0, 27),
    "h11": (0, 16),
    "pyjwt": (2, 13),
    "aiohttp": (3, 14, 3),
}
FIXED = {
    "boto3",
    "confluent-kafka",
    "fastapi",
    "fastavro",
    "faust-streaming",
    "pillow",
    "psycopg",
    "pyjwt",
    "pytest",
    "testcontainers",
    "uvicorn",
}


def locked() -> dict[str, tuple[int, ...]]:
    text = (ROOT / "requirements.lock").read_text()
    pins = re.findall(r"^([a-z0-9-]+)(?:\[[^\]]*\])?==([0-9.]+)", text, re.MULTILINE)
    return {name: tuple(int(part) for part in version.strip(".").split(".")) for name, version in pins}


def tracked_texts() -> list[tuple[str, str]]:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    names = [name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]
    return [(name, (ROOT / name).read_text(errors="replace")) for name in names]


def test_no_download_host_stands_in_the_repository() -> None:
    assert [name for name, text in tracked_texts() if HOSTS.search(text)] == []


def test_nothing_is_marked_as_unfinished() -> None:
    code = [(name, text) for name, text in tracked_texts() if name.endswith((".py", ".ts", ".tsx", ".sh"))]
    assert [name for name, text in code if UNFINISHED.search(text)] == []


def test_l05_the_lock_keeps_the_floors_for_safety() -> None:
    pins = locked()
    assert {name: pins[name] for name, floor in FLOORS.items() if pins[name] < floor} == {}


def test_the_lock_holds_the_fixed_packages_with_hashes() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert locked().keys() >= FIXED
    blocks = re.split(r"\n(?=[a-z0-9])", text)
    assert [block.split("\n")[0] for block in blocks if "==" in block and "--hash=sha256:" not in block] == []


def test_every_declared_package_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    declared = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    names = {re.split(r"[\[<>=; ]", entry)[0].lower() for entry in declared}
    assert names - locked().keys() == set()
