-- A function with a period as its arguments, with the rights of its owner like the functions of the views my_…
create function mart.my_period_figures(first_date date, last_date date)
returns table (
    minutes_played bigint,
    plays bigint,
    tracks bigint,
    albums bigint,
    artists bigint,
    new_artists bigint,
    days_with_plays bigint,
    favourite_hour smallint,
    spoken_minutes bigint,
    spoken_plays bigint,
    shows bigint
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select p.*
    from mart.period_figures(
        (select s.user_id from audit.signed_in as s),
        my_period_figures.first_date,
        my_period_figures.last_date
    ) as p;
end
$$;

comment on function mart.my_period_figures is 'mart.period_figures of your own plays.';
