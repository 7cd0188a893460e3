-- name: ensure
-- A checkpoint that is missing stands at 0.
insert into infra.checkpoints (read_model, version, topic, partition, beside)
select m.name, m.version, %(topic)s, p.partition, %(beside)s
from unnest(%(names)s::text[], %(versions)s::int[]) m (name, version)
cross join unnest(%(partitions)s::int[]) p (partition)
on conflict do nothing

-- name: read
select c.partition, min(c.next_offset), max(c.next_offset), min(c.topic_id), max(c.topic_id), bool_or(c.beside <> %(beside)s)
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
select c.partition, c.next_offset, c.copied, c.read_model, c.beside, c.late
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
update infra.checkpoints c set next_offset = 0, topic_id = null, copied = false, late = false, beside = %(beside)s
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
-- What every read model of the topic has applied, of all forms that there are: so far nobody has older rows.
select c.partition, min(c.next_offset)
from infra.checkpoints c
join infra.read_models m on m.name = c.read_model and m.version = c.version
where c.topic = %(topic)s
group by c.partition

-- name: served
-- What every read model has applied in the form that is served.
select c.partition, min(c.next_offset)
from infra.checkpoints c
join infra.read_models m on m.name = c.read_model and m.version = c.version and m.active
where c.topic = %(topic)s
group by c.partition

-- name: own_positions
-- What every read model has applied in these forms.
select c.topic, c.partition, min(c.next_offset)
from infra.checkpoints c
join unnest(%(names)s::text[], %(versions)s::int[]) m (name, version)
    on c.read_model = m.name and c.version = m.version
group by c.topic, c.partition

-- name: readable
-- Whether, where other forms than these are served, these are there and no further behind than so many records.
select coalesce(bool_and(o.name is not null and not exists (
    select from infra.checkpoints s
    left join infra.checkpoints c on c.read_model = m.name and c.version = m.version
        and c.topic = s.topic and c.partition = s.partition
    where s.read_model = served.name and s.version = served.version
      and s.next_offset - coalesce(c.next_offset, 0) > %(near)s
)), true)
from infra.read_models served
join unnest(%(names)s::text[], %(versions)s::int[]) m (name, version)
    on m.name = served.name and m.version <> served.version
left join infra.read_models o on o.name = m.name and o.version = m.version
where served.active

-- name: served_of
-- Which of these read models are served in these forms.
select m.name, r.active
from unnest(%(names)s::text[], %(versions)s::int[]) m (name, version)
join infra.read_models r on r.name = m.name and r.version = m.version

-- name: keep
-- Held to the session's end by whoever keeps these forms up to date.
select pg_advisory_lock_shared(hashtextextended(%(what)s, 0))

-- name: kept
-- Whether anybody else does.
select not pg_try_advisory_xact_lock(hashtextextended(%(what)s, 0))

-- name: notify
select pg_notify('darkroom_batch', %(payload)s)

-- name: being_filled
-- Those of them that somebody fills; of the others nobody begins to before the transaction's end.
select w.partition from unnest(%(partitions)s::int[], %(whats)s::text[]) w (partition, what)
where not pg_try_advisory_xact_lock_shared(hashtextextended(w.what, 0))
