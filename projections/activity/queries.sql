-- name: entries_after
-- From each partition the records after the one given (none given: from its beginning), fairly between them:
-- what comes back is a run without gaps in every partition, however small the limit.
select entry.*
from (
    select distinct c.partition, coalesce(given."offset", -1) as seen
    from infra.checkpoints c
    join infra.read_models m
        on m.name = c.read_model and m.version = c.version and m.active and m.name = 'activity'
    left join unnest(%(partitions)s::int[], %(offsets)s::bigint[]) given (partition, "offset")
        on given.partition = c.partition
    where c.topic = %(topic)s and c.next_offset > coalesce(given."offset", -1) + 1
) after
cross join lateral (
    select row_number() over (order by a."offset") as nth, a.*
    from (
        select * from live.activity
        where topic = %(topic)s and partition = after.partition and "offset" > after.seen
          and (%(owner_id)s::uuid is null or owner_id = %(owner_id)s)
        order by "offset"
        limit %(limit)s
    ) a
) entry
order by entry.nth, entry.partition
limit %(limit)s

-- name: by_event_id
-- The first record that carried the event, one that counted before any that did not.
select * from live.activity where event_id = %(event_id)s
order by accepted desc, topic, partition, "offset"
limit 1
