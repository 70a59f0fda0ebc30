"""What depends on all tracks of a catalogue: how many they are, how many recordings they have, and the newness bounds.

An update counts its tracks before and after it: all tracks of a recording are among them, or none.
"""

from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from etl.engines.small_frames import collect_tables
from etl.formats.feature_providers import list_cluster_exclusions
from etl.transform.catalogue import newness
from etl.transform.catalogue.newness import ReleaseBounds
from etl.transform.clusters import kmeans


@dataclass(frozen=True)
class CatalogueSummary:
    """Tracks of a catalogue, recordings with audio features, and the months of the newness score."""

    track_count: int
    recording_count: int
    bounds: ReleaseBounds | None

    def list_months(self) -> list[str] | None:
        """Return the months of the newness score as a document has them."""
        return [self.bounds.oldest_month.isoformat(), self.bounds.newest_month.isoformat()] if self.bounds else None


def summarise_tracks(tracks: DataFrame, reference_date: date, features_from: str) -> CatalogueSummary:
    """Return the summary of tracks; columns as ``BuiltCatalogue.tracks`` has them.

    :param features_from: the setting ``cluster_features_from``.
    """
    return CatalogueSummary(
        tracks.count(),
        kmeans.count_recordings(select_fitted_tracks(tracks, features_from)),
        newness.compute_release_bounds(tracks, reference_date),
    )


def summarise_update(
    last_counts: tuple[int, int],
    former: DataFrame,
    present: DataFrame,
    release_dates: DataFrame,
    reference_date: date,
    features_from: str,
) -> CatalogueSummary:
    """Return the summary of a catalogue after an update.

    :param last_counts: its tracks and recordings before.
    :param former: the tracks of the update before it, ``present`` those after it.
    :param release_dates: release_date of all tracks after it.
    """
    counts = [frame.agg(F.count(F.lit(1)).alias("size")) for frame in (former, present)]
    counts += [kmeans.build_recording_count(select_fitted_tracks(frame, features_from)) for frame in (former, present)]
    frames = {str(index): frame.select(F.col("size").cast("long")) for index, frame in enumerate(counts)}
    frames["bounds"] = newness.select_release_bounds(release_dates, reference_date)
    tables = collect_tables(frames)
    former_tracks, tracks, former_recordings, recordings = (
        tables[str(index)].column("size")[0].as_py() or 0 for index in range(len(counts))
    )
    bounds = tables["bounds"].to_pylist()[0]
    return CatalogueSummary(
        last_counts[0] - former_tracks + tracks,
        last_counts[1] - former_recordings + recordings,
        newness.make_release_bounds(bounds["oldest"], bounds["newest"]),
    )


def select_fitted_tracks(tracks: DataFrame, features_from: str) -> DataFrame:
    """Return the tracks that clusters are fitted to."""
    exclusions = list_cluster_exclusions(features_from)
    return kmeans.exclude_feature_sources(tracks, *exclusions) if exclusions else tracks
