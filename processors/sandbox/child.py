"""A child: confined for good, then one job after another until nobody asks any more."""

import os
import socket
from dataclasses import dataclass
from typing import Protocol

from processors.imaging.contract import Refused
from processors.sandbox import confinement, wire
from processors.sandbox.confinement import Ceiling, Filter
from processors.sandbox.wire import Declined, Failed, NoMemory, Reply, Request


class Job(Protocol):
    """What the children of a fork server do."""

    def warm(self) -> dict[str, str]:
        """Called once in the fork server: whatever is imported or opened here need not be later."""

    def run(self, request: Request, data: bytes, out: int) -> Reply:
        """Called in a child for each job: `data` in, files to the descriptor `out`, what was made back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptors:
    """What a child is left with: where requests come from, and the file that holds their pictures."""

    channel: int
    pictures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What children have to live with; `mapped` is the address space that they are born with, in bytes."""

    ceiling: Ceiling
    mapped: int
    allowed: Filter | None
    parent: int


def live(job: Job, given: Descriptors, rules: Rules) -> None:
    """Turn this freshly forked process into a child; does not return."""
    try:
        confinement.die_with_parent(rules.parent)
        confinement.die_first()
        # Standard error is the worker's own, and its log is not for children to write into.
        os.dup2(0, 2)
        confinement.keep_only((0, 1, 2, given.channel, given.pictures))
        channel = socket.socket(fileno=given.channel)
        # One more than are open: the output of the job in hand.
        descriptors = max(given.channel, given.pictures) + 2
        confinement.limit(rules.ceiling, mapped_before=rules.mapped, descriptors=descriptors)
        if rules.allowed is not None:
            rules.allowed.load()
        _serve(job, channel, given.pictures)
        os._exit(0)
    finally:
        # Whatever went wrong, nothing of the fork server's must run in here; a traceback would open files.
        os._exit(70)


def _serve(job: Job, channel: socket.socket, pictures: int) -> None:
    while True:
        text, files, _, _ = socket.recv_fds(channel, wire.MAX_MESSAGE, 1)
        if not text:
            return
        request = wire.load_request(text)
        reply = _answer(job, request, pictures, files[0])
        os.close(files[0])
        channel.send(wire.dump_reply(reply))


def _answer(job: Job, request: Request, pictures: int, out: int) -> Reply:
    try:
        return job.run(request, os.pread(pictures, request.size, 0), out)
    except Refused as refusal:
        return Declined(code=refusal.code)
    except MemoryError:
        return NoMemory()
    except Exception as error:  # noqa: BLE001 - a bug of ours is an answer too, and the parent raises it
        return Failed(where=_where(error))


def _where(error: Exception) -> str:
    """Exception and innermost line, without what it says: that may be made of the picture's bytes."""
    place = "nowhere"
    trace = error.__traceback__
    while trace is not None:
        place = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"  # noqa: PTH119
        trace = trace.tb_next
    return f"{type(error).__name__} at {place}"
