create table mart.chart_top (
    chart_key integer not null,
    item_key integer not null,
    play_millionths bigint not null,
    rank smallint not null,
    constraint chart_top_pkey primary key (chart_key, rank)
);

comment on table mart.chart_top is 'The first hundred of each chart.';
comment on column mart.chart_top.chart_key is 'The chart.';
comment on column mart.chart_top.item_key is 'recording_key, artist_key or genre_key.';
comment on column mart.chart_top.play_millionths is 'Plays in millionths: a play counts for a genre by its weight.';
comment on column mart.chart_top.rank is '1 for the most played; of equals the smallest key comes first.';
