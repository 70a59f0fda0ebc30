create table mart.chart_count (
    chart_key integer not null,
    item_key integer not null,
    play_millionths bigint not null,
    constraint chart_count_pkey primary key (chart_key, item_key)
);

comment on table mart.chart_count is 'Numbers of plays by country or continent, and period.';
comment on column mart.chart_count.chart_key is 'The chart: country or continent, period and kind.';
comment on column mart.chart_count.item_key is 'recording_key, artist_key or genre_key.';
comment on column mart.chart_count.play_millionths is 'Plays in millionths: a play counts for a genre by its weight.';
