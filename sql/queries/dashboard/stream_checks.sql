-- The newest result of each check of the streams.
select check_name, is_passed, value, message, details, checked_at
from (
    select *, row_number() over (partition by check_name order by checked_at desc) as position
    from audit.stream_check
) as c
where position = 1
order by is_passed, check_name;
