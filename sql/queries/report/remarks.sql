-- Remarks on the Kaggle files of the last refresh: guesses, and parts that were left out.
select
    run_input.name,
    remark.sentence
from audit.run_input
cross join unnest(run_input.remarks) with ordinality as remark (sentence, place)
where run_input.run_id = (
    select run.run_id
    from audit.run
    where run.result = 'published'
        and exists (
            select from audit.run_input as taken where taken.run_id = run.run_id and taken.origin = 'kaggle'
        )
    order by run.finished_at desc
    limit 1
)
order by run_input.name, remark.place;
