"""The page of findings about anomalous users, for operators: suggestions to look, never a reason to block."""

import pandas as pd
import streamlit as st

from dashboard.figures import make_bar_chart, show_chart
from dashboard.page import Page, format_number, show_nothing_yet, show_table
from dashboard.warehouse_reader import Login, WarehouseReader

_MIN_SCORE = 0.5


def _draw_page(login: Login, reader: WarehouseReader) -> None:
    st.title("Anomalies")
    findings = reader.read_table("anomalies")
    if findings.empty:
        show_nothing_yet(
            "There are no findings.",
            "The live queries (bin/run --streams) and the nightly rules write them where a user's plays are unusual.",
        )
        return
    st.caption(
        "Suggestions to look at a user, with the numbers that each rule compares; none of them proves anything. The"
        " combined score is that of all rules which the user breaks."
    )
    rules = list(findings["rule"].drop_duplicates().sort_values())
    rule_column, score_column = st.columns(2)
    with rule_column:
        rule = st.selectbox("Rule", ["all", *rules])
    with score_column:
        min_score = st.slider("Combined score, at least", 0.0, 1.0, _MIN_SCORE, 0.05)
    shown = findings[(findings["combined_score"] >= min_score) & (findings["rule"].eq(rule) | (rule == "all"))]
    _draw_figures(shown)
    if shown.empty:
        show_nothing_yet("No finding has such a score.", "Lower the score, or choose another rule.")
        return
    counts = shown.groupby("rule", as_index=False).size().sort_values("size", ascending=False)
    show_chart(make_bar_chart(counts, "rule", "size", "findings"), "Findings by rule.")
    show_table(shown, score="%.2f", combined_score="%.2f")


def _draw_figures(findings: pd.DataFrame) -> None:
    with st.container(horizontal=True):
        st.metric("Findings", format_number(len(findings)), border=True)
        st.metric("Users", format_number(findings["user_id"].nunique()), border=True)
        newest = f"{findings['detected_at'].max():%Y-%m-%d %H:%M}" if not findings.empty else "–"
        st.metric("Newest, UTC", newest, border=True)


PAGE = Page("Anomalies", ":material/troubleshoot:", "anomalies", (("mart.anomaly",),), _draw_page)
