"""bin/sign-in: sign a Spotify account in, so that the pipeline may read it; list the accounts, or export them."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from dags.common.pools import get_spotify_pool
from etl.errors import ActionNeededError, EtlError
from etl.extract.spotify.account_store import AccountStore, build_sign_in_warning, count_days_left
from etl.extract.spotify.account_transfer import to_connection_json
from etl.extract.spotify.app import App, get_app
from etl.extract.spotify.sign_in import sign_in
from etl.settings import read_settings
from launch.command_line import run_command
from launch.console import Screen
from launch.environment import get_state_dir


def main(arguments: list[str]) -> int:
    """Run bin/sign-in; return its exit code."""
    return run_command("sign-in", sign_in_account, arguments)


def sign_in_account(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A name for the account, such as ada.")] = None,
    is_pasting: Annotated[
        bool, typer.Option("--paste", help="Paste the address that the browser shows, if it runs on another machine.")
    ] = False,
    is_listing: Annotated[
        bool, typer.Option("--list", help="List the accounts and how long each sign-in is valid.")
    ] = False,
    connection: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write all accounts and the app's secret into a new private file for `airflow connections import`.",
        ),
    ] = None,
) -> int:
    """Sign a Spotify account in, so that the pipeline may read it; list the accounts, or export them."""
    screen = Screen()
    try:
        app = _load_app()
        accounts = AccountStore(get_state_dir(), app.client_id)
        if is_listing:
            list_accounts(accounts, screen, datetime.now(UTC))
        elif connection:
            export_connection(app, accounts, connection, screen)
        else:
            account = sign_in(app, accounts, name, is_pasting, screen.print_line)
            days_left = count_days_left(account, datetime.now(UTC))
            screen.print_line(f"Signed in as {account.name}, for {days_left} days.")
    except KeyboardInterrupt:
        screen.print_error("Stopped; nothing was stored.")
        return 130
    return 0


def list_accounts(accounts: AccountStore, screen: Screen, now: datetime) -> None:
    """Print a line for each account: its name, the days left, and a problem."""
    names = accounts.get_names()
    if not names:
        screen.print_line("No account has signed in yet: bin/sign-in NAME")
    for name in names:
        try:
            account = accounts.get_account(name)
        except EtlError as error:
            screen.print_error(str(error))
            continue
        state = account.trouble or build_sign_in_warning(account, now) or "good"
        screen.print_line(f"{name:<24} {count_days_left(account, now):4} days   {state}")


def export_connection(app: App, accounts: AccountStore, file: Path, screen: Screen) -> None:
    """Write all accounts and the app's secret as an Airflow connection.

    :raises ActionNeededError: if the file exists or cannot be written, or an account cannot be read.
    """
    connection_id = str(get_spotify_pool({"SPOTIPY_CLIENT_ID": app.client_id}))
    stored_accounts = [accounts.get_account(name) for name in accounts.get_names()]
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as output:
            output.write(to_connection_json(connection_id, app.client_secret, stored_accounts))
    except OSError as error:
        raise ActionNeededError(
            f"{file} cannot be written ({error.strerror}): name a file that does not exist yet."
        ) from None
    names = ", ".join(account.name for account in stored_accounts) or "no account"
    screen.print_line(f"{file} has the connection {connection_id} with {names}: airflow connections import {file}")
    screen.print_line("The file gives access to these accounts: delete it after the import.")


def _load_app() -> App:
    # Signing in needs no warehouse, but the settings require its URL.
    return get_app(read_settings({"WAREHOUSE_URL": "none", **os.environ, "STATE_DIR": str(get_state_dir())}))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
