"""bin/describe-taste: the taste of a user in a year, in words, with the figures of each statement."""

import json
import os
import sys
from typing import Annotated

import typer

from etl import database
from etl.errors import ActionNeededError
from etl.taste_text.figures import parse_figures
from etl.taste_text.language_model import read_language_model, rewrite_profile
from etl.taste_text.profile import write_profile
from launch.command_line import run_command
from launch.console import Screen
from launch.warehouse_client import resolve_warehouse_url

_NEWEST_YEAR = "select max(year) as year from mart.wrapped where user_id = :user_id and year > 0"


def main(arguments: list[str]) -> int:
    """Run bin/describe-taste; return its exit code."""
    return run_command("describe-taste", describe_taste, arguments)


def describe_taste(
    user: Annotated[str, typer.Argument(metavar="USER", help="The user_id in warehouse.dim_user.")],
    year: Annotated[
        int | None, typer.Option(metavar="YEAR", help="The year; the newest with plays by default.")
    ] = None,
    shows_figures: Annotated[
        bool, typer.Option("--figures", help="Also print each statement with its figures, as JSON lines.")
    ] = False,
    is_rewritten: Annotated[
        bool, typer.Option("--language-model", help="Let the language model of TASTE_TEXT_URL write the text.")
    ] = False,
) -> int:
    """Print a user's taste in a year, in words."""
    with resolve_warehouse_url() as url, database.connect(url) as connection:
        if year is None:
            newest = database.fetch_rows(connection, _NEWEST_YEAR, user_id=user)[0]["year"]
            year = int(str(newest)) if newest is not None else 0
        rows = database.fetch_rows(
            connection, database.read_sql("queries/dashboard/taste_figures"), user_id=user, year=year
        )
    if not rows:
        raise ActionNeededError(
            f"The marts have no plays of {user}{f' in {year}' if year else ''}: "
            "look the user up in mart.wrapped, or run the DAG build_marts."
        )
    profile = write_profile(parse_figures(rows[0], year), user)
    screen, text = Screen(), profile.text
    if is_rewritten:
        language_model = read_language_model(os.environ)
        if language_model is None:
            raise ActionNeededError("TASTE_TEXT_URL is not set: docs/taste_text.md says what it takes.")
        text = rewrite_profile(profile, year, language_model) or text
    screen.print_line(text)
    if shows_figures:
        for statement in profile.statements:
            line = {"kind": statement.kind, "text": statement.text, "figures": statement.figures}
            screen.print_line(json.dumps(line, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
