-- name: any
-- Whether anything at all is set aside, or left out: mostly nothing is, and then no keys have to be sent.
select
    exists (
        select from infra.quarantine
        where read_model = %(read_model)s and version = %(version)s and topic = %(topic)s
    ),
    exists (select from infra.discards where topic = %(topic)s)

-- name: blocked
select distinct partition, key from infra.quarantine
where read_model = %(read_model)s and version = %(version)s and topic = %(topic)s and key = any(%(keys)s)

-- name: blocked_in
select distinct partition, key from infra.quarantine
where read_model = %(read_model)s and version = %(version)s and topic = %(topic)s and partition = %(partition)s

-- name: blocked_before
-- The same for records that are read again: only those before them hold them back.
select distinct partition, key from infra.quarantine
where read_model = %(read_model)s and version = %(version)s and topic = %(topic)s
  and partition = %(partition)s and key = any(%(keys)s) and "offset" < %(offset)s

-- name: discarded
select partition, "offset" from infra.discards
where topic = %(topic)s and partition = any(%(partitions)s) and "offset" between %(first)s and %(last)s

-- name: keep
-- What is set aside again keeps the time at which it first was.
insert into infra.quarantine
    (read_model, version, topic, partition, "offset", key, code, error_kind, blocking, first_failed_at, last_failed_at)
select %(read_model)s, %(version)s, %(topic)s, q.partition, q."offset", q.key, q.code, q.kind, q.blocking,
       %(now)s, %(now)s
from unnest(
    %(partitions)s::int[], %(offsets)s::bigint[], %(keys)s::bytea[],
    %(codes)s::text[], %(kinds)s::text[], %(blocking)s::bool[]
) q (partition, "offset", key, code, kind, blocking)
on conflict (read_model, version, topic, partition, "offset") do update set
    code = excluded.code, error_kind = excluded.error_kind, blocking = excluded.blocking,
    last_failed_at = excluded.last_failed_at, redrives = infra.quarantine.redrives + 1

-- name: said
-- Which of these records have their dead letter already.
select d.partition, d."offset" from infra.dead_lettered d
join unnest(%(partitions)s::int[], %(offsets)s::bigint[]) r (partition, "offset")
    on d.partition = r.partition and d."offset" = r."offset"
where d.component = %(component)s and d.topic = %(topic)s

-- name: say
insert into infra.dead_lettered (component, topic, partition, "offset", code)
values (%(component)s, %(topic)s, %(partition)s, %(offset)s, %(code)s)

-- name: release
delete from infra.quarantine
where read_model = %(read_model)s and version = %(version)s and topic = %(topic)s

-- name: release_some
delete from infra.quarantine
where read_model = %(read_model)s and version = %(version)s and topic = %(topic)s
  and partition = %(partition)s and "offset" = any(%(offsets)s)

-- name: count
select count(*) from infra.quarantine
where read_model = %(read_model)s and version = %(version)s and topic = %(topic)s

-- name: note_discards
-- Those of them that are new.
insert into infra.discards (topic, partition, "offset", said_at)
select %(topic)s, d.partition, d."offset", d.said_at
from unnest(%(partitions)s::int[], %(offsets)s::bigint[], %(said_at)s::bigint[])
    d (partition, "offset", said_at)
on conflict do nothing
returning partition, "offset"

-- name: lock_forms
-- Waits for the batches at work on any form of the fold: what they commit is seen by the next statement.
select from infra.checkpoints
where read_model = %(read_model)s and topic = %(topic)s and partition = any(%(partitions)s)
order by topic, partition, read_model, version
for update

-- name: mark_late
-- Every form that has passed a record and has not set it aside has folded it. The one at work has by now.
update infra.checkpoints c set late = true
where c.read_model = %(read_model)s and c.topic = %(topic)s and exists (
    select from unnest(%(partitions)s::int[], %(offsets)s::bigint[]) d (partition, "offset")
    where d.partition = c.partition and (c.version = %(version)s or d."offset" < c.next_offset)
      and not exists (
          select from infra.quarantine q
          where q.read_model = c.read_model and q.version = c.version and q.topic = c.topic
            and q.partition = d.partition and q."offset" = d."offset"
      )
)

-- name: discard
-- Lets go of what is discarded, and has what waited behind it read again.
with gone as (
    delete from infra.quarantine q
    using unnest(%(partitions)s::int[], %(offsets)s::bigint[]) said (partition, "offset")
    where q.read_model = %(read_model)s and q.version = %(version)s and q.topic = %(topic)s
      and q.partition = said.partition and q."offset" = said."offset"
    returning q.partition, q."offset", q.key
)
insert into infra.redrives (read_model, version, topic, partition, key, asked_at)
select distinct %(read_model)s, %(version)s::int, %(topic)s, partition, key, %(now)s::timestamptz from gone
where key is not null
on conflict do nothing

-- name: any_late
select exists (
    select from infra.checkpoints
    where read_model = %(read_model)s and version = %(version)s and topic = %(topic)s and late
)

-- name: ask
-- Has a key's records read again, those of every fold that has set them aside.
insert into infra.redrives (read_model, version, topic, partition, key, asked_at)
select distinct read_model, version, topic, partition, key, %(now)s::timestamptz from infra.quarantine
where topic = %(topic)s and partition = %(partition)s and key = %(key)s
on conflict do nothing

-- name: asked
-- The key that has waited longest for being read again.
select partition, key from infra.redrives
where read_model = %(read_model)s and version = %(version)s and topic = %(topic)s
  and partition = any(%(partitions)s)
order by asked_at, partition, key
limit 1

-- name: waiting
select "offset" from infra.quarantine
where read_model = %(read_model)s and version = %(version)s and topic = %(topic)s
  and partition = %(partition)s and key = %(key)s
order by "offset"
limit %(limit)s

-- name: answered
delete from infra.redrives
where read_model = %(read_model)s and version = %(version)s and topic = %(topic)s
  and partition = %(partition)s and key = %(key)s
