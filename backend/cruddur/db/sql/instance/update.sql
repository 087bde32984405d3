UPDATE instance
SET
    name = :name,
    description = :description,
    rules = :rules,
    terms_version = :terms_version,
    sign_up_mode = :sign_up_mode,
    default_ttl = :default_ttl,
    max_ttl = :max_ttl,
    blocked_domains = :blocked_domains,
    evidence_days = :evidence_days
FROM set_config('cruddur.traceparent', :traceparent, true)
