"""Audio features of synthetic tracks, their playlists, and a fit of the clusters."""

from collections.abc import Sequence
from random import Random
from typing import Any

from sqlalchemy import Connection, text

from etl.formats.contracts import AUDIO_FEATURES

MEANS = (0.56, 0.64, -8.3, 0.08, 0.31, 0.16, 0.21, 0.47, 122.0)
DEVIATIONS = (0.17, 0.25, 5.0, 0.11, 0.33, 0.31, 0.19, 0.26, 30.0)
CLUSTERS = {
    1: ("energetic, loud", (0.6, 0.85, -5.0, 0.08, 0.05, 0.02, 0.2, 0.6, 128.0)),
    2: ("acoustic, calm", (0.45, 0.25, -14.0, 0.04, 0.85, 0.1, 0.12, 0.3, 95.0)),
    3: ("instrumental", (0.5, 0.5, -11.0, 0.05, 0.4, 0.85, 0.12, 0.3, 115.0)),
}
PLAYLISTS = {
    1: ("Loud", "u1", (1, 4, 7, 4, 10)),
    2: ("Calm", "u1", (2, 5, 11, 12)),
    3: ("Everything", "u2", tuple(range(1, 13))),
    4: ("Empty", "u3", ()),
    5: ("One", "u3", (1,)),
    6: ("Local files", None, (13, 14)),
}
"""Name, owner, tracks; 11 and 12 are one recording, 13 and 14 have no audio features, the first contains 4 twice."""


def draw_features(chance: Random, cluster: int) -> dict[str, float]:
    """Draw audio features near the centre of a cluster."""
    centre = CLUSTERS[cluster][1]
    values = [m + chance.gauss(0, d / 3) for m, d in zip(centre, DEVIATIONS, strict=True)]
    limits = [(0.0, 1.0)] * 2 + [(-60.0, 0.0)] + [(0.0, 1.0)] * 5 + [(30.0, 250.0)]
    bounded = [round(min(max(v, low), high), 3) for v, (low, high) in zip(values, limits, strict=True)]
    return dict(zip(AUDIO_FEATURES, bounded, strict=True))


def add_audio_features(connection: Connection, seed: int = 1, tracks: int = 12) -> None:
    """Give the tracks of ``listening.fill_dimensions`` audio features; add others without plays, and playlists."""
    chance = Random(seed)
    fit_clusters(connection)
    for number in range(1, tracks + 1):
        set_features(connection, number, chance.randrange(1, 4), chance)
    for number in range(13, 15):
        add_track(connection, number)
    for number in range(15, 75):
        add_track(connection, number)
        set_features(connection, number, number % 3 + 1, chance)
    for number, (name, owner, members) in PLAYLISTS.items():
        statement = (
            "insert into warehouse.dim_playlist (playlist_key, playlist_id, name, owner_id, source)"
            " values (:n, :id, :name, :owner, 's')"
        )
        connection.execute(text(statement), {"n": number, "id": f"p{number}", "name": name, "owner": owner})
        fill_playlist(connection, number, members)


def fit_clusters(connection: Connection, name: str = "first", means: Sequence[float] = MEANS) -> None:
    """Insert a fit of the clusters, which replaces an earlier one."""
    statement = (
        "insert into audit.run (run_id, job, started_at) values (:fit, 'fit_clusters', '2026-01-01');"
        "insert into audit.cluster_fit values (:fit, :fit, '2026-01-01'::timestamptz + :later * interval '1 day', 3, 1,"
        " 10, 10, 1, :means, :deviations)"
    )
    parameters = {"fit": name, "later": len(name), "means": list(means), "deviations": list(DEVIATIONS)}
    for part in statement.split(";"):
        connection.execute(text(part), parameters)
    connection.execute(text("delete from warehouse.dim_audio_cluster"))
    for number, (label, centre) in CLUSTERS.items():
        columns = ", ".join(AUDIO_FEATURES)
        values = ", ".join(f":{feature}" for feature in AUDIO_FEATURES)
        connection.execute(
            text(
                f"insert into warehouse.dim_audio_cluster (audio_features_type, name, inertia, fitted_at, {columns})"
                f" values (:n, :name, 1, '2026-01-01', {values})"
            ),
            {"n": number, "name": label, **dict(zip(AUDIO_FEATURES, centre, strict=True))},
        )


def add_track(connection: Connection, number: int) -> None:
    """Add a track with a name and no other attributes."""
    statement = (
        "insert into warehouse.dim_track (track_key, recording_key, album_key, track_id, name, source)"
        " values (:n, :n, -1, :id, :id, 's')"
    )
    connection.execute(text(statement), {"n": number, "id": f"t{number}"})
    artist = "insert into warehouse.bridge_track_artist values (:n, :artist, 1)"
    connection.execute(text(artist), {"n": number, "artist": number % 4 + 1})


def set_features(connection: Connection, number: int, cluster: int, chance: Random, **changed: Any) -> None:
    """Set a track's audio features to those of a cluster, its newness at random, and the columns of ``changed``."""
    parameters = {
        **draw_features(chance, cluster),
        "newness_score": round(chance.random(), 3),
        "audio_features_type": cluster,
    }
    values = {**parameters, **changed}
    assignments = ", ".join(f"{name} = :{name}" for name in values)
    connection.execute(
        text(f"update warehouse.dim_track set {assignments} where track_key = :n"),
        {"n": number, **values},
    )


def fill_playlist(connection: Connection, playlist: int, tracks: Sequence[int]) -> None:
    """Insert tracks into a playlist, some of them twice."""
    for position, track in enumerate(tracks):
        statement = (
            "insert into warehouse.fact_playlist_track (playlist_key, track_key, occurrence, valid_from)"
            " values (:playlist, :track, :occurrence, '-infinity')"
        )
        occurrence = 1 + list(tracks[:position]).count(track)
        connection.execute(text(statement), {"playlist": playlist, "track": track, "occurrence": occurrence})
