-- The first batch has all plays, as soon as it is publishable. Each further one has complete weeks, at least four:
-- smaller batches would leave more groups without a name.
create function audit.publish_due_batches() returns void
language plpgsql
set search_path = pg_catalog
as $$
declare
    due record;
begin
    for due in
        with pending as (
            select
                p.artist_key,
                p.batches,
                case when p.batches > 0 then max(u.week_start) else 'infinity' end as before_week
            from audit.published_artist as p
            inner join audit.unpublished_play as u on u.artist_key = p.artist_key
            group by p.artist_key
        )

        select n.artist_key, n.before_week
        from pending as n
        inner join audit.unpublished_play as u on u.artist_key = n.artist_key and u.week_start < n.before_week
        group by n.artist_key, n.before_week, n.batches
        having n.batches = 0 or count(distinct u.week_start) >= 4
    loop
        perform audit.publish_batch(due.artist_key, due.before_week);
    end loop;
end
$$;

comment on function audit.publish_due_batches is 'Publishes the batches that are due.';
