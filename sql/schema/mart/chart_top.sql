create table mart.chart_top (
    chart_key integer not null,
    item_keys integer[] not null,
    play_millionths bigint[] not null,
    constraint chart_top_pkey primary key (chart_key)
);

comment on table mart.chart_top is 'The first hundred of each chart: arrays in the order of the ranks, of equals the smallest key first.';
comment on column mart.chart_top.chart_key is 'The chart.';
comment on column mart.chart_top.item_keys is 'recording_key, artist_key or genre_key of each.';
comment on column mart.chart_top.play_millionths is 'Plays of each in millionths: a play counts for a genre by its weight.';
