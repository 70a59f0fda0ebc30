"""Whom to forget: all that a person goes by, so that every floor finds the same traces."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

NOBODY = ("not applicable", "unknown")
"""Ids that dim_user has for nobody."""


@dataclass(frozen=True)
class Person:
    """All that a person goes by.

    ``user_ids`` are those of dim_user and of playlists' owners, ``accounts`` the names of accounts that signed in,
    ``names`` what they are called, ``playlists`` the ids of playlists that they own, ``inputs`` the ids of inputs that
    tell of nobody else.
    """

    user_ids: frozenset[str]
    accounts: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    playlists: frozenset[str] = frozenset()
    inputs: frozenset[str] = frozenset()

    def united(self, **more: Collection[str]) -> "Person":
        """The person with further traces; empty ones are left out."""
        return Person(**{name: getattr(self, name) | {one for one in found if one} for name, found in _all(more)})

    def words(self) -> list[str]:
        """What may stand for the person in a sentence, the longest first."""
        return sorted(self.user_ids | self.accounts | self.names, key=lambda word: (-len(word), word))

    def note(self) -> dict[str, Any]:
        """The person in JSON's types."""
        return {name: sorted(found) for name, found in asdict(self).items()}


def from_note(note: dict[str, Any]) -> Person:
    """What ``note`` made."""
    return Person(**{name: frozenset(found) for name, found in note.items()})


def _all(more: dict[str, Collection[str]]) -> list[tuple[str, Collection[str]]]:
    return [(name, more.get(name, ())) for name in Person.__dataclass_fields__]
