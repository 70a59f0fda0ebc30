create view mart.top_by_continent as
select
    c.period,
    c.period_start,
    c.place_kind,
    c.place,
    c.kind::text as kind,
    t.rank::smallint as rank,
    coalesce(d.track_id, a.artist_id, g.genre) as item_id,
    coalesce(d.name, a.name, g.genre) as name,
    f.name as artist_name,
    t.play_millionths / 1000000.0 as plays
from mart.chart as c
inner join mart.chart_top as h on h.chart_key = c.chart_key
cross join lateral unnest(h.item_keys, h.play_millionths) with ordinality as t (item_key, play_millionths, rank)
left join warehouse.dim_track as d on c.kind = 'recording' and d.track_key = t.item_key
left join warehouse.dim_artist as a on c.kind = 'artist' and a.artist_key = t.item_key
left join warehouse.dim_genre as g on c.kind = 'genre' and g.genre_key = t.item_key
left join lateral (
    select b.artist_key
    from warehouse.bridge_track_artist as b
    where b.track_key = d.track_key
    order by b.position
    limit 1
) as b on true
left join warehouse.dim_artist as f on f.artist_key = b.artist_key;

comment on view mart.top_by_continent is 'The hundred recordings, artists and genres played most on a continent or in a country, in a day, week, month or year.';
comment on column mart.top_by_continent.period is 'day, week, month or year.';
comment on column mart.top_by_continent.period_start is 'Its first day, on the users'' calendars; a week begins on Monday.';
comment on column mart.top_by_continent.place_kind is 'continent or country.';
comment on column mart.top_by_continent.place is 'The continent, or the country by ISO 3166-1 alpha-2.';
comment on column mart.top_by_continent.kind is 'recording, artist or genre.';
comment on column mart.top_by_continent.rank is '1 for the most played.';
comment on column mart.top_by_continent.item_id is 'The track id that names the recording, the artist''s id, or the genre.';
comment on column mart.top_by_continent.name is 'Its name.';
comment on column mart.top_by_continent.artist_name is 'Of a recording its first artist.';
comment on column mart.top_by_continent.plays is 'Number of plays; of genres by the weights of the tracks.';
