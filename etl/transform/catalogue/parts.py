"""What a catalogue's tracks say about artists, albums and the whole: stored, so that a later run need not repeat it."""

from dataclasses import dataclass, fields

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.transform.catalogue.links import Hashes, filter_by_hash, track_hash
from etl.transform.catalogue.stages import ReconciledTracks


@dataclass(frozen=True)
class CatalogueParts:
    """Frames with the results of ``stages.reconcile_tracks`` that frames of other tracks depend on.

    ``tracks``: track_id, rank, artists, popularity, album, recording_id, release_date, measures.
    ``albums``: track_id and the columns of ``albums.build_album_variants``'s parameter.
    ``matches``: identity (of a row without an id), track_id.
    ``evidence``: the result of ``artists.find_merge_evidence``.
    """

    tracks: DataFrame
    albums: DataFrame
    matches: DataFrame
    evidence: DataFrame

    def get_frames(self) -> dict[str, DataFrame]:
        """Return the frames by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def filter_tracks(self, hashes: Hashes, is_inside: bool = True) -> "CatalogueParts":
        """Return the parts of the tracks with these hashes, or of all others."""
        return CatalogueParts(**{name: self.filter_frame(name, hashes, is_inside) for name in self.get_frames()})

    def filter_frame(self, name: str, hashes: Hashes, is_inside: bool = True) -> DataFrame:
        """Return the rows of one frame about the tracks with these hashes, or about all others."""
        return filter_by_hash(self.get_frames()[name], track_hash(_get_key(name)), hashes, is_inside)

    def union(self, others: "CatalogueParts") -> "CatalogueParts":
        """Return the parts of two sets of tracks."""
        added = others.get_frames()
        return CatalogueParts(**{name: frame.unionByName(added[name]) for name, frame in self.get_frames().items()})


def select_parts(reconciled: ReconciledTracks, evidence: DataFrame) -> CatalogueParts:
    """Return the parts of reconciled tracks.

    :param evidence: the result of ``artists.find_merge_evidence`` for the same rows.
    """
    return CatalogueParts(
        tracks=reconciled.tracks.select(
            "track_id", "rank", "artists", "popularity", "album", "recording_id", "release_date", "measures"
        ),
        albums=reconciled.variants.where("NOT is_by_name AND album_name_derived_id IS NOT NULL").select(
            "track_id",
            "is_by_name",
            "album_id",
            "album_name",
            "album_name_derived_id",
            "rank",
            "row_count",
            "album_type",
            "release",
        ),
        matches=reconciled.matches.select("identity", "track_id"),
        evidence=evidence,
    )


def add_id_hash(name: str, frame: DataFrame) -> DataFrame:
    """Return the rows of a frame of parts with ``id_hash``, the hash of their track."""
    return frame.withColumn("id_hash", track_hash(_get_key(name)))


def _get_key(name: str) -> Column:
    return F.col("track_id" if name in ("tracks", "albums") else "identity")
