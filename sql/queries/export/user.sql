-- The current version of each user as a record of the contract entity_user: $1 <= user_key < $2.
-- $3 says whether personal columns are filled.
select
    user_id as "userId",
    case when $3 then username end as "username",
    country as "location",
    case when $3 then birthdate end as "birthdate",
    case when $3 then gender end as "gender",
    favourite_genre as "favouriteGenre"
from warehouse.dim_user
where is_current and user_key > 0 and user_key >= $1 and user_key < $2
