"""Checks of a new login: its name, and the user or artist whose rows it will see."""

import re

from sqlalchemy import Connection

from etl.database import fetch_rows, has_control_characters
from etl.errors import ActionNeededError
from etl.load.access.grants import ROLES

_LOGIN_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,62}")
_ENTITY_QUERIES = {
    "listener": ("user", "select user_id from warehouse.dim_user where user_key > 0 and user_id = :id limit 1"),
    "artist": ("artist", "select artist_id from warehouse.dim_artist where artist_key > 0 and artist_id = :id"),
}


def validate_login(kind: str, name: str, entity_id: str | None) -> None:
    """Raise ActionNeededError if a name is not valid, or an id is missing or superfluous for the kind of login."""
    if not _LOGIN_NAME.fullmatch(name) or name.startswith("pg_") or name in (*ROLES, "public", "none"):
        raise ActionNeededError(
            f"{name!r} is not a valid login name: use small letters, digits, dots, dashes and underscores, and begin "
            "with a letter. Names of group roles and names that begin with pg_ are reserved."
        )
    if has_control_characters(entity_id or ""):
        raise ActionNeededError(
            f"The id {entity_id!r} has control characters or is not text: no user or artist has it."
        )
    if (kind in _ENTITY_QUERIES) != (entity_id is not None):
        entity, _ = _ENTITY_QUERIES.get(kind, ("", ""))
        requirement = f"needs the id of its {entity}" if entity else "takes no id"
        raise ActionNeededError(f"A login of kind {kind} {requirement}: see bin/add-login --help.")


def check_entity_exists(connection: Connection, kind: str, entity_id: str | None) -> None:
    """Raise ActionNeededError if the warehouse does not have the user of a listener or the artist of an artist."""
    entity, statement = _ENTITY_QUERIES.get(kind, ("", ""))
    if entity and not fetch_rows(connection, statement, id=entity_id):
        id_column = f"{entity}_id of warehouse.dim_{entity}"
        raise ActionNeededError(f"The warehouse has no {entity} {entity_id!r}: give a {id_column}.")


def find_playlist_owner_id(connection: Connection, user_id: str) -> str | None:
    """Return the owner id that a user's playlists have, if the user's account has been fetched; else None.

    :raises ActionNeededError: if another account's playlists have the user's id as owner: the login would see them.
    """
    owner_rows = fetch_rows(connection, "select owner_id from audit.account_owner where user_id = :id", id=user_id)
    if owner_rows:
        return str(owner_rows[0]["owner_id"])
    statement = """
        select from warehouse.dim_playlist where owner_id = :id and source = 'api'
        union all
        select from audit.account_owner where owner_id = :id
    """
    if fetch_rows(connection, statement, id=user_id):
        raise ActionNeededError(
            f"The user {user_id!r} comes from an import or a feed, and a Spotify account with the same id owns "
            "playlists here, which the login would see. If it is the user's own account, sign it in by bin/sign-in "
            "and run a refresh; else import the user's history under another id. Then add the login."
        )
    return None
