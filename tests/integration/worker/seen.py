"""What a worker shows of itself: its metrics, and why it is not ready."""

import httpx

from tests.programs import Program


def metric(worker: Program, name: str) -> float:
    """The value of a family without labels."""
    text = httpx.get(f"{worker.metrics_url}/metrics", timeout=5).text
    return next(float(line.split()[-1]) for line in text.splitlines() if line.startswith(f"{name} "))


def readiness(worker: Program) -> tuple[int, str]:
    """The status of /readyz, and what it says."""
    answer = httpx.get(f"{worker.metrics_url}/readyz", timeout=5)
    return answer.status_code, answer.text
