-- name: states
-- How many jobs each lane has in each state, and since when the oldest of them waits.
select lane, state, count(*), min(queued_at) from live.jobs group by lane, state

-- name: lately
-- What ended in the last hour, and how long that which ended well had waited and took, in seconds.
select lane, count(*),
    percentile_cont(array[0.5, 0.95]) within group (order by extract(epoch from started_at - queued_at)::float8)
        filter (where state = 'completed' and started_at is not null),
    percentile_cont(array[0.5, 0.95]) within group (order by extract(epoch from finished_at - started_at)::float8)
        filter (where state = 'completed' and started_at is not null)
from live.jobs
where finished_at > %(now)s::timestamptz - interval '1 hour'
group by lane
