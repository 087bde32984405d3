DELETE FROM signing_keys
WHERE EXISTS (
    SELECT FROM signing_keys AS successors
    WHERE
        successors.created_at > signing_keys.created_at
        AND successors.created_at <= now() - :lifetime::interval
)
