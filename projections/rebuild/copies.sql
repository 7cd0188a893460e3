-- name: begin
insert into infra.copies (name, version, schema_name, state)
values (%(name)s, %(version)s, %(schema)s, 'filling')
on conflict (name) do nothing

-- name: every
select c.name, c.version, c.state,
    array(select p.partition from infra.copied_partitions p where p.name = c.name order by 1),
    (select coalesce(sum(p.records), 0)::bigint from infra.copied_partitions p where p.name = c.name)
from infra.copies c
where c.name = any(%(names)s)
order by c.name

-- name: partition_filled
insert into infra.copied_partitions (name, partition, records) values (%(name)s, %(partition)s, %(records)s)

-- name: follow_partition
update infra.checkpoints set copied = true
where read_model = %(name)s and version = %(version)s and topic = %(topic)s and partition = %(partition)s

-- name: uncopied
-- Partitions of the live read model whose batches its copy does not get.
select partition from infra.checkpoints
where read_model = %(name)s and version = %(version)s and topic = %(topic)s and not copied
order by partition

-- name: state
update infra.copies set state = %(state)s where name = %(name)s

-- name: leave
-- From here on the batches of this read model go to the live one alone.
update infra.checkpoints set copied = false where read_model = %(name)s and topic = %(topic)s

-- name: forget
delete from infra.copies where name = %(name)s

-- name: lock_partition
-- Waits for the batch at work, and keeps the next ones waiting, to the transaction's end.
select c.read_model, c.next_offset, c.copied
from infra.checkpoints c
join unnest(%(names)s::text[], %(versions)s::int[]) m (name, version)
    on c.read_model = m.name and c.version = m.version
where c.topic = %(topic)s and c.partition = any(%(partitions)s)
order by c.topic, c.partition, c.read_model, c.version
for update of c

-- name: set_aside
select "offset", blocking from infra.quarantine
where read_model = %(read_model)s and version = %(version)s and topic = %(topic)s and partition = %(partition)s
order by "offset"

-- name: hold
-- One rebuild of a read model at a time, and of a partition; kept to the transaction's end.
select pg_try_advisory_xact_lock(hashtextextended(%(what)s, 0))

-- name: hold_for_long
-- The same to the end of the session.
select pg_try_advisory_lock(hashtextextended(%(what)s, 0))

-- name: indexes
-- Those of a schema that are no constraint's, without the name of their schema.
select i.relname, pg_get_indexdef(x.indexrelid), x.indisvalid
from pg_index x
join pg_class i on i.oid = x.indexrelid
join pg_namespace n on n.oid = i.relnamespace
where n.nspname = %(schema)s and not x.indisunique
order by 1

-- name: tables
select tablename from pg_catalog.pg_tables where schemaname = %(schema)s order by 1

-- name: columns_of_key
select a.attname
from pg_index x
join pg_attribute a on a.attrelid = x.indrelid and a.attnum = any(x.indkey)
where x.indrelid = %(table)s::regclass and x.indisprimary
order by array_position(x.indkey::int2[], a.attnum)

-- name: discards
-- Records that no fold takes.
select partition, "offset" from infra.discards where topic = %(topic)s and partition = %(partition)s
