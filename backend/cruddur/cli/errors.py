"""The errors that a command reports in one line, without a stack trace."""

from cruddur.db.embedded import EmbeddedPostgresError
from cruddur.db.migrate import MigrationError
from cruddur.db.pool import DatabaseTooOldError, DatabaseUnavailableError
from cruddur.identity.keys import SigningKeyError
from cruddur.identity.provisioning import LinkError
from cruddur.process.server import AddressInUseError
from cruddur.settings import SettingsError

EXPECTED = (
    AddressInUseError,
    DatabaseTooOldError,
    DatabaseUnavailableError,
    EmbeddedPostgresError,
    LinkError,
    MigrationError,
    SettingsError,
    SigningKeyError,
)
"""Errors of the environment, which the operator can fix."""
