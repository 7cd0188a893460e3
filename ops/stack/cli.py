"""`python -m ops stack …`: the embedded stack from the command line."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ops.stack import logs as log_files
from ops.stack.console import Terminal
from ops.stack.down import down as end_stack
from ops.stack.failures import StackFailure
from ops.stack.folder import Folder, folder_of
from ops.stack.settings import load_stack_settings
from ops.stack.status import as_json, as_table, read_status

app = typer.Typer(no_args_is_help=True, help="The embedded stack: servers and processes by one command.")
Home = Annotated[Path | None, typer.Option("--home", help="Folder that holds .darkroom/.")]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command()
def up(
    home: Home = None,
    external: Annotated[bool, typer.Option(help="Use the servers that the environment names.")] = False,
    servers_only: Annotated[bool, typer.Option("--servers-only", help="Start no process of ours.")] = False,
    sample: Annotated[bool, typer.Option(help="Take a sample photograph through, once per folder.")] = True,
) -> None:
    """Start everything and serve until Ctrl-C."""
    from ops.stack import up as starting  # here, because `status` need not wait for what it imports

    terminal = Terminal()
    wish = starting.Wish(external=external, servers_only=servers_only, sample=sample)
    try:
        code = starting.up(load_stack_settings(home), wish, terminal)
    except StackFailure as failure:
        terminal.error(str(failure))
        code = 1
    except KeyboardInterrupt:
        terminal.error("Interrupted.")
        code = 130
    raise typer.Exit(code)


@app.command()
def down(home: Home = None) -> None:
    """End a running stack; its data stays."""
    end_stack(_folder(home), Terminal())


@app.command()
def status(home: Home = None, as_data: Json = False) -> None:
    """Show every server and process. Exit code: 0 all is well, 1 something is not, 3 nothing runs."""
    found = read_status(_folder(home))
    terminal = Terminal()
    if as_data:
        typer.echo(json.dumps(as_json(found), indent=1))
    elif not found.running:
        terminal.line("Not running. Start it with `make up`.")
    else:
        terminal.console.print(as_table(found.rows))
    raise typer.Exit(found.exit_code)


@app.command()
def logs(
    name: str,
    home: Home = None,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as they are written.")] = False,
) -> None:
    """Show a program's log."""
    folder = _folder(home)
    log = folder.log_of(name)
    if not log.exists():
        known = ", ".join(sorted(path.stem for path in folder.logs.glob("*.log"))) or "none yet"
        Terminal().error(f"There is no log named {name}. There are: {known}.")
        raise typer.Exit(1)
    for line in log_files.last_lines(log, lines):
        typer.echo(line)
    if follow:
        for line in log_files.follow(log):
            typer.echo(line)


@app.command()
def fetch(home: Home = None) -> None:
    """Fetch the servers' files and check them, unless they are here; starts nothing."""
    from ops.stack.up import get_servers

    folder, terminal = _folder(home), Terminal()
    try:
        folder.create()
        get_servers(folder, terminal)
    except StackFailure as failure:
        terminal.error(str(failure))
        raise typer.Exit(1) from failure


@app.command()
def digests(home: Home = None) -> None:
    """Make the committed lists of the servers' files anew (maintainers; needs the network)."""
    from ops.stack.digests import renew_digests

    for path in renew_digests(_folder(home).cache):
        typer.echo(path)


def _folder(home: Path | None) -> Folder:
    try:
        return folder_of(load_stack_settings(home))
    except StackFailure as failure:
        Terminal().error(str(failure))
        raise typer.Exit(1) from failure
