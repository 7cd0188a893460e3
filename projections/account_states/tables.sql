-- One row an account: the fold's state after the last record that changed it, as schemas.account has it.
create table account_states (
    account_key text  primary key,
    state       bytea not null
);
-- Sealed fields don't compress: trying costs more than it saves.
alter table account_states alter column state set storage external;
