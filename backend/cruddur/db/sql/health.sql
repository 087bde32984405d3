-- name: state
-- What PostgreSQL 14 and newer report at the start of a session.
SELECT
    current_setting('in_hot_standby', true) AS in_hot_standby,
    current_setting('default_transaction_read_only') AS default_transaction_read_only;
