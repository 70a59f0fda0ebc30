-- A function with a year as its argument, with the rights of its owner like the functions of the views my_…
create function mart.my_taste_figures(year integer)
returns table (
    plays bigint,
    minutes_played bigint,
    tracks bigint,
    artists bigint,
    new_artists bigint,
    earlier_plays bigint,
    top_artist text,
    top_artist_plays bigint,
    artists_at_top bigint,
    top_genre text,
    top_genre_share double precision,
    genres_at_top bigint,
    earlier_top_genre_share double precision,
    top_cluster text,
    top_cluster_share double precision,
    clusters_at_top bigint,
    catalogue_cluster_share double precision,
    plays_by_hour bigint[],
    featured_plays bigint,
    distances double precision[],
    earlier_featured_plays bigint,
    earlier_distances double precision[]
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select f.*
    from mart.taste_figures((select s.user_id from audit.signed_in as s), my_taste_figures.year) as f;
end
$$;

comment on function mart.my_taste_figures is 'mart.taste_figures of your own plays.';
