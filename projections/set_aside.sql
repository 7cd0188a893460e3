-- name: any
-- Whether anything at all is set aside: mostly nothing is, and then no keys have to be sent.
select exists (
    select from infra.quarantine
    where read_model = %(read_model)s and version = %(version)s and topic = %(topic)s
)

-- name: blocked
select distinct partition, key from infra.quarantine
where read_model = %(read_model)s and version = %(version)s and topic = %(topic)s and key = any(%(keys)s)

-- name: keep
insert into infra.quarantine
    (read_model, version, topic, partition, "offset", key, code, error_kind, blocking, first_failed_at)
select %(read_model)s, %(version)s, %(topic)s, q.partition, q."offset", q.key, q.code, q.kind, q.blocking, %(now)s
from unnest(
    %(partitions)s::int[], %(offsets)s::bigint[], %(keys)s::bytea[],
    %(codes)s::text[], %(kinds)s::text[], %(blocking)s::bool[]
) q (partition, "offset", key, code, kind, blocking)

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

-- name: count
select count(*) from infra.quarantine
where read_model = %(read_model)s and version = %(version)s and topic = %(topic)s
