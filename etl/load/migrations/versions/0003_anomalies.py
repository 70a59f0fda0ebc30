"""Findings about anomalous users, the truth about simulated ones, and an index for rules over days."""

from alembic import op

revision = "0003_anomalies"
down_revision = "0002_plain_names"

_STATEMENTS = """
create unlogged table staging.anomaly_episode (
    user_id text collate "C",
    kind text,
    started_at timestamptz,
    ended_at timestamptz
);

create table simulation.anomaly_episode (
    user_id text collate "C" not null,
    kind text not null,
    started_at timestamptz not null,
    ended_at timestamptz not null,
    constraint anomaly_episode_pkey primary key (user_id, started_at),
    constraint anomaly_episode_kind_known check (
        kind in (
            'skips_beyond_plan',
            'impossible_volume',
            'overlapping_plays',
            'impossible_travel',
            'short_play_runs',
            'shared_track_set',
            'sudden_change'
        )
    ),
    constraint anomaly_episode_lasts check (started_at <= ended_at)
);

create table mart.anomaly (
    user_id text collate "C" not null,
    rule text not null,
    window_start timestamptz not null,
    window_end timestamptz not null,
    reason text not null,
    score double precision not null,
    combined_score double precision not null,
    detected_at timestamptz not null,
    source text not null,
    constraint anomaly_pkey primary key (user_id, rule, window_start),
    constraint anomaly_combined_score_in_range check (combined_score > 0 and combined_score < 1),
    constraint anomaly_lasts check (window_start < window_end),
    constraint anomaly_score_in_range check (score > 0 and score < 1),
    constraint anomaly_source_known check (source in ('stream', 'nightly'))
);

create index anomaly_detected_at_idx on mart.anomaly (detected_at);

create index listener_day_local_date_idx on mart.listener_day (local_date);
"""


def upgrade() -> None:
    """Create the tables and the index. Their comments and privileges follow at the end of each migration."""
    op.get_bind().exec_driver_sql(_STATEMENTS, execution_options={"no_parameters": True})
