-- The user that a statement acts for: one row while the session is open, otherwise no row. A token
-- of another issuer, and the demo identity, name no session: then the user only has to exist.
--
-- PostgreSQL inlines the function, so the plan is that of the query written out. It does so only
-- for a function that is STABLE, without STRICT, SET and SECURITY DEFINER.
CREATE FUNCTION signed_in(viewer uuid, session uuid)
RETURNS TABLE (
    uuid uuid,
    handle text,
    display_name text,
    avatar_url text,
    email text,
    notifications_read_at timestamptz
)
LANGUAGE sql STABLE ROWS 1
BEGIN ATOMIC
    SELECT
        users.uuid,
        users.handle,
        users.display_name,
        users.avatar_url,
        users.email,
        users.notifications_read_at
    FROM users
    WHERE users.uuid = signed_in.viewer
      AND (
          signed_in.session IS NULL
          OR EXISTS (
              SELECT FROM sessions
              WHERE sessions.uuid = signed_in.session
                AND sessions.user_uuid = users.uuid
                AND sessions.expires_at > now()
          )
      );
END;
