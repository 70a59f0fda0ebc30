insert into audit.account_owner (user_id, owner_id)
select user_id, owner_id
from staging.account_owner
on conflict (user_id) do update
    set owner_id = excluded.owner_id
    where account_owner.owner_id <> excluded.owner_id;
