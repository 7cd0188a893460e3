"""The job that children do for Darkroom: one picture to its variants by the recipe."""

import hashlib
import os
import resource
import time
from collections.abc import Callable
from dataclasses import asdict

from processors.imaging import memory, resize
from processors.imaging.contract import Cost, Limits, Preset, Refused
from processors.imaging.encode import encoder
from processors.imaging.recipe import make_variants
from processors.sandbox import warmth
from processors.sandbox.wire import Made, Reply, Request


class Variants:
    """What a fork server prepares once, and each of its children then does again and again."""

    def __init__(self) -> None:
        self._resizer = resize.by_pillow()

    def warm(self) -> dict[str, str]:
        """Do everything once that imports, opens or caches something; gives the encoder's versions."""
        memory.keep_freed_memory()
        if _survives(resize.best):
            self._resizer = resize.best()
        every = Preset(name="warm", width=32, height=32, fit="contain", formats=warmth.FORMATS)
        out = os.memfd_create("warm", os.MFD_CLOEXEC)
        warmth.use_colours()
        for picture in warmth.pictures():
            make_variants(picture, (every,), Limits(), out, resizer=self._resizer)
            try:
                make_variants(picture[: len(picture) // 2], (every,), Limits(), out, resizer=self._resizer)
            except Refused:
                continue
        os.close(out)
        return asdict(encoder(self._resizer))

    def run(self, request: Request, data: bytes, out: int) -> Reply:
        """Raises what the recipe raises, and Refused(hash_mismatch) before a decoder sees the bytes."""
        started, cpu = time.monotonic(), time.process_time()
        digest = hashlib.sha256(data).hexdigest()
        if request.expected_sha256 not in (None, digest):
            raise Refused("hash_mismatch")
        result = make_variants(
            data, request.presets, request.limits, out, resizer=self._resizer, sha256=digest
        )
        cost = Cost(
            cpu_ms=(time.process_time() - cpu) * 1000,
            wall_ms=(time.monotonic() - started) * 1000,
            peak_rss_kib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        )
        return Made(source=result.source, variants=result.variants, facts=result.facts, cost=cost)


def _survives(attempt: Callable[[], object]) -> bool:
    """Whether a process that tries this ends well; the attempt may crash it."""
    pid = os.fork()
    if pid == 0:
        try:
            attempt()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    return status == 0
