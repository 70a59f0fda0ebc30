"""The data subject of an erasure: all identifiers of one listener."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class DataSubject:
    """All identifiers of one listener.

    ``user_ids`` are ids in dim_user and of playlist owners, ``accounts`` names of accounts that signed in, ``names``
    display names and usernames, ``playlists`` ids of playlists that the listener owns, ``inputs`` ids of inputs that
    have no records of other listeners.
    """

    user_ids: frozenset[str]
    accounts: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    playlists: frozenset[str] = frozenset()
    inputs: frozenset[str] = frozenset()

    def add_identifiers(self, **identifiers: Collection[str]) -> "DataSubject":
        """Return the data subject with further identifiers, by field; empty ones are left out."""
        fields = {
            name: getattr(self, name) | {value for value in identifiers.get(name, ()) if value}
            for name in self.__dataclass_fields__
        }
        return DataSubject(**fields)

    def get_search_terms(self) -> list[str]:
        """Return what may name the listener in a message, the longest term first."""
        return sorted(self.user_ids | self.accounts | self.names, key=lambda term: (-len(term), term))

    def to_json_object(self) -> dict[str, Any]:
        """Return the identifiers as a JSON object."""
        return {name: sorted(values) for name, values in asdict(self).items()}


def from_json_object(document: dict[str, Any]) -> DataSubject:
    """Return the data subject that ``DataSubject.to_json_object`` turned into a JSON object."""
    return DataSubject(**{name: frozenset(values) for name, values in document.items()})
