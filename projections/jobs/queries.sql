-- name: job
-- One job, of one owner or (owner null) of anybody.
select * from live.jobs
where job_id = %(job_id)s and (%(owner_id)s::uuid is null or owner_id = %(owner_id)s)
order by asset_id
limit 1
