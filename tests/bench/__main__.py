"""`python -m tests.bench NAME`: every benchmark there is."""

import typer

from tests.bench import imaging, sandbox

app = typer.Typer(no_args_is_help=True, help="Benchmarks of Darkroom.", pretty_exceptions_enable=False)
app.command("imaging")(imaging.command)
app.command("sandbox")(sandbox.command)


@app.callback()
def benchmarks() -> None:
    """Figures are ratios from interleaved rounds; a quiet machine makes them steady."""


if __name__ == "__main__":
    app()
