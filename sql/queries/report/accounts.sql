-- Calls and results of one refresh: a row for each account, then the catalogue and providers of audio features.
select
    account,
    part,
    state,
    mode,
    (select coalesce(sum(cast(value as bigint)), 0) from jsonb_each_text(calls)) as calls,
    calls_saved,
    playlists_seen,
    playlists_changed,
    playlists_rejected,
    days_left,
    message
from audit."fetch"
where run_id = :run_id
order by account nulls last, part;
