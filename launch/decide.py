"""bin/decide: state that two ids are one recording or artist, or that they are not; list and undo such decisions."""

import sys
from typing import Annotated, Literal

import typer

from etl.errors import ActionNeededError
from etl.load import statements
from launch.command_line import run_command
from launch.console import Screen
from launch.warehouse_client import resolve_login_url

_EPILOG = """\b
bin/decide same recording TRACK_ID TRACK_ID
bin/decide same artist ARTIST_ID ARTIST_ID       the second is counted as the first
bin/decide different recording TRACK_ID TRACK_ID
bin/decide --list
bin/decide --undo NUMBER
"""


def main(arguments: list[str]) -> int:
    """Run bin/decide; return its exit code."""
    return run_command("decide", decide, arguments, _EPILOG)


def decide(
    verdict: Annotated[
        Literal["same", "different"] | None, typer.Argument(metavar="VERDICT", help="same or different.")
    ] = None,
    kind: Annotated[
        Literal["recording", "artist"] | None, typer.Argument(metavar="KIND", help="recording or artist.")
    ] = None,
    first_id: Annotated[str | None, typer.Argument(metavar="ID", help="An id, or a name that only one has.")] = None,
    second_id: Annotated[str | None, typer.Argument(metavar="ID", help="The other one.")] = None,
    note: Annotated[str | None, typer.Option("--note", help="Why.")] = None,
    is_listing: Annotated[bool, typer.Option("--list", help="List the decisions that hold.")] = False,
    undone: Annotated[int | None, typer.Option("--undo", metavar="NUMBER", help="Take a decision back.")] = None,
    login: Annotated[
        str | None, typer.Option("--as", metavar="LOGIN", help="Sign in with this login, whose name is recorded.")
    ] = None,
) -> int:
    """State that two ids are one recording or artist, or that they are not, against what reconciliation finds."""
    screen = Screen()
    with resolve_login_url(login) as url:
        if is_listing:
            _list_decisions(url, screen)
        elif undone is not None:
            statements.revoke_decision(url, undone)
            screen.print_line(f"Decision {undone} no longer holds. The next refresh and build of the marts follow.")
        elif verdict and kind and first_id and second_id:
            number = statements.state_decision(url, kind, (first_id, second_id), verdict == "same", note)
            screen.print_line(f"Decision {number} holds. {statements.describe_effect(kind, verdict == 'same')}")
        else:
            raise ActionNeededError("Give a verdict, a kind and two ids, such as: bin/decide same artist ID ID")
    return 0


def _list_decisions(url: str, screen: Screen) -> None:
    decisions = statements.list_decisions(url)
    if not decisions:
        screen.print_line("No decision holds.")
    for decision in decisions:
        verdict = "same" if decision["is_match"] else "different"
        screen.print_line(
            f"{decision['decision_id']!s:<6} {verdict:<9} {decision['kind']!s:<9} {decision['first_id']}"
            f" {decision['second_id']}  {decision['decided_by']}, {decision['decided_at']:%Y-%m-%d %H:%M}"
            f"  {decision['note'] or ''}".rstrip()
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
