-- How many cases an account has had, and how many wait for a decision.
SELECT
    count(*) AS cases_count,
    count(*) FILTER (WHERE cases.is_open) AS open_count
FROM cases
WHERE cases.user_uuid = :user_uuid
