"""The fork server: a process that has everything loaded and gives birth to children on request.

Started by exec, as `python -m processors.sandbox.fork_server DESCRIPTOR OPTIONS`, so that nothing of the
worker (threads, connections, secrets in its environment) is in it or in any child. It talks over the
SOCK_SEQPACKET socket DESCRIPTOR: a request comes with a child's two descriptors, the answer goes back with
its pidfd, and each death is told. A dead child stays a zombie until the parent says that it knows, so that
its process id cannot become somebody else's meanwhile. When the socket closes, this process ends, and the
kernel kills the children with it.
"""

import gc
import json
import os
import select
import signal
import socket
import sys
from dataclasses import dataclass, field
from importlib import import_module
from typing import cast

from processors.sandbox import child, confinement
from processors.sandbox.child import Descriptors, Job, Rules
from processors.sandbox.confinement import Ceiling, Filter

_MAX_MESSAGE = 4_096
# The weakest claim on a processor; SCHED_IDLE would be none at all, and a busy machine starve a job to death.
_LEAST = 19


@dataclass(slots=True, kw_only=True)
class Nursery:
    """What is needed to make children, and those that live: pidfd to process id."""

    control: socket.socket
    job: Job
    rules: Rules
    children: dict[int, int] = field(default_factory=dict)


def main(arguments: list[str]) -> int:
    """Serve until the socket closes; exit code 0."""
    control = socket.socket(fileno=int(arguments[1]))
    options = json.loads(arguments[2])
    # Ctrl-C reaches the whole terminal group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    module, _, name = options["job"].partition(":")
    job = cast("Job", getattr(import_module(module), name)())
    allowed, reason = _filter(options["seccomp"])
    about = job.warm()
    # Keeps the collector from touching, and so from copying, what children share with us.
    gc.freeze()
    hello = {"mode": "seccomp" if allowed else "rlimits", "reason": reason, "about": about}
    control.send(json.dumps(hello).encode())
    if options.get("yields"):
        # Children are born with it, and could not take it back.
        os.nice(_LEAST)
    ceiling = Ceiling(memory=options["memory"], output=options["output"])
    rules = Rules(ceiling=ceiling, mapped=confinement.mapped(), allowed=allowed, parent=os.getpid())
    _serve(Nursery(control=control, job=job, rules=rules))
    return 0


def _filter(wanted: str) -> tuple[Filter | None, str | None]:
    """The filter, or None and why."""
    if wanted == "off":
        return None, "seccomp is switched off"
    try:
        allowed = confinement.build_filter()
    except (ImportError, RuntimeError, OSError) as error:
        return None, f"libseccomp cannot be used: {error}"
    return (allowed, None) if confinement.works(allowed) else (None, "the kernel takes no seccomp filter")


def _serve(nursery: Nursery) -> None:
    poll = select.poll()
    poll.register(nursery.control, select.POLLIN)
    while True:
        for descriptor, _ in poll.poll():
            if descriptor != nursery.control.fileno():
                poll.unregister(descriptor)
                _tell_death(nursery, descriptor)
            elif not _obey(nursery, poll):
                return


def _obey(nursery: Nursery, poll: select.poll) -> bool:
    """Do what the parent asks; False when it is gone."""
    text, files, _, _ = socket.recv_fds(nursery.control, _MAX_MESSAGE, 2)
    if not text:
        return False
    order = json.loads(text)
    if order["do"] == "fork":
        pidfd = _fork(nursery, Descriptors(channel=files[0], pictures=files[1]), order["child"])
        if pidfd is not None:
            poll.register(pidfd, select.POLLIN)
    else:
        pidfd = next(at for at, pid in nursery.children.items() if pid == order["pid"])
        os.waitid(os.P_PIDFD, pidfd, os.WEXITED)
        del nursery.children[pidfd]
        os.close(pidfd)
    return True


def _fork(nursery: Nursery, given: Descriptors, number: int) -> int | None:
    """Make a child and say so with its pidfd; None when the kernel would not, which is said too."""
    try:
        pid = os.fork()
    except OSError as error:
        os.close(given.channel)
        os.close(given.pictures)
        nursery.control.send(json.dumps({"child": number, "error": error.strerror}).encode())
        return None
    if pid == 0:
        child.live(nursery.job, given, nursery.rules)
    os.close(given.channel)
    os.close(given.pictures)
    pidfd = os.pidfd_open(pid)
    nursery.children[pidfd] = pid
    socket.send_fds(nursery.control, [json.dumps({"child": number, "pid": pid}).encode()], [pidfd])
    return pidfd


def _tell_death(nursery: Nursery, pidfd: int) -> None:
    ended = os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOWAIT)
    if ended is None:
        return
    killed = ended.si_code != os.CLD_EXITED
    death = {"signal": ended.si_status if killed else 0, "exit_code": 0 if killed else ended.si_status}
    nursery.control.send(json.dumps({"died": nursery.children[pidfd], **death}).encode())


if __name__ == "__main__":
    sys.exit(main(sys.argv))
