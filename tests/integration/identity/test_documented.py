"""What docs/identity.md tells people to type works as it stands there."""

import os
import re
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
    script = "\n".join(blocks).replace(". .darkroom/env", ":")
    (tmp_path / ".env").write_text(f"JWT_SECRET={identity.apis[0].env['JWT_SECRET']}\n")
    env = {
        **identity.apis[0].env,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "STATE_DIR": str(tmp_path / "state"),
    }
    del env["JWT_SECRET"]  # the file's counts
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
