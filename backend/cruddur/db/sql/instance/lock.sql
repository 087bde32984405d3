-- All settings. The row stays locked until the transaction ends, so that changes follow each other.
SELECT
    instance.name,
    instance.description,
    instance.rules,
    instance.terms_version,
    instance.sign_up_mode,
    instance.default_ttl,
    instance.max_ttl,
    instance.blocked_domains,
    instance.evidence_days
FROM instance
FOR NO KEY UPDATE
