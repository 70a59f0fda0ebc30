"""Statements of analysts and operators: decisions about ids, and plays that are left out.

They call the functions of sql/schema/mart that a login calls in SQL, so the same rules and messages hold.
"""

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from etl.database import connect, fetch_rows, get_sqlstate
from etl.errors import ActionNeededError

_REJECTIONS = {
    "21000": "cardinality_violation",
    "22023": "invalid_parameter_value",
    "23000": "integrity_constraint_violation",
    "23514": "check_violation",
    "42501": "insufficient_privilege",
    "53400": "configuration_limit_exceeded",
    "P0002": "no_data_found",
}
"""The errors by which the functions reject a statement, by SQLSTATE."""


def state_decision(url: str, kind: str, ids: tuple[str, str], is_match: bool, note: str | None) -> int:
    """Store the decision that two ids are one recording or artist, or that they are not; return its number.

    :param ids: ids, or names that only one track or artist has. Of artists that are one, the first counts.
    :raises ActionNeededError: if another decision contradicts it, or an id is not known.
    """
    function = "state_match" if is_match else "state_difference"
    parameters = {"kind": kind, "first_id": ids[0], "second_id": ids[1], "note": note}
    return int(str(_call_function(url, function, parameters)))


def revoke_decision(url: str, decision_id: int) -> None:
    """Take a decision back.

    :raises ActionNeededError: if no such decision holds.
    """
    _call_function(url, "revoke_decision", {"decision_id": decision_id})


def describe_effect(kind: str, is_match: bool) -> str:
    """Return when a decision, or taking it back, changes the counts."""
    if kind == "artist" and is_match:
        return "The next build of the marts follows: it counts artists that are one as the first."
    return "The next refresh of the catalogue and the build of the marts after it follow."


def leave_out_plays(url: str, user_id: str | None, conditions: Mapping[str, object]) -> int:
    """Store that what meets all conditions is left out of a user's counts; return the number of the exclusion.

    :param user_id: None for the listener to whom the login belongs.
    :param conditions: arguments of ``mart.leave_out_plays`` by name.
    :raises ActionNeededError: if there is no condition, or an id is not known.
    """
    if user_id is None:
        return int(str(_call_function(url, "leave_out_my_plays", conditions)))
    return int(str(_call_function(url, "leave_out_plays", {"user_id": user_id, **conditions})))


def count_plays_again(url: str, exclusion_id: int, is_own: bool = False) -> None:
    """Take an exclusion back.

    :param is_own: whether it is one that the listener of the login has stated, else that of an analyst or operator.
    :raises ActionNeededError: if no such exclusion holds.
    """
    _call_function(url, "count_my_plays_again" if is_own else "count_plays_again", {"exclusion_id": exclusion_id})


def list_decisions(url: str) -> list[dict[str, object]]:
    """Return the decisions that hold, with their columns in warehouse.match_decision."""
    statement = "select * from warehouse.match_decision where revoked_at is null order by decision_id"
    with connect(url) as connection:
        return fetch_rows(connection, statement)


def list_exclusions(url: str) -> list[dict[str, object]]:
    """Return the exclusions that hold, with their columns in mart.play_exclusion."""
    statement = "select * from mart.play_exclusion where revoked_at is null order by user_id, exclusion_id"
    with connect(url) as connection:
        return fetch_rows(connection, statement)


def _call_function(url: str, name: str, parameters: Mapping[str, object]) -> object:
    arguments = ", ".join(f"{parameter} => :{parameter}" for parameter in parameters)
    with connect(url) as connection:
        try:
            return connection.execute(text(f"select mart.{name}({arguments})"), dict(parameters)).scalar()
        except DBAPIError as error:
            if get_sqlstate(error) not in _REJECTIONS:
                raise
            diagnostics = getattr(error.orig, "diag", None)
            sentences = (getattr(diagnostics, "message_primary", None), getattr(diagnostics, "message_hint", None))
            raise ActionNeededError(" ".join(sentence for sentence in sentences if sentence)) from error
