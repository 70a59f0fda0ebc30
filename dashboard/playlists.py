"""The page of playlists: their sound, one or several side by side, a user's taste, and its neighbours."""

import pandas as pd
import streamlit as st

from dashboard.figures import make_distribution_chart, make_radar_chart, make_stacked_bars, show_chart
from dashboard.page import Page, escape_markdown, show_nothing_yet, show_table
from dashboard.playlist_requests import draw_playlist_requests
from dashboard.warehouse_reader import Login, WarehouseReader

_MAX_SELECTED = 4
_CHARTS_PER_ROW = 3
_SCOPES = {"plays": "all that was played", "playlists": "all playlists"}


def _draw_page(login: Login, reader: WarehouseReader) -> None:
    st.title("My playlists" if login.is_listener else "Playlists")
    playlists = reader.read_table("playlists")
    if playlists.empty:
        show_nothing_yet(
            "There is no playlist to describe yet.",
            "Playlists come from a Spotify account that has signed in with bin/sign-in, at its next refresh.",
        )
    else:
        _draw_playlists(reader, playlists)
    if login.user_id is not None:
        _draw_taste(reader, login.user_id)
        draw_playlist_requests(login, reader)


def _draw_playlists(reader: WarehouseReader, playlists: pd.DataFrame) -> None:
    names = dict(zip(playlists["playlist_id"], _make_names_unique(playlists), strict=True))
    selected_ids = st.multiselect(
        "Playlists side by side",
        list(names),
        default=list(names)[: min(2, len(names))],
        format_func=lambda playlist_id: names[playlist_id],
        max_selections=_MAX_SELECTED,
    )
    if not selected_ids:
        show_nothing_yet("No playlist is chosen.", "Choose one or several above.")
        return
    for row in playlists[playlists["playlist_id"].isin(selected_ids)].to_dict("records"):
        name = escape_markdown(names[row["playlist_id"]])
        st.markdown(f"**{name}**, {row['tracks']} songs. {escape_markdown(row['description'])}")
    attributes = reader.read_table("playlist_attributes", playlist_ids=selected_ids)
    clusters = reader.read_table("playlist_clusters", playlist_ids=selected_ids)
    _draw_attributes(attributes.assign(name=attributes["playlist_id"].map(names)))
    if not clusters.empty:
        st.subheader("Audio clusters")
        named_clusters = clusters.assign(name=clusters["playlist_id"].map(names))
        show_chart(make_stacked_bars(named_clusters, "share", "audio_cluster_name"), "The share of each audio cluster.")


def _make_names_unique(playlists: pd.DataFrame) -> list[str]:
    """Return distinct names of playlists, even if two have the same name or a playlist has none."""
    names, used_names = [], set()
    for row in playlists.to_dict("records"):
        name = str(row["playlist"] or "").strip() or "(without a name)"
        names.append(f"{name} ({row['playlist_id']})" if name in used_names else name)
        used_names.add(name)
    return names


def _draw_attributes(frame: pd.DataFrame) -> None:
    if frame.empty:
        show_nothing_yet(
            "No audio features are known of these songs.", "Import files that have them with kaggle_import."
        )
        return
    width = frame["last_bound"] - frame["first_bound"]
    radar_column, table_column = st.columns([2, 3])
    with radar_column:
        st.subheader("In shape")
        measured = frame.assign(share=(frame["mean"] - frame["first_bound"]) / width)
        show_chart(make_radar_chart(measured), "The mean of each audio feature, from the middle outwards.")
    with table_column:
        st.subheader("In figures")
        heads = {"attribute": "attribute", "name": "name", "mean": "mean", "deviation": "spread", "tracks": "songs"}
        show_table(frame[list(heads)].rename(columns=heads), mean="%.2f", spread="%.2f")
    st.subheader("Distributions")
    bins = _expand_bins(frame)
    st.caption("The share of the songs by value, in the colours of the shape above; loudness in dB, tempo in BPM.")
    attributes = list(bins["attribute"].drop_duplicates())
    for first in range(0, len(attributes), _CHARTS_PER_ROW):
        # One row at a time: a phone shows one column after the other.
        for column, attribute in zip(st.columns(_CHARTS_PER_ROW), attributes[first:], strict=False):
            with column:
                st.markdown(f"**{attribute}**")
                show_chart(
                    make_distribution_chart(bins[bins["attribute"] == attribute]),
                    f"How the songs spread over {attribute}.",
                )


def _expand_bins(frame: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for row in frame.to_dict("records"):
        bins = row["tracks_by_bin"]
        step = (row["last_bound"] - row["first_bound"]) / len(bins)
        for index, tracks in enumerate(bins):
            start = row["first_bound"] + index * step
            rows.append((row["name"], row["attribute"], start, start + step, tracks / max(sum(bins), 1)))
        # The last bin extends to its end.
        rows.append((row["name"], row["attribute"], row["last_bound"], row["last_bound"], rows[-1][-1]))
    return pd.DataFrame(rows, columns=["name", "attribute", "bin_start", "bin_end", "share"])


def _draw_taste(reader: WarehouseReader, user_id: str) -> None:
    st.header("Your taste")
    taste = reader.read_table("taste", user_id=user_id)
    if taste.empty:
        show_nothing_yet("Your taste is not known yet.", "Play something for 30 seconds or more; the next build tells.")
        return
    attributes = reader.read_table("taste_attributes", user_id=user_id)
    radar_column, text_column = st.columns([2, 3], vertical_alignment="center")
    with text_column:
        for row in taste.to_dict("records"):
            st.markdown(f"**By {_SCOPES[row['scope']]}:** {escape_markdown(row['description'])}")
    with radar_column:
        if not attributes.empty:
            width = attributes["last_bound"] - attributes["first_bound"]
            measured = attributes.assign(
                name=attributes["scope"].map(_SCOPES), share=(attributes["mean"] - attributes["first_bound"]) / width
            )
            show_chart(make_radar_chart(measured), "Your taste by plays and by playlists, from the middle outwards.")
    st.subheader("To discover")
    discoveries = reader.read_table("discoveries", user_id=user_id)
    if discoveries.empty:
        show_nothing_yet(
            "Nothing to discover yet.", "It needs plays with audio features, and clusters (DAG fit_clusters)."
        )
    else:
        show_table(discoveries, distance="%.2f")


PAGE = Page(
    "My playlists",
    ":material/queue_music:",
    "playlists",
    (
        ("mart.my_playlist_profile", "mart.my_taste_profile", "mart.my_discovery"),
        ("mart.playlist_profile", "mart.playlist_profile_attribute", "mart.attribute"),
    ),
    _draw_page,
)
