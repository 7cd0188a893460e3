"""What a job gives: facts, and the variants' bytes in place, in the memory that the child wrote them to."""

import fcntl
import mmap
import os
from types import TracebackType
from typing import Self

from processors.imaging.contract import Cost, Encoder, Facts, Source, Variant
from processors.sandbox.wire import Made

# From here on neither the child nor anybody else changes a byte, and the mapping can't lose its pages.
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


class Rendered:
    """The variants of one picture; a context manager that gives their memory back at its end."""

    def __init__(self, made: Made, *, encoder: Encoder, attempts: int, output: int) -> None:
        self.source: Source = made.source
        self.variants: tuple[Variant, ...] = made.variants
        self.facts: Facts = made.facts
        self.cost: Cost = made.cost
        self.encoder = encoder
        self.attempts_in_sandbox = attempts
        # Private, though nobody writes: kernels before 6.7 map a sealed file in no other way.
        self._bytes = mmap.mmap(output, 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)

    def bytes_of(self, variant: Variant) -> memoryview:
        """The file of one variant, not copied; not to be used after `close`."""
        return memoryview(self._bytes)[variant.offset : variant.offset + variant.size]

    def close(self) -> None:
        """Give the memory back; where a view of it is still held, that happens when the view goes."""
        try:
            self._bytes.close()
        except BufferError:
            # The mapping lives as long as the view does, and not longer.
            self._bytes = mmap.mmap(-1, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def new_output() -> int:
    """A file in memory for one job's variants, that can be sealed."""
    return os.memfd_create("variants", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)


def sealed_size(output: int) -> int:
    """Make the file unchangeable and give its size; raises OSError while somebody maps it for writing."""
    fcntl.fcntl(output, fcntl.F_ADD_SEALS, _SEALS)
    return os.fstat(output).st_size
