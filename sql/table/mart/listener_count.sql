create type mart.counted_kind as enum ('recording', 'artist', 'genre', 'audio_cluster', 'hour');

comment on type mart.counted_kind is 'What plays are counted by.';

create table mart.listener_count (
    listener_key integer not null,
    item_key integer not null,
    kind mart.counted_kind not null,
    year smallint not null,
    play_millionths bigint not null,
    ms_millionths bigint not null,
    constraint listener_count_pkey primary key (listener_key, kind, item_key, year)
);

create index listener_count_rank_idx
    on mart.listener_count (listener_key, kind, year, play_millionths desc, item_key) include (ms_millionths);

comment on table mart.listener_count is 'How often a user played something in a year.';
comment on column mart.listener_count.listener_key is 'The user, as mart.listener has it.';
comment on column mart.listener_count.item_key is 'recording_key, artist_key or genre_key; the number of the cluster; the hour.';
comment on column mart.listener_count.kind is 'recording, artist, genre, audio_cluster or hour.';
comment on column mart.listener_count.year is 'The year, on the user''s calendar; 0 is all time.';
comment on column mart.listener_count.play_millionths is 'Plays in millionths: a play counts for a genre by its weight. Whole numbers, whose sum is the same in every order.';
comment on column mart.listener_count.ms_millionths is 'How long the plays were heard, in millionths of a ms; of a genre by its weight.';
