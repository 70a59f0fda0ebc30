"""The events of each user and hour, and the findings in them, for streams and tables alike."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.transform.anomalies.findings import FINDING, list_findings
from etl.transform.anomalies.hour_rules import build_hour_rules

_WINDOW = "1 hour"


def find_user_hour_anomalies(events: DataFrame) -> DataFrame:
    """Return the findings in the events of each user and hour: rows of ``FINDING``.

    A stream runs in update mode: whenever events of a window arrive, its findings are returned again, as they are
    then; a later row of the same user, rule and window replaces an earlier one. Findings do not disappear: events that
    arrive later only add to a rule's count, except to what several events in a row show. Set a watermark on
    ``event_time``, so that the state of old windows is dropped.

    :param events: with the columns user_id, event_id, event_time, ended_at, activity_type, artist_id, artist_name,
        ms_played, is_skipped, subscription_plan and country, as of ``EVENT_ROW`` with event ids. Rows may be repeated:
        each event counts once.
    """
    hours = collect_user_hours(events)
    findings = list_findings(build_hour_rules(F.col("events"), F.col("window_end")))
    user_hours = hours.withColumn("findings", findings).where(F.size("findings") > 0)
    exploded = user_hours.withColumn("finding", F.explode("findings"))
    columns = {"rule": F.col("finding.rule"), "reason": F.col("finding.reason"), "score": F.col("finding.score")}
    return exploded.select(*(columns.get(name, F.col(name)).alias(name) for name in FINDING.names))


def collect_user_hours(events: DataFrame) -> DataFrame:
    """Return user_id, window_start, window_end and ``events``: the user's plays and skips, in order of time.

    An event is a struct of ``at`` and ``ends`` (ms since 1970; ends may be NULL), ``ms_played``, ``is_play``,
    ``is_free_skip``, ``artist``, ``country`` and ``event_hash``.

    :param events: as for ``find_user_hour_anomalies``.
    """
    is_play = F.col("activity_type") == "PLAY"
    heard = events.where(is_play | F.coalesce("is_skipped", F.lit(False)))
    hour = F.window("event_time", _WINDOW)
    # A set drops repeated events, so no deduplication with a state of its own is needed before.
    collected = heard.groupBy("user_id", hour.alias("hour")).agg(F.collect_set(_build_event(is_play)).alias("events"))
    return collected.select(
        "user_id",
        F.col("hour.start").alias("window_start"),
        F.col("hour.end").alias("window_end"),
        F.array_sort("events").alias("events"),
    )


def _build_event(is_play: Column) -> Column:
    at = F.unix_millis("event_time")
    is_free = F.lower("subscription_plan").startswith("free")
    return F.struct(
        at.alias("at"),
        F.coalesce(F.unix_millis("ended_at"), at + F.col("ms_played")).alias("ends"),
        F.col("ms_played"),
        is_play.alias("is_play"),
        F.coalesce(F.col("is_skipped") & is_free, F.lit(False)).alias("is_free_skip"),
        F.coalesce("artist_name", "artist_id").alias("artist"),
        F.col("country"),
        F.xxhash64("event_id").alias("event_hash"),
    )
