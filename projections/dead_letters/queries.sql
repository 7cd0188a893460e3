-- name: held
-- Of the records named, those that hold back their key in the read models that queries see.
select q.topic, q.partition, q."offset", q.key,
    (select count(*) from infra.quarantine w
     where w.read_model = q.read_model and w.version = q.version and w.topic = q.topic
       and w.partition = q.partition and w.key = q.key),
    q.redrives,
    exists (select from infra.redrives r
     where r.read_model = q.read_model and r.version = q.version and r.topic = q.topic
       and r.partition = q.partition and r.key = q.key)
from infra.quarantine q
join infra.read_models m on m.name = q.read_model and m.version = q.version and m.active
join unnest(%(topics)s::text[], %(partitions)s::int[], %(offsets)s::bigint[]) s (topic, partition, "offset")
    on q.topic = s.topic and q.partition = s.partition and q."offset" = s."offset"
where q.blocking and q.key is not null

-- name: waits
-- Whether what comes of this key is held back in the read models that queries see.
select exists (
    select from infra.quarantine q
    join infra.read_models m on m.name = q.read_model and m.version = q.version and m.active
    where q.topic = %(topic)s and q.partition = %(partition)s and q.key = %(key)s
)

-- name: told
select asset_id, owner_id, content_type from live.assets where asset_id = any(%(asset_ids)s)

-- name: failed_jobs
select job_id from live.jobs j
where job_id = any(%(job_ids)s) and state = 'failed'
  and not exists (select from live.jobs n where n.asset_id = j.asset_id and n.nth > j.nth)

-- name: said
select event_id from live.activity where event_id = any(%(event_ids)s)
union
select event_id from live.account_activity where event_id = any(%(event_ids)s)

-- name: rounds
-- The redrives of an asset after the last job that was none.
select count(*) from live.jobs j
where asset_id = %(asset_id)s and kind = 'redrive'
  and not exists (
      select from live.jobs n
      where n.asset_id = j.asset_id and n.kind <> 'redrive' and n.nth > j.nth
  )
