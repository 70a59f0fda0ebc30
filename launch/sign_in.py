"""bin/sign-in: let the pipeline read a Spotify account, list those that it may read, or hand them over."""

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from dags.common.pools import get_spotify_pool
from etl.errors import ActionNeededError, EtlError
from etl.extract.spotify.account_store import AccountStore, build_sign_in_warning, count_days_left
from etl.extract.spotify.account_transfer import to_connection_json
from etl.extract.spotify.app import App, get_app
from etl.extract.spotify.sign_in import sign_in
from etl.settings import read_settings
from launch.console import Screen
from launch.environment import get_state_dir


def main(arguments: list[str]) -> int:
    """Sign in, list, or hand over.

    :returns: 0, or 1 where the sign-in did not come about.
    """
    parser = argparse.ArgumentParser(prog="bin/sign-in", description=__doc__)
    parser.add_argument("name", nargs="?", metavar="NAME", help="what to call the account here, such as ada")
    parser.add_argument("--paste", action="store_true", help="paste the address instead of waiting for the browser")
    parser.add_argument("--list", action="store_true", help="show the accounts, and how long each sign-in lasts")
    parser.add_argument(
        "--connection",
        type=Path,
        metavar="FILE",
        help="write all accounts and the app's secret into a new private file, for `airflow connections import`",
    )
    options = parser.parse_args(arguments)
    screen = Screen()
    try:
        app = _load_app()
        accounts = AccountStore(get_state_dir(), app.client_id)
        if options.list:
            list_accounts(accounts, screen, datetime.now(UTC))
            return 0
        if options.connection:
            export_connection(app, accounts, options.connection, screen)
            return 0
        account = sign_in(app, accounts, options.name, options.paste, screen.print_line)
        screen.print_line(f"Signed in as {account.name}, for {count_days_left(account, datetime.now(UTC))} days.")
    except EtlError as error:
        screen.print_error(str(error))
        return 1
    except KeyboardInterrupt:
        screen.print_error("Stopped; nothing was stored.")
        return 130
    return 0


def list_accounts(accounts: AccountStore, screen: Screen, now: datetime) -> None:
    """A line an account: name, days left, trouble."""
    names = accounts.get_names()
    if not names:
        screen.print_line("Nobody has signed in yet: bin/sign-in NAME")
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

    :raises ActionNeededError: where the file is there already or cannot be written, or an account cannot be read.
    """
    connection_id = str(get_spotify_pool({"SPOTIPY_CLIENT_ID": app.client_id}))
    stored_accounts = [accounts.get_account(name) for name in accounts.get_names()]
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as output:
            output.write(to_connection_json(connection_id, app.client_secret, stored_accounts))
    except OSError as error:
        raise ActionNeededError(
            f"{file} cannot be written ({error.strerror}): name a file that is not there yet."
        ) from None
    names = ", ".join(account.name for account in stored_accounts) or "no account"
    screen.print_line(f"{file} has the connection {connection_id} with {names}: airflow connections import {file}")
    screen.print_line("Whoever reads that file can read those accounts: delete it afterwards.")


def _load_app() -> App:
    # Signing in needs no warehouse, and the settings want one named.
    return get_app(read_settings({"WAREHOUSE_URL": "none", **os.environ, "STATE_DIR": str(get_state_dir())}))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
