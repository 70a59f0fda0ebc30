"""The assets of the DAGs: inputs in the lake, and tables of the warehouse."""

import os

from airflow.sdk import Asset, AssetAlias, AssetWatcher

from dags.common.landed_files_trigger import LandedFilesTrigger


def make_table_asset(name: str) -> Asset:
    """Return the asset of a table, such as ``warehouse.dim_track``."""
    return Asset(name=name, uri=f"postgres://warehouse/{name.replace('.', '/')}", group="warehouse")


KAGGLE_INPUTS = Asset(name="lake.kaggle", uri="lake://kaggle", group="lake")
FEED_INPUTS = Asset(
    name="lake.feed",
    uri="lake://feed",
    group="lake",
    # Landed messages of a topic become a feed, so they update the asset without a task.
    watchers=[AssetWatcher(name="landed_files", trigger=LandedFilesTrigger())]
    if os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    else [],
)
EXPORT_INPUTS = Asset(name="lake.account_export", uri="lake://account_export", group="lake")
API_INPUTS = Asset(name="lake.api", uri="lake://api", group="lake")
FEATURE_INPUTS = Asset(name="lake.audio_features", uri="lake://audio_features", group="lake")
RECENTLY_PLAYED_INPUTS = Asset(name="lake.api.recently_played", uri="lake://api/recently_played", group="lake")
REFRESH_END = Asset(name="refresh.end", uri="refresh://end", group="warehouse")
MART_TABLES = Asset(name="mart", uri="postgres://warehouse/mart", group="warehouse")
FORECAST_DUE = Asset(name="forecast.due", uri="forecast://due", group="warehouse")
FORECAST_DUE_ALIAS = AssetAlias(name="forecast.due_if_day_complete", group="warehouse")
"""Updates ``FORECAST_DUE`` only if the task says so: a build of the marts seldom completes a day."""
FORECAST_TABLES = [
    make_table_asset(f"mart.{name}")
    for name in (
        "forecast",
        "forecast_series",
        "forecast_score",
        "forecast_champion",
        "forecast_refusal",
        "anomalous_day",
    )
]
EVENT_TABLES = [make_table_asset("warehouse.fact_event"), make_table_asset("warehouse.fact_spoken_event")]
CATALOGUE_TABLES = [
    make_table_asset(f"warehouse.{name}")
    for name in (
        "dim_artist",
        "dim_album",
        "dim_track",
        "track_alias",
        "dim_genre",
        "bridge_track_artist",
        "bridge_track_genre",
        "dim_audio_cluster",
        "dim_playlist",
        "fact_playlist_track",
        "survey_response",
        "dim_user",
        "fact_track_popularity",
        "fact_artist_popularity",
    )
]
