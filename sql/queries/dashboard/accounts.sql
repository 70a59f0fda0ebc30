-- The result of the last refresh for each account; the catalogue has no account.
select distinct on (part)
    coalesce(account, 'the catalogue') as account,
    asked_at,
    state,
    mode,
    playlists_seen,
    playlists_changed,
    playlists_rejected,
    days_left,
    message
from audit."fetch"
order by part, asked_at desc;
