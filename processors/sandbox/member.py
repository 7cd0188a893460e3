"""The parent's end of one child: give it a picture, get its answer or its death."""

import asyncio
import math
import os
import resource
import select
import signal
import socket
from dataclasses import dataclass

from processors.sandbox import rendered, wire
from processors.sandbox.nursery import Newborn, Nursery
from processors.sandbox.outcomes import Death
from processors.sandbox.waiting import readable
from processors.sandbox.wire import Garbled, Made, Reply, Request

# Between the end of a child's socket and the fork server's word on it lie microseconds.
_NEWS_SECONDS = 5.0
_NO_NEWS = Death(signal=0, exit_code=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What one job may take, in seconds: of the clock, and (in whole ones) of the processor."""

    wall: float
    cpu: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The child is dead and its job not done; `timed_out` when we killed it for being late."""

    death: Death
    timed_out: bool


class Member:
    """One child: who it works for, and what it has done so far."""

    def __init__(self, newborn: Newborn, channel: socket.socket, pictures: int) -> None:
        self._newborn = newborn
        self._channel = channel
        self._pictures = pictures
        self._cpu_seconds = 0.0
        self._buried = False
        self.owner: str | None = None
        self.jobs = 0
        self.peak_rss_kib = 0

    @property
    def dead(self) -> bool:
        """Whether its death is known."""
        return self._newborn.died.done()

    async def work(
        self, request: Request, data: bytes | memoryview, out: int, allowance: Allowance
    ) -> Reply | Ended:
        """One job: the reply, with the variants sealed in `out`, or how the child ended."""
        try:
            _overwrite(self._pictures, data)
            self._allow(allowance.cpu)
            socket.send_fds(self._channel, [wire.dump_request(request)], [out])
        except (BrokenPipeError, ConnectionError, ProcessLookupError):
            return await self._ended(timed_out=False)
        if not await readable(self._channel.fileno(), allowance.wall):
            self.kill()
            return await self._ended(timed_out=True)
        text = self._receive()
        if not text and self._hung_up():
            return await self._ended(timed_out=False)
        return self._judged(text, request, out)

    def kill(self) -> None:
        """Kill the child; whoever waits for its work hears of its end."""
        if not self.dead and not self._buried:
            signal.pidfd_send_signal(self._newborn.pidfd, signal.SIGKILL)

    async def bury(self) -> None:
        """Wait until the child, which was killed, is gone, and give back what it held."""
        await self._ended(timed_out=False)
        self._buried = True
        self._channel.close()
        os.close(self._pictures)
        os.close(self._newborn.pidfd)

    def _allow(self, seconds: int) -> None:
        """Raise the soft limit, which counts from the child's birth, by what one job may take."""
        if self.dead:
            raise ProcessLookupError
        soft = math.ceil(self._cpu_seconds) + seconds
        resource.prlimit(self._newborn.pid, resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))

    def _receive(self) -> bytes:
        try:
            return self._channel.recv(wire.MAX_MESSAGE)
        except ConnectionError:
            return b""

    def _hung_up(self) -> bool:
        """Whether the other end is closed; an empty message looks the same to `recv`."""
        poll = select.poll()
        poll.register(self._channel, 0)
        return bool(poll.poll(0))

    def _judged(self, text: bytes, request: Request, out: int) -> Reply | Ended:
        try:
            reply = wire.load_reply(text, request, rendered.sealed_size(out))
        except (Garbled, OSError):
            # No child of ours answers like that, or goes on writing: somebody else is in there.
            self.kill()
            return Ended(death=_NO_NEWS, timed_out=False)
        self.jobs += 1
        if isinstance(reply, Made):
            self._cpu_seconds += reply.cost.cpu_ms / 1000
            self.peak_rss_kib = reply.cost.peak_rss_kib
        return reply

    async def _ended(self, *, timed_out: bool) -> Ended:
        try:
            async with asyncio.timeout(_NEWS_SECONDS):
                death = await asyncio.shield(self._newborn.died)
        except TimeoutError:
            death = _NO_NEWS
        return Ended(death=death, timed_out=timed_out)


async def born(nursery: Nursery) -> Member:
    """A new child of this fork server."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pictures = os.memfd_create("picture", os.MFD_CLOEXEC)
    try:
        newborn = await nursery.bear(theirs.fileno(), pictures)
    except BaseException:
        ours.close()
        os.close(pictures)
        raise
    finally:
        theirs.close()
    ours.setblocking(False)
    return Member(newborn, ours, pictures)


def _overwrite(descriptor: int, data: bytes | memoryview) -> None:
    """Put all of `data` at the start of the file."""
    rest = memoryview(data)
    done = 0
    while done < len(rest):
        done += os.pwrite(descriptor, rest[done:], done)
