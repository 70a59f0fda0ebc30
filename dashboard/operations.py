"""The page of pipeline runs: refreshes, accounts, how rows were matched, audio features, gaps, and rejected rows."""

import pandas as pd
import streamlit as st

from dashboard.figures import make_bar_chart, show_chart
from dashboard.page import Page, escape_markdown, format_number, show_nothing_yet, show_table
from dashboard.warehouse_reader import Login, WarehouseReader


def _draw_page(login: Login, reader: WarehouseReader) -> None:
    st.title("Operations")
    runs = reader.read_table("runs")
    if runs.empty:
        show_nothing_yet("Nothing has run yet.", "Start the DAG nightly_refresh in Airflow, or bin/run.")
        return
    inputs, matches = reader.read_table("report/inputs"), reader.read_table("report/matches")
    gaps = reader.read_table("gaps")
    _draw_figures(runs, inputs, gaps)
    _draw_runs(runs)
    _draw_accounts(reader.read_table("accounts"))
    _draw_matches(inputs, matches)
    _draw_features(reader.read_table("report/feature_providers"))
    _draw_gaps(gaps)
    _draw_rejected(reader.read_table("report/rejected_rows"))


def _draw_figures(runs: pd.DataFrame, inputs: pd.DataFrame, gaps: pd.DataFrame) -> None:
    finished = runs[runs["result"].isin(["published", "nothing_new"])]
    rows_in, rows_rejected = inputs["rows_in"].sum(), inputs["rows_rejected"].sum()
    with st.container(horizontal=True):
        newest = f"{finished.iloc[0]['finished_at']:%Y-%m-%d %H:%M}" if not finished.empty else "–"
        st.metric("Last good run, UTC", newest, border=True)
        st.metric("Failed of the runs below", format_number((runs["result"] == "failed").sum()), border=True)
        st.metric("Rows read", format_number(rows_in), border=True)
        st.metric("Rows rejected", f"{rows_rejected / rows_in:.2%}" if rows_in else "–", border=True)
        st.metric("Open gaps", format_number(gaps["closed_at"].isna().sum()), border=True)


def _draw_runs(runs: pd.DataFrame) -> None:
    st.subheader("Runs")
    jobs = list(runs["job"].drop_duplicates())
    job = st.selectbox("Job", ["all", *jobs])
    shown = runs if job == "all" else runs[runs["job"] == job]
    show_table(shown, seconds="%.1f")
    failed = shown[shown["result"] == "failed"]
    if not failed.empty and failed.index[0] == shown.index[0]:
        st.error(f"The newest run failed: {escape_markdown(failed.iloc[0]['message'])}", icon=":material/error:")


def _draw_accounts(accounts: pd.DataFrame) -> None:
    st.subheader("Accounts")
    if accounts.empty:
        show_nothing_yet("No account was asked yet.", "Sign one in with bin/sign-in; the next refresh asks it.")
        return
    show_table(accounts)
    for row in accounts[accounts["state"] == "must_sign_in"].itertuples():
        st.warning(
            f"{escape_markdown(row.account)} must sign in again: bin/sign-in {escape_markdown(row.account)}",
            icon=":material/key:",
        )


def _draw_matches(inputs: pd.DataFrame, matches: pd.DataFrame) -> None:
    st.subheader("Inputs and what was recognised")
    if inputs.empty:
        show_nothing_yet(
            "No input was loaded yet.", "Bring files with the DAG kaggle_import, or events with load_events."
        )
        return
    show_table(inputs)
    if not matches.empty:
        st.caption("Rows that were recognised as something already known, and how sure (1 is the same id).")
        show_table(matches, score="%.3f")


def _draw_features(providers: pd.DataFrame) -> None:
    st.subheader("Audio features")
    if providers.empty:
        show_nothing_yet(
            "No track has audio features yet.", "Bring Kaggle files, or name a provider in AUDIO_FEATURE_PROVIDERS."
        )
        return
    st.caption("Tracks requested from each provider, and tracks whose features come from it. Files are not requested.")
    show_table(providers, match_rate="percent", fraction_of_tracks="percent")


def _draw_gaps(gaps: pd.DataFrame) -> None:
    st.subheader("Gaps")
    if gaps.empty:
        st.success("No span of listening is missing.", icon=":material/check:")
        return
    st.caption("Spotify tells of the last fifty plays only; an account export closes a gap.")
    show_table(gaps)


def _draw_rejected(reasons: pd.DataFrame) -> None:
    st.subheader("Rejected rows")
    if reasons.empty:
        st.success("No row was rejected.", icon=":material/check:")
        return
    show_chart(make_bar_chart(reasons, "reason", "rows", "rows"), "Rejected rows by reason.")


PAGE = Page("Operations", ":material/monitor_heart:", "operations", (("audit.run", "audit.row_count"),), _draw_page)
