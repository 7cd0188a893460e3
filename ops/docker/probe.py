"""`python -m ops.docker.probe URL`: exit 0 when the address answers 200; our containers' health check."""

import sys
from urllib.error import URLError
from urllib.request import urlopen

TIMEOUT_SECONDS = 3.0


def answers(url: str) -> bool:
    """Whether a GET of this http address is answered 200 in time."""
    try:
        with urlopen(url, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - an address of our own compose file
            return bool(answer.status == 200)
    except (URLError, TimeoutError, ConnectionError):
        return False


if __name__ == "__main__":
    sys.exit(0 if answers(sys.argv[1]) else 1)
