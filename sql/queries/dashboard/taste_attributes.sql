-- The audio features of a user's plays, and of all playlists of the user.
select
    p.scope,
    p.attribute,
    p.entries as tracks,
    p.mean,
    p.deviation,
    p.distance,
    p.entries_by_bin as tracks_by_bin,
    a.first_bound,
    a.last_bound
from mart.taste_profile_attribute as p
inner join mart.attribute as a on a.attribute = p.attribute
where p.user_id = :user_id
order by p.scope, a.attribute_number;
