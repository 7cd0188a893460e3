-- name: lock
-- Held to the end of the transaction: one installer at a time.
select pg_advisory_xact_lock(%(key)s), set_config('client_min_messages', 'warning', true)

-- name: installed
select 1 from infra.read_models where name = %(name)s and version = %(version)s

-- name: register
insert into infra.read_models (name, version, schema_name, active)
values (%(name)s, %(version)s, %(schema)s, %(active)s)

-- name: activate
-- Once it is the only one.
update infra.read_models set active = true where name = %(name)s and version = %(version)s

-- name: forget_checkpoints
delete from infra.checkpoints where read_model = %(name)s and version <> %(version)s

-- name: forget
-- The other versions, and the schemas that are theirs.
delete from infra.read_models where name = %(name)s and version <> %(version)s
returning schema_name

-- name: forget_copy
-- The copy that a rebuild made, and its schema.
delete from infra.copies where name = %(name)s returning schema_name

-- name: versions
select name, version, active from infra.read_models order by name, version

-- name: served_tables
-- Each table of a form that is served, and the schema that its view shows now (null: no view yet).
select t.schemaname, t.tablename, shown.table_schema
from infra.read_models m
join pg_catalog.pg_tables t on t.schemaname = m.schema_name
left join information_schema.view_table_usage shown
    on shown.view_schema = %(views)s and shown.view_name = t.tablename
where m.active
order by t.schemaname, t.tablename

-- name: own_tables
-- The same of these forms, served or not.
select t.schemaname, t.tablename, shown.table_schema
from infra.read_models m
join unnest(%(names)s::text[], %(versions)s::int[]) o (name, version)
    on o.name = m.name and o.version = m.version
join pg_catalog.pg_tables t on t.schemaname = m.schema_name
left join information_schema.view_table_usage shown
    on shown.view_schema = %(views)s and shown.view_name = t.tablename
order by t.schemaname, t.tablename

-- name: views_of_others
-- Schemas of views that other releases read: those in which nothing is left, and all of them once every form that
-- there is is one of these. Then whoever reads them lacks forms of its own, and makes them and its views anew.
select n.nspname from pg_namespace n
where n.nspname like 'reads\_%%' and n.nspname <> %(views)s
  and (
      not exists (select from pg_class v where v.relnamespace = n.oid)
      or not exists (
          select from infra.read_models r
          where not exists (
              select from unnest(%(names)s::text[], %(versions)s::int[]) m (name, version)
              where m.name = r.name and m.version = r.version
          )
      )
  )
