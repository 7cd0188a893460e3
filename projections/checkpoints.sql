-- name: ensure
-- A checkpoint that is missing stands at 0.
insert into infra.checkpoints (read_model, version, topic, partition)
select m.name, m.version, %(topic)s, p.partition
from unnest(%(names)s::text[], %(versions)s::int[]) m (name, version)
cross join unnest(%(partitions)s::int[]) p (partition)
on conflict do nothing

-- name: read
select c.partition, min(c.next_offset), max(c.next_offset), min(c.topic_id), max(c.topic_id), count(*)
from infra.checkpoints c
join unnest(%(names)s::text[], %(versions)s::int[]) m (name, version)
    on c.read_model = m.name and c.version = m.version
where c.topic = %(topic)s and c.partition = any(%(partitions)s)
group by c.partition

-- name: adopt
-- Notes the topic's id where none is known yet.
update infra.checkpoints c set topic_id = %(topic_id)s
from unnest(%(names)s::text[], %(versions)s::int[]) m (name, version)
where c.read_model = m.name and c.version = m.version and c.topic = %(topic)s
  and c.partition = any(%(partitions)s) and c.topic_id is null

-- name: lock
-- Everyone locks in this order, so that no two ever wait for each other.
select c.partition, c.next_offset, c.copied, c.read_model
from infra.checkpoints c
join unnest(%(names)s::text[], %(versions)s::int[]) m (name, version)
    on c.read_model = m.name and c.version = m.version
where c.topic = %(topic)s and c.partition = any(%(partitions)s)
order by c.topic, c.partition, c.read_model, c.version
for update of c

-- name: lock_all
select c.partition
from infra.checkpoints c
join unnest(%(names)s::text[], %(versions)s::int[]) m (name, version)
    on c.read_model = m.name and c.version = m.version
where c.topic = %(topic)s
order by c.topic, c.partition, c.read_model, c.version
for update of c

-- name: advance
-- Moves the checkpoints and says so, in one round trip; the word is out once the transaction is committed.
with advanced as (
    update infra.checkpoints c set next_offset = moved.next_offset
    from unnest(%(names)s::text[], %(versions)s::int[]) m (name, version)
    cross join unnest(%(partitions)s::int[], %(next_offsets)s::bigint[]) moved (partition, next_offset)
    where c.read_model = m.name and c.version = m.version and c.topic = %(topic)s
      and c.partition = moved.partition
)
select pg_notify('darkroom_batch', %(payload)s)

-- name: restart
update infra.checkpoints c set next_offset = 0, topic_id = null, copied = false
from unnest(%(names)s::text[], %(versions)s::int[]) m (name, version)
where c.read_model = m.name and c.version = m.version and c.topic = %(topic)s

-- name: begun
-- Which read models of the loop have been folded, in whatever form.
select distinct read_model from infra.checkpoints where topic = %(topic)s and read_model = any(%(names)s)

-- name: loop_positions
select c.partition, min(c.next_offset)
from infra.checkpoints c
join unnest(%(names)s::text[], %(versions)s::int[]) m (name, version)
    on c.read_model = m.name and c.version = m.version
where c.topic = %(topic)s
group by c.partition
order by c.partition

-- name: positions
-- What every active read model of the topic has applied.
select c.partition, min(c.next_offset)
from infra.checkpoints c
join infra.read_models m on m.name = c.read_model and m.version = c.version and m.active
where c.topic = %(topic)s
group by c.partition

-- name: all_positions
select c.topic, c.partition, min(c.next_offset)
from infra.checkpoints c
join infra.read_models m on m.name = c.read_model and m.version = c.version and m.active
group by c.topic, c.partition

-- name: notify
select pg_notify('darkroom_batch', %(payload)s)
