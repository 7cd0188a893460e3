"""What a worker shows of itself: its metrics, and why it is not ready."""

from tests.programs import Program, asked


def metric(worker: Program, name: str) -> float:
    """The value of a family without labels."""
    text = asked(f"{worker.metrics_url}/metrics").text
    return next(float(line.split()[-1]) for line in text.splitlines() if line.startswith(f"{name} "))


def readiness(worker: Program) -> tuple[int, str]:
    """The status of /readyz, and what it says."""
    answer = asked(f"{worker.metrics_url}/readyz")
    return answer.status_code, answer.text
