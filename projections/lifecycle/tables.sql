-- One row an asset: the fold's state after the last record that it accepted, as schemas.lifecycle has it.
create table states (
    asset_id  uuid  primary key,
    state     bytea not null
);
-- Sealed fields don't compress: trying costs more than it saves.
alter table states alter column state set storage external;
