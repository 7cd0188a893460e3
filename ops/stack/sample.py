"""Takes the sample photograph through the pipeline, once in a folder's life or when asked for."""

import importlib
import importlib.util
import os
from collections.abc import Mapping

from ops.stack.console import Terminal
from ops.stack.folder import Folder


def take_sample(folder: Folder, environment: Mapping[str, str], terminal: Terminal) -> None:
    """Run `ops.sample` unless it ran here before; SAMPLE=1 asks for it again, SAMPLE=0 forbids it."""
    wish = os.environ.get("SAMPLE", "")
    if wish == "0" or (folder.sample_taken.exists() and wish != "1"):
        return
    if importlib.util.find_spec("ops.sample") is None:
        return
    code: int = importlib.import_module("ops.sample").run_sample(environment)
    if code == 0:
        folder.sample_taken.touch()
    else:
        terminal.say("sample", "did not come through: see above, and try again with SAMPLE=1 make up")
