"""Answers without a person: what an account was answered goes, others' answers lose what names the person.

In: lines of an input as they lie in the lake. Out: the lines that stay.
"""

from collections.abc import Container, Iterable, Iterator
from typing import Any

from etl.extract.spotify.answers import Answer, thing_count
from etl.person import Person
from etl.schemas.api import BATCHES

Line = dict[str, Any]

_CATALOGUE = (*BATCHES, "track", "artist", "album")
_PLAYLISTS = ("my_playlists", "playlist")
_WHO = ("owner", "added_by")


def known_by(lines: Iterable[Line], person: Person) -> Person:
    """The person with the traces that answers show: further ids, the account's name, display names, playlists."""
    for line in lines:
        body = line["body"] if line["status"] == 200 and isinstance(line["body"], dict) else {}
        if line["endpoint"] == "me":
            ids = {str(body[name]) for name in ("id", "account_id") if body.get(name)}
            if ids & person.user_ids or line["account"] in person.accounts:
                names = {str(body.get("display_name") or "")}
                person = person.united(user_ids=ids, accounts={str(line["account"])}, names=names)
        elif line["endpoint"] in _PLAYLISTS:
            for playlist in _objects(body):
                if _is_by(playlist, "owner", person):
                    names = {str(playlist["owner"].get("display_name") or "")}
                    person = person.united(playlists={str(playlist.get("id"))}, names=names)
    return person


def without(lines: Iterable[Line], person: Person) -> Iterator[Line]:
    """The lines that stay; of the catalogue all, whoever it was asked for."""
    for line in lines:
        if line["endpoint"] in _CATALOGUE:
            yield line | {"account": None} if line["account"] in person.accounts else line
        elif line["account"] not in person.accounts and not _is_theirs(line, person):
            yield line | {"body": _cleaned(line["body"], person)}


def things_in(lines: Iterable[Line]) -> int:
    """The number of things in lines, as the input's note has it."""
    return sum(thing_count(Answer(**{k: v for k, v in line.items() if k != "number"})) for line in lines)


def _is_theirs(line: Line, person: Person) -> bool:
    if line.get("playlist_id") in person.playlists or str(line["path"]).split("/")[-1] in person.playlists:
        return True
    return isinstance(line["body"], dict) and _is_by(line["body"], "owner", person)


def _objects(body: Line) -> Iterator[Line]:
    items = body.get("items")
    held = items if isinstance(items, list) else [body]
    return (one for one in held if isinstance(one, dict))


def _is_by(thing: Line, who: str, person: Person) -> bool:
    named = thing.get(who)
    return isinstance(named, dict) and named.get("id") in person.user_ids


def _cleaned(value: Any, person: Person) -> Any:
    if isinstance(value, list):
        stay = (one for one in value if not (isinstance(one, dict) and _is_by(one, "owner", person)))
        return [_cleaned(one, person) for one in stay]
    if isinstance(value, dict):
        return {
            name: _cleaned(held, person)
            for name, held in value.items()
            if not (name in _WHO and _is_by(value, name, person))
        }
    return None if isinstance(value, str) and _names_user(value, person) else value


def _names_user(text: str, person: Person) -> bool:
    ends = (f"spotify:user:{one}" for one in person.user_ids)
    links = (f"/users/{one}" for one in person.user_ids)
    return any(f"{text}:".startswith(f"{end}:") for end in ends) or any(f"{link}/" in f"{text}/" for link in links)


def tracks_in(lines: Iterable[Line]) -> set[str]:
    """The ids of the tracks that lines tell of."""
    found: set[str] = set()
    for line in lines:
        body = line["body"] if line["status"] == 200 else {}
        if line["endpoint"] in ("playlist_items", "saved_tracks", "recently_played"):
            held = [entry.get("item") or entry.get("track") for entry in body.get("items", ()) if entry]
        else:
            held = {"tracks": body.get("tracks", []), "track": [body]}.get(line["endpoint"], [])
        found |= {str(track["id"]) for track in held if track and track.get("id")}
    return found


def with_features_of(lines: Iterable[Line], track_ids: Container[str]) -> Iterator[Line]:
    """The lines, with audio features of some tracks alone: those of a track that nothing tells of cannot be loaded."""
    for line in lines:
        if line["endpoint"] == "audio_features" and line["status"] == 200:
            asked = line["query"]["ids"].split(",")
            pairs = zip(asked, line["body"]["audio_features"], strict=False)
            features = [one if track_id in track_ids else None for track_id, one in pairs]
            yield line | {"body": {**line["body"], "audio_features": features}}
        else:
            yield line
