"""The health probe of our containers tells ready from not ready, and from nobody there."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ops.docker.probe import answers
from tests.programs import ROOT, free_port


class Doors(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/readyz" else 503)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Nothing: the tests' output stays clean."""


@pytest.fixture(scope="module")
def doors() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Doors) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_ready_is_well(doors: str) -> None:
    assert answers(f"{doors}/readyz")


def test_not_ready_is_not(doors: str) -> None:
    assert not answers(f"{doors}/else")


def test_nobody_there_is_not() -> None:
    assert not answers(f"http://127.0.0.1:{free_port()}/readyz")


@pytest.mark.parametrize(("path", "code"), [("/readyz", 0), ("/else", 1)])
def test_the_exit_code_tells_the_engine(doors: str, path: str, code: int) -> None:
    done = subprocess.run([sys.executable, "-m", "ops.docker.probe", doors + path], cwd=ROOT, check=False)
    assert done.returncode == code
