-- name: say
insert into infra.loops as l (
    topic, member, said_at, beat_at, held_since, trouble, trouble_since, last_error, last_error_at, oldest, partitions
) values (
    %(topic)s, %(member)s, now(), now() - make_interval(secs => %(silent)s), %(held_since)s, %(trouble)s,
    %(trouble_since)s, %(last_error)s, %(last_error_at)s, %(oldest)s, %(partitions)s
)
on conflict (topic, member) do update set
    said_at = excluded.said_at, beat_at = excluded.beat_at, held_since = excluded.held_since,
    trouble = excluded.trouble, trouble_since = excluded.trouble_since,
    last_error = coalesce(excluded.last_error, l.last_error),
    last_error_at = coalesce(excluded.last_error_at, l.last_error_at),
    oldest = excluded.oldest, partitions = excluded.partitions

-- name: forget
-- Members that are gone for good.
delete from infra.loops where topic = %(topic)s and said_at < now() - interval '1 day'

-- name: leave
-- A member that ends in order is not missed.
delete from infra.loops where member = %(member)s

-- name: reports
-- One for each loop that was heard within the last hour; what was said before says nothing of now.
select topic, member, said_at, extract(epoch from now() - said_at)::float8 as said_seconds_ago,
       extract(epoch from now() - beat_at)::float8 as silent_seconds,
       held_since, trouble, trouble_since, last_error, last_error_at, oldest, partitions
from infra.loops
where said_at > now() - interval '1 hour'
order by topic, said_at desc, member
