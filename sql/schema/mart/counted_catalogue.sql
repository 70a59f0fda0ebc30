create table mart.counted_catalogue (
    last_track_key integer not null,
    fit_id text collate "C",
    dated_recordings bigint not null,
    newness_total bigint not null,
    newness_square_total numeric not null
);

create unique index counted_catalogue_is_one on mart.counted_catalogue ((true));

comment on table mart.counted_catalogue is 'What the profiles were built with of the catalogue, one row.';
comment on column mart.counted_catalogue.last_track_key is 'Tracks with a greater key are new to them.';
comment on column mart.counted_catalogue.fit_id is 'The fit of the audio clusters by which distances are measured; NULL if there was none.';
comment on column mart.counted_catalogue.dated_recordings is 'Recordings with a newness score.';
comment on column mart.counted_catalogue.newness_total is 'Sum of their newness scores, in millionths.';
comment on column mart.counted_catalogue.newness_square_total is 'Sum of the squares of these.';
