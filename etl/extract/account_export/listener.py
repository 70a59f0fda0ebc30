"""The listener of an export: the user id and the timezone, which the export does not contain."""

import re
from difflib import get_close_matches

from etl.errors import ActionNeededError
from etl.formats.contracts.events import RESERVED_USER_IDS
from etl.formats.geography import get_timezones

_USER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def validate_user_id(user_id: str) -> str:
    """Return ``user_id`` without blanks around it.

    :raises ActionNeededError: if it cannot be a listener's id.
    """
    user = user_id.strip()
    if not _USER_ID.fullmatch(user) or user in RESERVED_USER_IDS:
        raise ActionNeededError(
            "The user must be an id of at most 64 letters, digits, dots, dashes and underscores, such as the account's "
            "id in dim_user; unknown is reserved."
        )
    return user


def validate_timezone(timezone: str) -> str:
    """Return ``timezone`` without blanks around it.

    :raises ActionNeededError: if the IANA database has no such timezone.
    """
    name = timezone.strip()
    if name in get_timezones():
        return name
    similar_names = get_close_matches(name.title().replace(" ", "_"), get_timezones(), n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(similar_names)}?" if similar_names else ""
    raise ActionNeededError(f"The timezone must be an IANA name, such as Europe/Berlin or America/New_York.{hint}")
