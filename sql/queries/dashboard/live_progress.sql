-- Where the live tables stand, by partition, and how long ago each continent's hours were closed.
select
    continent,
    partition,
    watermark,
    extract(epoch from now() - watermark) / 60 as minutes_behind,
    accepted_events,
    duplicate_events,
    late_events,
    rejected_messages,
    lost_messages,
    updated_at,
    extract(epoch from now() - updated_at) as seconds_ago
from live.progress
order by partition;
