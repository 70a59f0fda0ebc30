insert into warehouse.dim_play_context (
    context_key, platform, reason_start, reason_end, is_shuffle, is_offline, is_incognito, subscription_plan
)
select
    (select max(context_key) from warehouse.dim_play_context) + row_number() over (
        order by
            s.platform, s.reason_start, s.reason_end, s.is_shuffle, s.is_offline, s.is_incognito, s.subscription_plan
    ),
    s.*
from staging.event_context as s
where not exists (
    select
    from warehouse.dim_play_context as t
    where (
        t.platform, t.reason_start, t.reason_end, t.is_shuffle, t.is_offline, t.is_incognito, t.subscription_plan
    ) is not distinct from (
        s.platform, s.reason_start, s.reason_end, s.is_shuffle, s.is_offline, s.is_incognito, s.subscription_plan
    )
);
