"""What docs/identity.md tells people to type works as it stands there."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.identity.running import RunningIdentity
from tests.programs import ROOT

PAGE = ROOT / "docs" / "identity.md"


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="needs curl and jq")
def test_the_commands_of_the_page_work(identity: RunningIdentity, tmp_path: Path) -> None:
    blocks = re.findall(r"```bash\n(.*?)```", PAGE.read_text(), re.DOTALL)
    script = "\n".join(blocks)
    assert "set -a; . .darkroom/env; set +a" in script
    stack = {**identity.apis[0].env}
    (tmp_path / ".env").write_text(f"JWT_SECRET={stack.pop('JWT_SECRET')}\n")  # the file's counts
    (tmp_path / ".darkroom").mkdir()
    kept = (f"{name}={shlex.quote(value)}\n" for name, value in stack.items() if name not in {"PATH", "HOME"})
    (tmp_path / ".darkroom" / "env").write_text("".join(kept))
    env = {
        "HOME": stack["HOME"],
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "STATE_DIR": str(tmp_path / "state"),
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"is (now|already) admin", done.stdout)
    assert '"items":[]' in done.stdout  # the key lists the person's assets
    assert (tmp_path / ".env").read_text().startswith("JWT_SECRET=k")
