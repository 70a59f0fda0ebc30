create unlogged table staging.anomaly_episode (
    user_id text collate "C",
    kind text,
    started_at timestamptz,
    ended_at timestamptz
);

comment on table staging.anomaly_episode is 'The truth about anomalous simulated listeners, on its way to simulation.anomaly_episode.';
comment on column staging.anomaly_episode.user_id is 'The user''s id in the feed and in warehouse.dim_user.';
comment on column staging.anomaly_episode.kind is 'The kind of anomaly.';
comment on column staging.anomaly_episode.started_at is 'When the first play of the episode begins, UTC.';
comment on column staging.anomaly_episode.ended_at is 'When its last play ends, UTC.';
