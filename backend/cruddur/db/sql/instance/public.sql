-- What everyone may know.
SELECT
    instance.name,
    instance.description,
    instance.rules,
    instance.terms_version,
    instance.sign_up_mode,
    instance.default_ttl,
    instance.max_ttl,
    COALESCE(
        (
            SELECT
                json_agg(
                    json_build_object(
                        'uuid', announcements.uuid,
                        'message', announcements.message,
                        'created_at', announcements.created_at,
                        'expires_at', announcements.expires_at
                    )
                    ORDER BY announcements.created_at DESC, announcements.uuid DESC
                )
            FROM announcements
            WHERE announcements.expires_at > now()
        ),
        '[]'
    ) AS announcements
FROM instance
