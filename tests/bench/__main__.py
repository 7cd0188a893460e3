"""`python -m tests.bench NAME`: every benchmark there is."""

import logging
import sys

import structlog
import typer

from tests.bench import (
    api,
    append,
    backlog,
    codec,
    faust,
    imaging,
    latency,
    pipeline,
    projector,
    reads,
    rebuild,
    recovery,
    refusals,
    sandbox,
    sse,
)

app = typer.Typer(no_args_is_help=True, help="Benchmarks of Darkroom.", pretty_exceptions_enable=False)
app.command("imaging")(imaging.command)
app.command("sandbox")(sandbox.command)
app.command("refusals")(refusals.command)
app.command("codec")(codec.command)
app.command("append")(append.command)
app.command("api")(api.command)
app.command("reads")(reads.command)
app.command("sse")(sse.command)
app.command("latency")(latency.command)
app.command("pipeline")(pipeline.command)
app.command("projector")(projector.command)
app.command("rebuild")(rebuild.command)
app.command("backlog")(backlog.command)
app.command("faust")(faust.command)
app.command("recovery")(recovery.command)


@app.callback()
def benchmarks() -> None:
    """Figures are ratios from interleaved rounds; a quiet machine makes them steady."""
    # What our own parts have to say is not part of a result.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


if __name__ == "__main__":
    app()
