-- The result of the last refresh for each account; the catalogue and providers of audio features have no account.
select distinct on (part)
    coalesce(account, case part when 'catalogue' then 'the catalogue' else part end) as account,
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
