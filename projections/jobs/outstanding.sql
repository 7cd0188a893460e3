-- name: uploads_under_way
-- How many uploads of one person wait for their variants, counted no further than asked.
select count(*) from (
    select 1 from live.jobs
    where owner_id = %(owner_id)s and state in ('queued', 'active') and kind = 'upload'
    limit %(most)s
) found

-- name: jobs_of_runs
-- How many jobs of each run are in each state.
select run_id, state, count(*) from live.jobs where run_id = any(%(run_ids)s) group by run_id, state

-- name: under_way_of_runs
-- How many jobs of each run have not ended: as many rows are read as there are of them, however large the run.
select run_id, count(*) from live.jobs
where run_id = any(%(run_ids)s) and state in ('queued', 'active')
group by run_id

-- name: known_jobs
-- Those of the jobs that the log took.
select job_id from live.jobs where job_id = any(%(job_ids)s)

-- name: cost_of_run
-- Milliseconds of processor time and bytes written by the jobs of a run that ended well.
select coalesce(sum((cost ->> 'cpu_ms')::bigint), 0), coalesce(sum((cost ->> 'bytes_written')::bigint), 0)
from live.jobs where run_id = %(run_id)s and cost is not null
