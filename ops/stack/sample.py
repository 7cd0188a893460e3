"""Takes the sample photograph through the pipeline, once in a folder's life or when asked for."""

import importlib
import os
from collections.abc import Callable, Mapping

from ops.stack.console import Terminal
from ops.stack.folder import Folder

Run = Callable[[Mapping[str, str]], int]


def run_sample(environment: Mapping[str, str]) -> int:
    """The sample's own program, loaded when it is needed: no start should wait for what it draws with."""
    run: Run = importlib.import_module("ops.sample").run_sample
    return run(environment)


def take_sample(
    folder: Folder, environment: Mapping[str, str], terminal: Terminal, run: Run = run_sample
) -> None:
    """Run it unless it ran well in this folder before; SAMPLE=1 asks for it again, SAMPLE=0 forbids it."""
    wish = os.environ.get("SAMPLE", "")
    if wish == "0" or (folder.sample_taken.exists() and wish != "1"):
        return
    if run(environment) == 0:
        folder.sample_taken.touch()
    else:
        terminal.say("sample", "did not come through: see above, and try again with SAMPLE=1 make up")
