"""bin/sign-in: let the pipeline read a Spotify account, list those that it may read, or hand them over."""

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from dags.pools import spotify_pool
from etl.config import settings
from etl.errors import ActionNeededError, EtlError
from etl.extract.spotify.accounts import Accounts, days_left, sign_in_warning
from etl.extract.spotify.app import App, app_of
from etl.extract.spotify.handed_over import as_connections
from etl.extract.spotify.sign_in import sign_in
from launch.console import Screen
from launch.environment import state_dir


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
        app = _app()
        accounts = Accounts(state_dir(), app.client_id)
        if options.list:
            list_accounts(accounts, screen, datetime.now(UTC))
            return 0
        if options.connection:
            hand_over(app, accounts, options.connection, screen)
            return 0
        account = sign_in(app, accounts, options.name, options.paste, screen.say)
        screen.say(f"Signed in as {account.name}, for {days_left(account, datetime.now(UTC))} days.")
    except EtlError as error:
        screen.complain(str(error))
        return 1
    except KeyboardInterrupt:
        screen.complain("Stopped; nothing was stored.")
        return 130
    return 0


def list_accounts(accounts: Accounts, screen: Screen, now: datetime) -> None:
    """A line an account: name, days left, trouble."""
    names = accounts.names()
    if not names:
        screen.say("Nobody has signed in yet: bin/sign-in NAME")
    for name in names:
        try:
            account = accounts.get(name)
        except EtlError as error:
            screen.complain(str(error))
            continue
        state = account.trouble or sign_in_warning(account, now) or "good"
        screen.say(f"{name:<24} {days_left(account, now):4} days   {state}")


def hand_over(app: App, accounts: Accounts, file: Path, screen: Screen) -> None:
    """Write all accounts and the app's secret as an Airflow connection.

    :raises ActionNeededError: where the file is there already or cannot be written, or an account cannot be read.
    """
    connection_id = str(spotify_pool({"SPOTIPY_CLIENT_ID": app.client_id}))
    stored = [accounts.get(name) for name in accounts.names()]
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as written:
            written.write(as_connections(connection_id, app.client_secret, stored))
    except OSError as error:
        raise ActionNeededError(
            f"{file} cannot be written ({error.strerror}): name a file that is not there yet."
        ) from None
    names = ", ".join(account.name for account in stored) or "no account"
    screen.say(f"{file} has the connection {connection_id} with {names}: airflow connections import {file}")
    screen.say("Whoever reads that file can read those accounts: delete it afterwards.")


def _app() -> App:
    # Signing in needs no warehouse, and the settings want one named.
    return app_of(settings({"WAREHOUSE_URL": "none", **os.environ, "STATE_DIR": str(state_dir())}))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
