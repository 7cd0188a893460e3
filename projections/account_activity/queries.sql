-- name: by_event_id
-- The first record that carried the event, one that counted before any that did not.
select * from live.account_activity where event_id = %(event_id)s
order by accepted desc, topic, partition, "offset"
limit 1

-- name: revocations
-- In each partition what came after the place given (none given: all), in its order.
select r.partition, r."offset", r.event_type, r.user_id, r.session_id, r.key_id, r.version, r.log_time
from live.account_activity r
left join unnest(%(partitions)s::int[], %(offsets)s::bigint[]) given (partition, "offset")
    on given.partition = r.partition
where r.revokes and r.topic = %(topic)s and r."offset" > coalesce(given."offset", -1)
  and (%(since)s::timestamptz is null or r.log_time >= %(since)s)
order by r.partition, r."offset"
limit %(limit)s
