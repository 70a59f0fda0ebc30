-- What staged events name: one look at them finds it all, in five sets of which each fills columns of its own. Then the
-- members among it, each once, and what is known of them; and the accounts of the inputs.
create unlogged table staging.event_named (
    name_set text collate "C",
    source text collate "C",
    user_id text collate "C",
    track_id text collate "C",
    track_name text collate "C",
    artist_id text collate "C",
    artist_name text collate "C",
    made_track text collate "C",
    made_artist text collate "C",
    playlist_id text collate "C",
    platform text,
    reason_start text,
    reason_end text,
    is_shuffle boolean,
    is_offline boolean,
    is_incognito boolean,
    subscription_plan text,
    input_id text collate "C",
    is_spoken boolean,
    first_day date,
    row_count bigint
);

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
