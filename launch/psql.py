"""bin/psql: run psql on the warehouse; bin/psql --as NAME: as a login, whose password psql asks for."""

import sys

from sqlalchemy.engine import make_url

from etl.database import has_control_characters
from etl.errors import ActionNeededError
from launch.console import report_errors
from launch.warehouse_client import make_client_environment, resolve_warehouse_url, run_client


def main(arguments: list[str]) -> int:
    """Run psql with its own arguments.

    :returns: psql's exit code; 1 if the embedded server cannot be started.
    """
    return report_errors(lambda: _run_psql(arguments))


def _run_psql(arguments: list[str]) -> int:
    with resolve_warehouse_url() as url:
        if arguments[:1] == ["--as"] and len(arguments) > 1:
            url, arguments = _replace_login(url, arguments[1]), arguments[2:]
        with make_client_environment(url) as environ:
            return run_client("psql", arguments, environ)


def _replace_login(url: str, name: str) -> str:
    """Return the warehouse's URL with a login's name and without a password.

    :raises ActionNeededError: if no login can have the name.
    """
    if has_control_characters(name):
        raise ActionNeededError(f"The name {name!r} has a control character, which no login can have.")
    user = make_url(url).set(username=name)
    return user._replace(password=None).render_as_string(hide_password=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
