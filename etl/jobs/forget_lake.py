"""The lake without a person: inputs that tell of nobody else go whole, others keep their id and lose some records.

Counts in the audit stay as they were when an input was loaded; the lake's notes count what an input holds now, so that
it can be loaded anew.
"""

import json
import logging
from typing import Any

from etl.extract.spotify.answers import ACCOUNT_PARTS, account_part, lines_of, packed
from etl.extract.spotify.forgetting import known_by, things_in, tracks_in, with_features_of, without
from etl.lake import Lake, Received
from etl.person import Person

log = logging.getLogger(__name__)


def trace(lake: Lake, person: Person) -> Person:
    """The person with all that the lake's answers call them, and the inputs that tell of nobody else."""
    answers = lake.inputs(["api"])
    for is_last in (False, True):  # a profile in a late answer says whose the earlier ones are
        for one in answers:
            person = known_by(lines_of(lake, one), person)
            if is_last and not _staying(lake, one, person):
                person = person.united(inputs={one.input_id})
    exports = {one.input_id for one in lake.inputs(["account_export"]) if _told_by(lake, one) in person.user_ids}
    return person.united(inputs=exports)


def drop_exports(lake: Lake, person: Person) -> int:
    """Remove the person's account exports.

    :returns: how many there were.
    """
    theirs = [one for one in lake.inputs(["account_export"]) if one.input_id in person.inputs]
    for one in theirs:
        lake.drop_input(one)
    return len(theirs)


def clean_answers(lake: Lake, person: Person) -> tuple[int, int]:
    """Take the person out of the API's answers, and with them out of what is remembered of all answers.

    :returns: how many inputs went whole, how many were written anew.
    """
    dropped = changed = 0
    answers = lake.inputs(["api"])
    told = set().union(*(tracks_in(without(lines_of(lake, one), person)) for one in answers))
    for one in answers:
        lines = list(lines_of(lake, one))
        stay = list(without(lines, person))
        if person.accounts:
            stay = list(with_features_of(stay, told))
        if not stay:
            lake.drop_input(one)
            dropped += 1
        elif stay != lines or things_in(stay) != one.row_count:
            lake.replace(one, packed(stay), things_in(stay))
            changed += 1
    if person.accounts or dropped or changed:
        lake.drop_memories([])  # the next refresh makes one of the answers that are left
    return dropped, changed


def clean_fetches(lake: Lake, person: Person) -> None:
    """Remove what fetches in progress keep for the person, or of them."""
    own = {account_part(what, name) for what in ACCOUNT_PARTS for name in person.accounts}
    for run_id in lake.runs():
        for part in lake.kept_places(run_id, "answers"):
            place = f"answers/{part}"
            names = lake.kept_names(run_id, place)
            lines = (json.loads(lake.kept(run_id, f"{place}/{name}") or b"null") for name in names)
            kept = [line for line in lines if line]
            if part in own or list(without(kept, person)) != kept:
                lake.drop_kept(run_id, place)


def drop_steps(lake: Lake) -> None:
    """Remove what steps of runs have left for the next ones: a run in progress has to begin anew."""
    for run_id in lake.runs():
        lake.drop_frames(run_id)


def _staying(lake: Lake, received: Received, person: Person) -> bool:
    return next(without(lines_of(lake, received), person), None) is not None


def _told_by(lake: Lake, received: Received) -> str | None:
    """Whose plays an export holds."""
    first: dict[str, Any] = next(lines_of(lake, received), {})
    return first.get("user_id")
