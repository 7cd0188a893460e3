"""Renderers for unit tests: the real recipe without a sandbox around it, and failures on demand."""

import hashlib
import io
import os
from collections.abc import Sequence

from PIL import Image

from processors.imaging import recipe
from processors.imaging.contract import Cost, Encoder, Limits, Preset, Refused
from processors.sandbox.rendered import Rendered, new_output
from processors.sandbox.wire import Made


def picture(width: int = 320, height: int = 200, colour: str = "teal", image_format: str = "JPEG") -> bytes:
    """A plain picture."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, image_format)
    return out.getvalue()


class InProcessRenderer:
    """The recipe itself, run here and now. `failures` are raised in turn before it is."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.renders = 0
        self.encoder = Encoder(pillow="1", codecs="2", resizer="3", simd="4")

    async def render(
        self,
        data: bytes | memoryview,
        *,
        owner: str,
        presets: Sequence[Preset],
        expected_sha256: str | None = None,
    ) -> Rendered:
        """As the sandbox does it."""
        del owner
        self.renders += 1
        if self.failures:
            raise self.failures.pop(0)
        if expected_sha256 not in (None, hashlib.sha256(data).hexdigest()):
            raise Refused("hash_mismatch")
        output = new_output()
        try:
            result = recipe.make_variants(data, presets, Limits(), output)
            made = Made(
                source=result.source,
                variants=result.variants,
                facts=result.facts,
                cost=Cost(cpu_ms=12.3, wall_ms=14.5, peak_rss_kib=1000),
            )
            return Rendered(made, encoder=self.encoder, attempts=1, output=output)
        finally:
            os.close(output)
