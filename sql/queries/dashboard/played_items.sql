-- What a user has played of a kind whose name has some words, the most played first.
select item_id, name, artist_name, plays
from mart.played_item
where user_id = :user_id and kind = :kind and (:words = '' or strpos(lower(name), lower(:words)) > 0)
order by lower(name) = lower(:words) desc, plays desc, item_id
limit :max_rows;
