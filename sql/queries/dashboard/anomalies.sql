-- The newest findings about anomalous users.
select user_id, rule, reason, combined_score, score, window_start, window_end, detected_at, source
from mart.anomaly
order by detected_at desc, combined_score desc, user_id, rule
limit 500;
