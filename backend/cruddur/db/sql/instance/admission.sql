-- What decides whether an account may be opened, for an address with these domains, and the invitation with
-- a code if it has uses left.
SELECT
    instance.sign_up_mode,
    instance.terms_version,
    instance.blocked_domains && :domains::text[] AS is_blocked,
    (
        SELECT invitations.uuid
        FROM invitations
        WHERE invitations.code = :code
          AND invitations.uses < invitations.max_uses
          AND invitations.expires_at > now()
    ) AS invitation_uuid
FROM instance
