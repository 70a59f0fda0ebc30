-- What is left out of a user's counts, with names, the newest first.
with item as materialized (
    select kind, item_id, name from mart.played_item where user_id = :user_id
)

select x.*, p.name as playlist_name, a.name as artist_name, t.name as track_name
from mart.play_exclusion as x
left join item as p on p.kind = 'playlist' and p.item_id = x.playlist_id
left join item as a on a.kind = 'artist' and a.item_id = x.artist_id
left join item as t on t.kind = 'track' and t.item_id = x.track_id
where x.user_id = :user_id and (:with_revoked or x.revoked_at is null)
order by x.exclusion_id desc
limit :max_rows;
