"""bin/leave-out: leave plays of a user out of all counts; list and undo such exclusions."""

import sys
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from etl.errors import ActionNeededError
from etl.load import statements
from launch.command_line import run_command
from launch.console import Screen
from launch.warehouse_client import resolve_login_url

_CONDITIONS = (
    "playlist_id",
    "device_type",
    "platform",
    "artist_id",
    "track_id",
    "is_private_session",
    "first_date",
    "last_date",
)
_EPILOG = "An exclusion leaves out what meets all of its conditions; the events stay, and --undo counts them again."


class DeviceType(StrEnum):
    """Kinds of devices of events."""

    mobile = "MOBILE"
    desktop = "DESKTOP"
    tablet = "TABLET"
    smart_speaker = "SMART_SPEAKER"


def main(arguments: list[str]) -> int:
    """Run bin/leave-out; return its exit code."""
    return run_command("leave-out", leave_out, arguments, _EPILOG)


def leave_out(
    user: Annotated[str | None, typer.Argument(metavar="USER", help="The user_id in warehouse.dim_user.")] = None,
    is_private: Annotated[bool, typer.Option("--private-sessions", help="Private sessions.")] = False,
    playlist: Annotated[str | None, typer.Option("--playlist", metavar="ID", help="Plays from this playlist.")] = None,
    device: Annotated[DeviceType | None, typer.Option("--device", help="Plays on this kind of device.")] = None,
    platform: Annotated[str | None, typer.Option("--platform", help="Plays on this platform.")] = None,
    artist: Annotated[str | None, typer.Option("--artist", metavar="ID", help="Plays of this artist.")] = None,
    track: Annotated[str | None, typer.Option("--track", metavar="ID", help="Plays of this recording.")] = None,
    since: Annotated[
        datetime | None, typer.Option("--since", formats=["%Y-%m-%d"], help="From this day of the user on.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="Up to this day, which is included.")
    ] = None,
    note: Annotated[str | None, typer.Option("--note", help="Why.")] = None,
    is_listing: Annotated[bool, typer.Option("--list", help="List the exclusions that hold.")] = False,
    undone: Annotated[int | None, typer.Option("--undo", metavar="NUMBER", help="Take an exclusion back.")] = None,
    login: Annotated[
        str | None, typer.Option("--as", metavar="LOGIN", help="Sign in with this login, whose name is recorded.")
    ] = None,
) -> int:
    """Leave plays of a user out of all counts: bin/leave-out USER --playlist ID --until 2024-12-31."""
    screen = Screen()
    conditions = {
        "playlist_id": playlist,
        "device_type": device and device.value,
        "platform": platform,
        "artist_id": artist,
        "track_id": track,
        "is_private_session": is_private,
        "first_date": since and since.date(),
        "last_date": until and until.date(),
        "note": note,
    }
    with resolve_login_url(login) as url:
        if is_listing:
            _list_exclusions(url, screen)
        elif undone is not None:
            statements.count_plays_again(url, undone)
            screen.print_line(f"Exclusion {undone} no longer holds. The next build of the marts follows.")
        elif user:
            number = statements.leave_out_plays(url, user, conditions)
            screen.print_line(f"Exclusion {number} holds. The next build of the marts follows.")
        else:
            raise ActionNeededError("Give a user and what to leave out, such as: bin/leave-out USER --private-sessions")
    return 0


def _list_exclusions(url: str, screen: Screen) -> None:
    exclusions = statements.list_exclusions(url)
    if not exclusions:
        screen.print_line("No exclusion holds.")
    for exclusion in exclusions:
        conditions = ", ".join(f"{name} {exclusion[name]}" for name in _CONDITIONS if exclusion[name])
        stated_by = "the listener" if exclusion["is_own"] else exclusion["stated_by"]
        screen.print_line(
            f"{exclusion['exclusion_id']!s:<6} {exclusion['user_id']}  {conditions}  {stated_by},"
            f" {exclusion['stated_at']:%Y-%m-%d}  {exclusion['note'] or ''}".rstrip()
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
