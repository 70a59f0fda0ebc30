"""How playlists sound, one or several side by side, a user's taste, and what lies near it."""

import pandas as pd
import streamlit as st

from dashboard.figures import distribution, radar, shares, show
from dashboard.page import Page, grid, nothing_yet, plain
from dashboard.reading import Login, Reading
from dashboard.wishes import draw_wishes

_SIDE_BY_SIDE = 4
_IN_A_ROW = 3
_SCOPES = {"plays": "all that was played", "playlists": "all playlists"}


def _draw(login: Login, reader: Reading) -> None:
    st.title("My playlists" if login.is_listener else "Playlists")
    playlists = reader.table("playlists")
    if playlists.empty:
        nothing_yet(
            "There is no playlist to describe yet.",
            "Playlists come from a Spotify account that has signed in with bin/sign-in, at its next refresh.",
        )
    else:
        _draw_playlists(reader, playlists)
    if login.user_id is not None:
        _draw_taste(reader, login.user_id)
        draw_wishes(login, reader)


def _draw_playlists(reader: Reading, playlists: pd.DataFrame) -> None:
    names = dict(zip(playlists["playlist_id"], _unlike(playlists), strict=True))
    chosen = st.multiselect(
        "Playlists side by side",
        list(names),
        default=list(names)[: min(2, len(names))],
        format_func=lambda one: names[one],
        max_selections=_SIDE_BY_SIDE,
    )
    if not chosen:
        nothing_yet("No playlist is chosen.", "Choose one or several above.")
        return
    for row in playlists[playlists["playlist_id"].isin(chosen)].to_dict("records"):
        st.markdown(f"**{plain(names[row['playlist_id']])}**, {row['tracks']} songs. {plain(row['description'])}")
    attributes = reader.table("playlist_attributes", playlist_ids=chosen)
    clusters = reader.table("playlist_clusters", playlist_ids=chosen)
    _draw_attributes(attributes.assign(name=attributes["playlist_id"].map(names)))
    if not clusters.empty:
        st.subheader("Audio clusters")
        named = clusters.assign(name=clusters["playlist_id"].map(names))
        show(shares(named, "share", "audio_cluster_name"), "The share of each audio cluster.")


def _unlike(playlists: pd.DataFrame) -> list[str]:
    """The playlists' names, told apart where two are the same; Spotify has playlists without one."""
    names, seen = [], set()
    for row in playlists.to_dict("records"):
        name = str(row["playlist"] or "").strip() or "(without a name)"
        names.append(f"{name} ({row['playlist_id']})" if name in seen else name)
        seen.add(name)
    return names


def _draw_attributes(frame: pd.DataFrame) -> None:
    if frame.empty:
        nothing_yet("No audio features are known of these songs.", "Import files that have them with kaggle_import.")
        return
    width = frame["last_bound"] - frame["first_bound"]
    left, right = st.columns([2, 3])
    with left:
        st.subheader("In shape")
        measured = frame.assign(share=(frame["mean"] - frame["first_bound"]) / width)
        show(radar(measured), "The mean of each audio feature, from the middle outwards.")
    with right:
        st.subheader("In figures")
        heads = {"attribute": "attribute", "name": "name", "mean": "mean", "deviation": "spread", "tracks": "songs"}
        grid(frame[list(heads)].rename(columns=heads), mean="%.2f", spread="%.2f")
    st.subheader("Distributions")
    bins = _bins(frame)
    st.caption("The share of the songs by value, in the colours of the shape above; loudness in dB, tempo in BPM.")
    attributes = list(bins["attribute"].drop_duplicates())
    for first in range(0, len(attributes), _IN_A_ROW):
        # A row at a time: a phone shows one column after the other.
        for column, attribute in zip(st.columns(_IN_A_ROW), attributes[first:], strict=False):
            with column:
                st.markdown(f"**{attribute}**")
                show(distribution(bins[bins["attribute"] == attribute]), f"How the songs spread over {attribute}.")


def _bins(frame: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for row in frame.to_dict("records"):
        bins = row["tracks_by_bin"]
        step = (row["last_bound"] - row["first_bound"]) / len(bins)
        for place, tracks in enumerate(bins):
            start = row["first_bound"] + place * step
            rows.append((row["name"], row["attribute"], start, start + step, tracks / max(sum(bins), 1)))
        # The last bin is drawn up to its end.
        rows.append((row["name"], row["attribute"], row["last_bound"], row["last_bound"], rows[-1][-1]))
    return pd.DataFrame(rows, columns=["name", "attribute", "bin_start", "bin_end", "share"])


def _draw_taste(reader: Reading, user_id: str) -> None:
    st.header("Your taste")
    taste = reader.table("taste", user_id=user_id)
    if taste.empty:
        nothing_yet("Your taste is not known yet.", "Play something for 30 seconds or more; the next build tells.")
        return
    attributes = reader.table("taste_attributes", user_id=user_id)
    left, right = st.columns([2, 3], vertical_alignment="center")
    with right:
        for row in taste.to_dict("records"):
            st.markdown(f"**By {_SCOPES[row['scope']]}:** {plain(row['description'])}")
    with left:
        if not attributes.empty:
            width = attributes["last_bound"] - attributes["first_bound"]
            measured = attributes.assign(
                name=attributes["scope"].map(_SCOPES), share=(attributes["mean"] - attributes["first_bound"]) / width
            )
            show(radar(measured), "Your taste by plays and by playlists, from the middle outwards.")
    st.subheader("To discover")
    found = reader.table("discoveries", user_id=user_id)
    if found.empty:
        nothing_yet("Nothing to discover yet.", "It needs plays with audio features, and clusters (DAG fit_clusters).")
    else:
        grid(found, distance="%.2f")


PAGE = Page(
    "My playlists",
    ":material/queue_music:",
    "playlists",
    (
        ("mart.my_playlist_profile", "mart.my_taste_profile", "mart.my_discovery"),
        ("mart.playlist_profile", "mart.playlist_profile_attribute", "mart.attribute"),
    ),
    _draw,
)
