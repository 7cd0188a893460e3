-- name: forms
-- Every form of every read model that is folded from the topic: served or not, and how far it has come.
select r.name, r.version, r.schema_name, r.active, coalesce(sum(c.next_offset), 0)::bigint
from infra.read_models r
left join infra.checkpoints c on c.read_model = r.name and c.version = r.version and c.topic = %(topic)s
where r.name = any(%(names)s) or c.read_model is not null
group by r.name, r.version
order by r.name, r.version

-- name: served_and_locked
-- Whoever keeps these up to date waits to the transaction's end.
select c.partition, c.next_offset
from infra.checkpoints c
join infra.read_models r on r.name = c.read_model and r.version = c.version and r.active
where c.topic = %(topic)s
order by c.topic, c.partition, c.read_model, c.version
for update of c

-- name: come_to
-- Where each of these forms stands in each partition; what has no checkpoint yet stands at 0.
select p.partition, coalesce(c.next_offset, 0)
from (select distinct partition from infra.checkpoints where topic = %(topic)s) p
cross join unnest(%(names)s::text[], %(versions)s::int[]) m (name, version)
left join infra.checkpoints c
    on c.topic = %(topic)s and c.partition = p.partition and c.read_model = m.name and c.version = m.version

-- name: unserve
-- Every form of the topic's read models but these.
update infra.read_models r set active = false
where r.active
  and (r.name = any(%(names)s) or exists (
      select from infra.checkpoints c
      where c.read_model = r.name and c.version = r.version and c.topic = %(topic)s
  ))
  and not exists (
      select from unnest(%(names)s::text[], %(versions)s::int[]) m (name, version)
      where m.name = r.name and m.version = r.version
  )

-- name: serve
update infra.read_models r set active = true
from unnest(%(names)s::text[], %(versions)s::int[]) m (name, version)
where m.name = r.name and m.version = r.version and not r.active

-- name: mark
-- In the rows that every batch locks: who folded into what was served finds it out with its next one.
update infra.checkpoints c set beside = not r.active
from infra.read_models r
where r.name = c.read_model and r.version = c.version and c.topic = %(topic)s and c.beside = r.active

-- name: forget_checkpoints
delete from infra.checkpoints where read_model = %(name)s and version = %(version)s and topic = %(topic)s

-- name: forget_aside
delete from infra.quarantine where read_model = %(name)s and version = %(version)s and topic = %(topic)s

-- name: forget_asked
delete from infra.redrives where read_model = %(name)s and version = %(version)s and topic = %(topic)s

-- name: forget_form
delete from infra.read_models where name = %(name)s and version = %(version)s and not active

-- name: fills
-- Waits for the batch at work; the next ones leave the partition alone to the transaction's end.
select pg_advisory_xact_lock(hashtextextended(%(what)s, 0))

-- name: unsettled
-- What keeps this form's rows from being what a replay would give.
select
    coalesce((select bool_or(late) from infra.checkpoints
     where read_model = %(read_model)s and version = %(version)s and topic = %(topic)s), false),
    (select count(*) from infra.redrives
     where read_model = %(read_model)s and version = %(version)s and topic = %(topic)s)

-- name: only_beside
-- Records that this form has set aside and no form that is served.
select count(*) from infra.quarantine q
where q.read_model = %(read_model)s and q.version = %(version)s and q.topic = %(topic)s
  and not exists (
      select from infra.quarantine o
      join infra.read_models r on r.name = o.read_model and r.version = o.version and r.active
      where o.topic = q.topic and o.partition = q.partition and o."offset" = q."offset"
  )

-- name: columns
select table_name, column_name from information_schema.columns
where table_schema = %(schema)s
order by table_name, column_name
