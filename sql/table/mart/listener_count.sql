create type mart.counted_kind as enum ('recording', 'artist', 'genre', 'audio_cluster', 'hour');

comment on type mart.counted_kind is 'What plays are counted by.';

create table mart.listener_count (
    listener_key integer not null,
    item_key integer not null,
    kind mart.counted_kind not null,
    year smallint not null,
    play_millionths bigint not null,
    ms_played bigint not null,
    constraint listener_count_pkey primary key (listener_key, kind, item_key, year)
);

create table mart.listener_top (
    listener_key integer not null,
    item_key integer not null,
    kind mart.counted_kind not null,
    year smallint not null,
    rank smallint not null,
    play_millionths bigint not null,
    ms_played bigint not null,
    constraint listener_top_pkey primary key (listener_key, year, kind, rank)
);

comment on table mart.listener_count is 'How often a user played something in a year.';
comment on column mart.listener_count.listener_key is 'The user, as mart.listener has it.';
comment on column mart.listener_count.item_key is 'recording_key, artist_key or genre_key; the number of the cluster; the hour.';
comment on column mart.listener_count.kind is 'recording, artist, genre, audio_cluster or hour.';
comment on column mart.listener_count.year is 'The year, on the user''s calendar; 0 is all time.';
comment on column mart.listener_count.play_millionths is 'Plays in millionths: a play counts for a genre by its weight. Whole numbers, whose sum is the same in every order.';
comment on column mart.listener_count.ms_played is 'How long the plays were heard, ms; of a genre by its weight.';
comment on table mart.listener_top is 'The hundred items of each kind that a user played most in a year.';
comment on column mart.listener_top.listener_key is 'The user, as mart.listener has it.';
comment on column mart.listener_top.item_key is 'recording_key, artist_key or genre_key; the number of the cluster; the hour.';
comment on column mart.listener_top.kind is 'recording, artist, genre, audio_cluster or hour.';
comment on column mart.listener_top.year is 'The year, on the user''s calendar; 0 is all time.';
comment on column mart.listener_top.rank is '1 for the most played: by plays, then by what was heard longest, then by the smallest key.';
comment on column mart.listener_top.play_millionths is 'Plays in millionths: a play counts for a genre by its weight.';
comment on column mart.listener_top.ms_played is 'How long the plays were heard, ms; of a genre by its weight.';
