create unlogged table staging.refresh_state (
    kind text,
    id text collate "C",
    asked_at timestamptz
);
