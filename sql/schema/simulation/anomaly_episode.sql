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

comment on table simulation.anomaly_episode is 'The truth about anomalous simulated listeners: detectors are scored by it, and must not read it.';
comment on column simulation.anomaly_episode.user_id is 'The user''s id in the feed and in warehouse.dim_user.';
comment on column simulation.anomaly_episode.kind is 'The kind of anomaly, one for each listener.';
comment on column simulation.anomaly_episode.started_at is 'When the first play of the episode begins, UTC.';
comment on column simulation.anomaly_episode.ended_at is 'When its last play ends, UTC.';
