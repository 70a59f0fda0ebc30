"""Whom to forget: all that a person goes by, so that every floor finds the same traces."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

RESERVED_USER_IDS = ("not applicable", "unknown")
"""Ids that dim_user has for nobody."""


@dataclass(frozen=True)
class DataSubject:
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

    def add_identifiers(self, **identifiers: Collection[str]) -> "DataSubject":
        """The person with further traces; empty ones are left out."""
        return DataSubject(
            **{
                name: getattr(self, name) | {value for value in values if value}
                for name, values in _pair_with_fields(identifiers)
            }
        )

    def get_search_terms(self) -> list[str]:
        """What may stand for the person in a sentence, the longest first."""
        return sorted(self.user_ids | self.accounts | self.names, key=lambda term: (-len(term), term))

    def to_json_object(self) -> dict[str, Any]:
        """The person in JSON's types."""
        return {name: sorted(values) for name, values in asdict(self).items()}


def from_json_object(document: dict[str, Any]) -> DataSubject:
    """What ``note`` made."""
    return DataSubject(**{name: frozenset(values) for name, values in document.items()})


def _pair_with_fields(identifiers: dict[str, Collection[str]]) -> list[tuple[str, Collection[str]]]:
    return [(name, identifiers.get(name, ())) for name in DataSubject.__dataclass_fields__]
