-- How many uploads of one person are under way, counted no further than asked.
-- name: uploads_under_way
select count(*) from (
    select 1 from jobs
    where owner_id = %(owner_id)s and state in ('queued', 'active') and kind = 'upload'
    limit %(most)s
) some

-- What became of the jobs that runs asked for: how many of each run are in each state.
-- name: jobs_of_runs
select run_id, state, count(*) from jobs where run_id = any(%(run_ids)s) group by run_id, state

-- What the jobs of a run have cost that ended well, in milliseconds of processor time and bytes written.
-- name: cost_of_run
select coalesce(sum((cost ->> 'cpu_ms')::bigint), 0), coalesce(sum((cost ->> 'bytes_written')::bigint), 0)
from jobs where run_id = %(run_id)s and cost is not null
