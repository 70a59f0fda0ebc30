-- A day, week or month of any chart is added up from the rows of its items. A build writes the rows of the items that
-- were played, however many charts and other items there are.
create table mart.item_month (
    item_key integer not null,
    month_start date not null,
    kind mart.counted_kind not null,
    place_days integer[] not null,
    play_millionths bigint[] not null,
    constraint item_month_pkey primary key (kind, item_key, month_start)
);

comment on table mart.item_month is 'How often an item was played in a month, by place and day: arrays in the order of place_days.';
comment on column mart.item_month.item_key is 'recording_key, artist_key or genre_key.';
comment on column mart.item_month.month_start is 'First day of the month, on the users'' calendars.';
comment on column mart.item_month.kind is 'recording, artist or genre.';
comment on column mart.item_month.place_days is 'Place and day of the month: 32 times mart.context_place.place_key, plus the day.';
comment on column mart.item_month.play_millionths is 'Plays at each place and day in millionths: a play counts for a genre by its weight.';
