-- The viewer's role, and whether their sign-ins need a second factor. No row unless their session is
-- open.
SELECT
    users.role,
    EXISTS (
        SELECT FROM second_factors
        WHERE second_factors.user_uuid = viewer.uuid
          AND second_factors.confirmed_at IS NOT NULL
    )
    OR EXISTS (
        SELECT FROM passkeys
        WHERE passkeys.user_uuid = viewer.uuid
    ) AS has_second_factor
FROM signed_in(:viewer, :session) AS viewer
JOIN users ON users.uuid = viewer.uuid
