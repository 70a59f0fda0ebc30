select
    t.context_key, t.platform, t.reason_start, t.reason_end, t.is_shuffle, t.is_offline, t.is_incognito, t.subscription_plan
from warehouse.dim_play_context as t
where t.context_key > 0
