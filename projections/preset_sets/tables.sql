-- One row a preset set. The active one is that which was activated last, by the log's order.
create table preset_sets (
    preset_set       text        primary key,
    presets          jsonb       not null,   -- [{name, width, height, fit, formats, quality}]
    defined_at       timestamptz not null,
    activated_at     timestamptz,            -- the last time; null: never
    activated_offset bigint                  -- where the log says so; it has one partition
);
create index preset_sets_by_activation on preset_sets (activated_offset desc);
