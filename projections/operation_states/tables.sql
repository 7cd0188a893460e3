-- One row a preset set or run: the fold's state after the last record that changed it, as schemas.operation has it.
create table operation_states (
    stream text  primary key,
    state  bytea not null
);
