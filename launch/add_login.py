"""bin/add-login: add a login for an analyst, operator, listener or artist; list, end and remove logins and sessions."""

import sys
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Literal

import typer
from sqlalchemy.engine import make_url

from etl.errors import ActionNeededError, EtlError
from etl.extract.spotify.account_store import find_account_stores
from etl.load.access.login_records import Login
from etl.load.access.logins import (
    add_login,
    end_login_sessions,
    list_login_sessions,
    list_logins,
    remove_login,
    reset_password,
)
from launch.command_line import run_command
from launch.console import Screen
from launch.environment import get_state_dir
from launch.warehouse_client import resolve_admin_url

_EPILOG = """\b
analyst   reads warehouse and mart, without names, birthdates and genders
operator  reads what an analyst reads, and the audit
listener  sees their own events, years, tastes and playlists; ID is the user_id of warehouse.dim_user
artist    sees their own audience; ID is the artist_id of warehouse.dim_artist
"""


def main(arguments: list[str]) -> int:
    """Run bin/add-login; return its exit code."""
    return run_command("add-login", manage_logins, arguments, _EPILOG)


def manage_logins(
    kind: Annotated[
        Literal["analyst", "operator", "listener", "artist"] | None,
        typer.Argument(metavar="KIND", help="analyst, operator, listener or artist."),
    ] = None,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The login's name, such as ada.")] = None,
    entity_id: Annotated[str | None, typer.Argument(metavar="ID", help="The id of the listener or artist.")] = None,
    is_listing: Annotated[bool, typer.Option("--list", help="List all logins.")] = False,
    is_listing_sessions: Annotated[bool, typer.Option("--sessions", help="List the open sessions of logins.")] = False,
    ended: Annotated[
        str | None,
        typer.Option("--end", metavar="NAME", help="End a login's sessions, or a session by its number."),
    ] = None,
    removed: Annotated[str | None, typer.Option("--remove", metavar="NAME", help="Remove a login.")] = None,
    renewed: Annotated[str | None, typer.Option("--new-password", metavar="NAME", help="Reset a password.")] = None,
) -> int:
    """Add a login to the warehouse: bin/add-login analyst ada. List, end and remove logins and their sessions."""
    screen = Screen()
    with resolve_admin_url() as url:
        if is_listing:
            _list_logins(url, screen)
        elif is_listing_sessions:
            _list_sessions(url, screen)
        elif ended:
            screen.print_line(f"Sessions ended: {end_login_sessions(url, ended)}.")
        elif removed:
            remove_login(url, removed)
            screen.print_line(f"The login {removed} was removed.")
        elif renewed:
            _show_password(url, renewed, reset_password(url, renewed), screen)
        elif kind and name:
            owner_id = _find_owner_id(entity_id) if kind == "listener" else None
            _show_password(url, name, add_login(url, kind, name, entity_id, owner_id), screen)
        else:
            raise ActionNeededError("Give the kind and the name of the login, such as: bin/add-login analyst ada")
    return 0


def _show_password(url: str, name: str, password: str, screen: Screen) -> None:
    address = make_url(url)
    screen.print_line(f"login     {name}")
    screen.print_line(f"password  {password}")
    screen.print_line(
        f"server    {address.host or 'localhost'}, port {address.port or 5432}, database {address.database}"
    )
    screen.print_line(
        "The password is shown only once and stored nowhere: pass it on, or store it in a password manager."
    )


def _list_logins(url: str, screen: Screen) -> None:
    logins = list_logins(url)
    if not logins:
        screen.print_line("There are no logins yet: bin/add-login analyst NAME")
    for login in logins:
        screen.print_line(f"{login.login_name:<24} {login.kind:<9} {_describe_entity(login)}")
    for name in (login.login_name for login in logins if login.has_own_password):
        screen.print_line(
            f"{name} has changed its own password, whose length the server does not check: bin/add-login "
            f"--new-password {name} generates a long one."
        )


def _list_sessions(url: str, screen: Screen) -> None:
    sessions = list_login_sessions(url)
    if not sessions:
        screen.print_line("No login is connected.")
    for session in sessions:
        screen.print_line(
            f"{session.pid:<8} {session.login_name:<24} since {_format_minute(session.connected_at)}  "
            f"transaction since {_format_minute(session.transaction_at)}  {session.state or '-'}  "
            f"{session.application or ''}"
        )


def _format_minute(timestamp: datetime | None) -> str:
    return "-" if timestamp is None else f"{timestamp:%Y-%m-%d %H:%M} UTC"


def _describe_entity(login: Login) -> str:
    if not login.is_active:
        return f"can see nothing any more: bin/add-login --remove {login.login_name}"
    return login.user_id or login.artist_id or ""


def _find_owner_id(user_id: str | None) -> str | None:
    """Return the owner id of the playlists of an account that has signed in here; None for other users."""
    for accounts in find_account_stores(get_state_dir()):
        for name in accounts.get_names():
            with suppress(EtlError):  # an unreadable account of another user must not prevent the login
                account = accounts.get_account(name)
                if account.account_id == user_id:
                    return account.user_id
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
