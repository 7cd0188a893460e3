-- name: by_id
select * from live.runs where run_id = %(run_id)s

-- name: page
-- Newest first.
select * from live.runs
where (%(owner_id)s::uuid is null or owner_id = %(owner_id)s)
  and (%(started_at)s::timestamptz is null or (started_at, run_id) < (%(started_at)s, %(run_id)s::uuid))
order by started_at desc, run_id desc
limit %(limit)s

-- name: open
-- What has no counts yet, oldest first.
select * from live.runs where counts is null order by started_at, run_id
