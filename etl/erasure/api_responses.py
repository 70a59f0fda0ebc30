"""Lines of API responses without a data subject.

In: the lines of an input. Out: the lines that remain. Responses to the data subject's own accounts go. Responses to
other accounts lose what identifies the data subject.
"""

from collections.abc import Container, Iterable, Iterator
from typing import Any

from etl.erasure.data_subject import DataSubject
from etl.formats.api_responses import ResponseLine, get_item_track
from etl.formats.contracts.api import BATCH_ENDPOINTS

_CATALOGUE_ENDPOINTS = (*BATCH_ENDPOINTS, "track", "artist", "album")
_PLAYLIST_ENDPOINTS = ("my_playlists", "playlist")
_TRACK_ITEM_ENDPOINTS = ("playlist_items", "saved_tracks", "recently_played")
_USER_FIELDS = ("owner", "added_by")


def find_identifiers(lines: Iterable[ResponseLine], data_subject: DataSubject) -> DataSubject:
    """Return the data subject with the ids, account names, display names and playlists that responses add."""
    for line in lines:
        body = line["body"] if line["status"] == 200 and isinstance(line["body"], dict) else {}
        if line["endpoint"] == "me":
            ids = {str(body[name]) for name in ("id", "account_id") if body.get(name)}
            if ids & data_subject.user_ids or line["account"] in data_subject.accounts:
                names = {str(body.get("display_name") or "")}
                data_subject = data_subject.add_identifiers(user_ids=ids, accounts={str(line["account"])}, names=names)
        elif line["endpoint"] in _PLAYLIST_ENDPOINTS:
            for playlist in _iterate_objects(body):
                if _is_data_subject(playlist, "owner", data_subject):
                    names = {str(playlist["owner"].get("display_name") or "")}
                    data_subject = data_subject.add_identifiers(playlists={str(playlist.get("id"))}, names=names)
    return data_subject


def remove_data_subject(lines: Iterable[ResponseLine], data_subject: DataSubject) -> Iterator[ResponseLine]:
    """Yield the lines that remain; catalogue responses all do, without the account that sent the request."""
    for line in lines:
        if line["endpoint"] in _CATALOGUE_ENDPOINTS:
            yield line | {"account": None} if line["account"] in data_subject.accounts else line
        elif line["account"] not in data_subject.accounts and not _is_about_data_subject(line, data_subject):
            yield line | {"body": _remove_identifiers(line["body"], data_subject)}


def find_track_ids(lines: Iterable[ResponseLine]) -> set[str]:
    """Return the ids of the tracks in lines."""
    track_ids: set[str] = set()
    for line in lines:
        body = line["body"] if line["status"] == 200 else {}
        if line["endpoint"] in _TRACK_ITEM_ENDPOINTS:
            tracks = [get_item_track(item) for item in body.get("items", ()) if item]
        else:
            tracks = {"tracks": body.get("tracks", []), "track": [body]}.get(line["endpoint"], [])
        track_ids |= {str(track["id"]) for track in tracks if track and track.get("id")}
    return track_ids


def filter_audio_features(lines: Iterable[ResponseLine], track_ids: Container[str]) -> Iterator[ResponseLine]:
    """Yield the lines, with null for the audio features of all tracks but some.

    A load cannot use audio features of a track that no remaining line has.
    """
    for line in lines:
        if line["endpoint"] == "audio_features" and line["status"] == 200:
            requested_ids = line["query"]["ids"].split(",")
            pairs = zip(requested_ids, line["body"]["audio_features"], strict=False)
            features = [audio_features if track_id in track_ids else None for track_id, audio_features in pairs]
            yield line | {"body": {**line["body"], "audio_features": features}}
        else:
            yield line


def _is_about_data_subject(line: ResponseLine, data_subject: DataSubject) -> bool:
    if line.get("playlist_id") in data_subject.playlists or str(line["path"]).split("/")[-1] in data_subject.playlists:
        return True
    return isinstance(line["body"], dict) and _is_data_subject(line["body"], "owner", data_subject)


def _iterate_objects(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    items = body.get("items")
    candidates = items if isinstance(items, list) else [body]
    return (candidate for candidate in candidates if isinstance(candidate, dict))


def _is_data_subject(resource: dict[str, Any], field: str, data_subject: DataSubject) -> bool:
    user = resource.get(field)
    return isinstance(user, dict) and user.get("id") in data_subject.user_ids


def _remove_identifiers(value: Any, data_subject: DataSubject) -> Any:
    if isinstance(value, list):
        remaining = (
            element
            for element in value
            if not (isinstance(element, dict) and _is_data_subject(element, "owner", data_subject))
        )
        return [_remove_identifiers(element, data_subject) for element in remaining]
    if isinstance(value, dict):
        return {
            name: _remove_identifiers(field_value, data_subject)
            for name, field_value in value.items()
            if not (name in _USER_FIELDS and _is_data_subject(value, name, data_subject))
        }
    return None if isinstance(value, str) and _is_reference_to_data_subject(value, data_subject) else value


def _is_reference_to_data_subject(text: str, data_subject: DataSubject) -> bool:
    """Return whether a text is a URI of the data subject, or a link to them."""
    uris = (f"spotify:user:{user_id}" for user_id in data_subject.user_ids)
    paths = (f"/users/{user_id}" for user_id in data_subject.user_ids)
    # The separator at the end prevents the id ann from matching the id anna.
    return any(f"{text}:".startswith(f"{uri}:") for uri in uris) or any(f"{path}/" in f"{text}/" for path in paths)
