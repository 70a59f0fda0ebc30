"""Whose history it is, and where that person lives: what the export itself does not say."""

import re
from difflib import get_close_matches
from functools import cache
from zoneinfo import available_timezones

from etl.errors import ActionNeededError

_USER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def checked_user(user_id: str) -> str:
    """``user_id`` without blanks around it.

    :raises ActionNeededError: where it cannot be an id.
    """
    user = user_id.strip()
    if not _USER_ID.fullmatch(user):
        raise ActionNeededError(
            "The user must be an id of at most 64 letters, digits, dots, dashes and underscores, such as the account's "
            "id in dim_user."
        )
    return user


def checked_timezone(timezone: str) -> str:
    """``timezone`` without blanks around it.

    :raises ActionNeededError: where it is no name of a place's time in the IANA database.
    """
    name = timezone.strip()
    if name in _timezones():
        return name
    near = get_close_matches(name.title().replace(" ", "_"), sorted(_timezones()), n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise ActionNeededError(f"The timezone must be an IANA name, such as Europe/Berlin or America/New_York.{hint}")


@cache
def _timezones() -> frozenset[str]:
    # Names without a region ("EST", "Factory") are not known everywhere, or say less than they seem to.
    return frozenset(name for name in available_timezones() if "/" in name) | {"UTC"}
