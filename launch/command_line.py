"""The command line of the commands in bin/: typer reads the arguments, and one handler prints errors.

A command is a function: its parameters are the arguments, its docstring is the help, and it returns the exit code.
bin/psql has no arguments of its own, so it imports only ``console.report_errors``: typer takes a second to import.
"""

from collections.abc import Callable

import typer
from typer.exceptions import TyperException

from launch.console import Screen, report_errors

_INTERRUPTED = 130
"""The exit code that a shell returns for a command that Ctrl-C has ended."""


def run_command(name: str, command: Callable[..., int], arguments: list[str], epilog: str | None = None) -> int:
    """Parse the arguments of a command and run it.

    :param name: of the file in bin/.
    :param epilog: shown below the options of ``--help``; a line with a backspace before a paragraph keeps its lines.
    :returns: the command's exit code; 1 after an ``EtlError``, whose message is printed.
    :raises SystemExit: with code 2 if the arguments are not valid.
    """
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(epilog=epilog)(command)
    try:
        return report_errors(lambda: int(app(arguments, prog_name=f"bin/{name}", standalone_mode=False) or 0))
    except TyperException as error:
        typer.echo(f"✗ {error.format_message().rstrip('.')}. See bin/{name} --help.", err=True)
        raise SystemExit(error.exit_code) from None
    except typer.Abort:
        Screen().print_error("Stopped.")
        return _INTERRUPTED
