-- Remove the earlier events of inputs that are loaded again; their new events are staged.
create temporary table reloading_user on commit drop as
select u.user_key
from warehouse.dim_user as u
where exists (select from staging.reloaded_input)
    and (
        u.user_id in (select user_id from audit.play_source)
        or u.user_key in (select user_key from staging.fact_event)
        or u.user_key in (select user_key from staging.fact_spoken_event)
    );

delete from audit.event_match as m
using audit.dropped_event as d
where d.event_id = m.dropped_event_id
    and d.event_time = m.dropped_event_time
    and d.user_key in (select user_key from reloading_user)
    and d.input_key in (select input_key from staging.reloaded_input);

delete from audit.dropped_event
where user_key in (select user_key from reloading_user)
    and input_key in (select input_key from staging.reloaded_input);

delete from warehouse.fact_event
where user_key in (select user_key from reloading_user)
    and input_key in (select input_key from staging.reloaded_input);

delete from warehouse.fact_spoken_event
where user_key in (select user_key from reloading_user)
    and input_key in (select input_key from staging.reloaded_input);

delete from audit.arrival where input_id in (select input_id from staging.reloaded_input);
delete from audit.row_count where step = 'load_events' and input_id in (select input_id from staging.reloaded_input);
delete from audit.rejected_row where input_id in (select input_id from staging.reloaded_input);
