-- The listening contexts of staged events. Grouped, because a join on nullable columns would compare every pair.
select
    max(t.context_key) as context_key,
    t.platform,
    t.reason_start,
    t.reason_end,
    t.is_shuffle,
    t.is_offline,
    t.is_incognito,
    t.subscription_plan
from (
    select
        context_key, platform, reason_start, reason_end, is_shuffle, is_offline, is_incognito, subscription_plan
    from warehouse.dim_play_context
    where context_key > 0
    union all
    select null, platform, reason_start, reason_end, is_shuffle, is_offline, is_incognito, subscription_plan
    from staging.event_context
) as t
group by
    t.platform, t.reason_start, t.reason_end, t.is_shuffle, t.is_offline, t.is_incognito, t.subscription_plan
having count(*) > count(t.context_key)
