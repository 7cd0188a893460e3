-- Sets of variants of which somebody asked the log whether they may go; their objects go once it said yes.
-- Lost, the objects are found by the audit of the store.
create table api.retired_sets (
    manifest_key text primary key,
    asset_id uuid not null,
    event_id uuid not null,
    partition int,                            -- where the event stands, once it was acknowledged
    "offset" bigint
);
