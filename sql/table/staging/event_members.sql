-- The members that staged events name, each once, and what is known of them; and the accounts of their inputs.
create unlogged table staging.event_user (
    user_id text collate "C",
    source text
);

create unlogged table staging.event_artist (
    artist_id text collate "C",
    name text,
    source text
);

create unlogged table staging.event_track (
    track_id text collate "C",
    name text,
    made_id text collate "C",
    artist_id text collate "C",
    source text
);

create unlogged table staging.event_playlist (
    playlist_id text collate "C",
    source text
);

create unlogged table staging.event_context (
    platform text,
    reason_start text,
    reason_end text,
    is_shuffle boolean,
    is_offline boolean,
    is_incognito boolean,
    subscription_plan text
);

create unlogged table staging.event_count (
    input_id text collate "C",
    rows_accepted bigint,
    rows_repeated bigint
);
