-- name: job
-- One job, of one owner or (owner null) of anybody.
select {columns} from live.jobs
where job_id = %(job_id)s and (%(owner_id)s::uuid is null or owner_id = %(owner_id)s)
order by asset_id
limit 1

-- name: page
select {columns} from live.jobs where true

-- name: of_owner_id
and owner_id = %(owner_id)s

-- name: of_asset_id
and asset_id = %(asset_id)s

-- name: of_state
and state = %(state)s

-- name: of_kind
and kind = %(kind)s

-- name: of_run_id
and run_id = %(run_id)s

-- name: after
and (queued_at, job_id) < (%(queued_at)s, %(job_id)s)

-- name: in_order
order by queued_at desc, job_id desc limit %(limit)s

-- name: attempts
-- What workers said of one job, in the log's order, repeats left away.
select attempt, event_type, occurred_at, worker, kind, code, data
from live.activity
where asset_id = %(asset_id)s and job_id = %(job_id)s and accepted
  and event_type in ('ProcessingStarted', 'ProcessingFailed', 'VariantsReady')
order by "offset"

-- name: last_said
select event_id from live.activity
where asset_id = %(asset_id)s and job_id = %(job_id)s and accepted
order by "offset" desc
limit 1
