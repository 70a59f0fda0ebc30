-- A function with a period as its arguments, with the rights of its owner like the functions of the views my_…
create function mart.my_period_top(
    first_date date,
    last_date date,
    earlier_first_date date default null,
    earlier_last_date date default null
)
returns table (
    kind text,
    rank bigint,
    item_id text,
    name text,
    artist_name text,
    plays numeric,
    ms_played bigint,
    earlier_rank bigint,
    earlier_plays numeric
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select p.*
    from mart.period_top(
        (select s.user_id from audit.signed_in as s),
        my_period_top.first_date,
        my_period_top.last_date,
        my_period_top.earlier_first_date,
        my_period_top.earlier_last_date
    ) as p;
end
$$;

comment on function mart.my_period_top is 'mart.period_top of your own plays.';
