insert into warehouse.dim_play_context (
    context_key, platform, reason_start, reason_end, is_shuffle, is_offline, is_incognito, subscription_plan
)
select
    (select max(context_key) from warehouse.dim_play_context) + row_number() over (
        order by
            s.platform, s.reason_start, s.reason_end, s.is_shuffle, s.is_offline, s.is_incognito, s.subscription_plan
    ),
    s.*
from (
    -- EXCEPT hashes the rows and treats two NULLs as equal; a join on nullable columns would compare every pair.
    select platform, reason_start, reason_end, is_shuffle, is_offline, is_incognito, subscription_plan
    from staging.event_context
    except
    select platform, reason_start, reason_end, is_shuffle, is_offline, is_incognito, subscription_plan
    from warehouse.dim_play_context
) as s;
