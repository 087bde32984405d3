"""Problems to find with telemetry, planted in a development service: `make run SCENARIO=<name>`.

docs/scenarios.md is the exercise sheet. Each module with a scenario plants one problem from outside
of the service: with rows and schema changes in a database of its own, with settings, with slow
systems on loopback, and through the extension points of Quart. The service has no code for it.
"""

NAMES = (
    "missing-logs",
    "one-complaint",
    "rush-hour",
    "server-errors",
    "since-the-release",
    "slow-avatars",
    "slow-conversations",
    "slow-search",
    "slow-sign-in",
    "stuck-likes",
)
"""The scenarios are named after what users notice, because the cause is the answer."""
