"""Whose history it is, and where that person lives: what the export itself does not say."""

import re
from difflib import get_close_matches

from etl.errors import ActionNeededError
from etl.person import NOBODY
from etl.places import known_timezones

_USER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def checked_user(user_id: str) -> str:
    """``user_id`` without blanks around it.

    :raises ActionNeededError: where it cannot be anybody's id.
    """
    user = user_id.strip()
    if not _USER_ID.fullmatch(user) or user in NOBODY:
        raise ActionNeededError(
            "The user must be an id of at most 64 letters, digits, dots, dashes and underscores, such as the account's "
            "id in dim_user; unknown is nobody's."
        )
    return user


def checked_timezone(timezone: str) -> str:
    """``timezone`` without blanks around it.

    :raises ActionNeededError: where it is no name of a place's time in the IANA database.
    """
    name = timezone.strip()
    if name in known_timezones():
        return name
    near = get_close_matches(name.title().replace(" ", "_"), known_timezones(), n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise ActionNeededError(f"The timezone must be an IANA name, such as Europe/Berlin or America/New_York.{hint}")
