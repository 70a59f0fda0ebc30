"""Audio features from services other than Spotify: what they were asked, and features of tracks of events."""

from alembic import op

revision = "0011_audio_features"
down_revision = "0010_narrow_marts"

_STATEMENTS = """
create unlogged table staging.provider_features (
    track_id text collate "C",
    danceability double precision,
    energy double precision,
    loudness double precision,
    speechiness double precision,
    acousticness double precision,
    instrumentalness double precision,
    liveness double precision,
    valence double precision,
    tempo double precision,
    key integer,
    mode integer,
    time_signature integer,
    audio_features_type integer,
    audio_features_source text
);

alter table audit.refresh_state add column is_found boolean;

alter table audit.refresh_state
    drop constraint refresh_state_kind_known,
    add constraint refresh_state_kind_known check (
        kind in ('track', 'artist', 'audio_features', 'reccobeats', 'mock_reccobeats')
    );

alter table staging.refresh_state add column is_found boolean;
"""


def upgrade() -> None:
    """Create the table and columns. Their comments and privileges follow at the end of each migration."""
    op.get_bind().exec_driver_sql(_STATEMENTS, execution_options={"no_parameters": True})
