"""Personalities are told from sums by day and from plays as they were counted; owners of playlists by both of their ids."""

from alembic import op

from etl.config import CHECKOUT

revision = "0010"
down_revision = "0009"

_FILES = ("table/mart/told_day", "view/mart/playlist_owner")
_COUNTED = """
alter table mart.counted_play add column is_from_playlist boolean not null default false;
alter table mart.counted_play alter column is_from_playlist drop default;
comment on column mart.counted_play.is_from_playlist is 'Whether it was played from a playlist: then it tells nothing of a personality.';
alter table mart.counted_track add column release_month integer;
comment on column mart.counted_track.release_month is 'Its month of release: year times 12 plus month minus 1.';
comment on column mart.listener_personality.plays is 'Number of plays outside of playlists that it was told from: the latest months that have 2,000 together.';
comment on column mart.user_personality.plays is 'Number of plays outside of playlists that it was told from: the latest months that have 2,000 together.';
create or replace trigger touched_by_update after update on warehouse.dim_track
for each row
when (
    (
        old.recording_key, old.audio_features_type, old.audio_features_source, old.danceability, old.energy, old.loudness,
        old.speechiness, old.acousticness, old.instrumentalness, old.liveness, old.valence, old.tempo, old.newness_score,
        old.release_date
    ) is distinct from (
        new.recording_key, new.audio_features_type, new.audio_features_source, new.danceability, new.energy, new.loudness,
        new.speechiness, new.acousticness, new.instrumentalness, new.liveness, new.valence, new.tempo, new.newness_score,
        new.release_date
    )
)
execute function audit.touch_track();
comment on table audit.touched_track is
'Tracks whose recording, genres, audio features, cluster, newness or release date have changed since the marts were built.';
-- What is counted says nothing of the new columns: the next build begins from nothing.
delete from mart.definition;
"""


def upgrade() -> None:
    """Make the tables and the further columns, and the view anew."""
    connection = op.get_bind()
    statements = [(CHECKOUT / "sql" / f"{name}.sql").read_text(encoding="utf-8") for name in _FILES]
    for one in (*statements, _COUNTED):
        connection.exec_driver_sql(one, execution_options={"no_parameters": True})
