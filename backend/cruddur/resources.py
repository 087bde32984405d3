"""The resources of a running application: opened when it starts, closed when it stops."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

import httpx

from cruddur import http_client
from cruddur.db.page_changes import PageChanges
from cruddur.db.pool import Database
from cruddur.db.probe import Probe
from cruddur.db.replicas import Reader, replicas
from cruddur.identity.api_tokens import ApiTokenVerifier
from cruddur.identity.authenticator import Authenticator, Describe
from cruddur.identity.cognito import CognitoAccounts
from cruddur.identity.jwks import RemoteKeySet
from cruddur.identity.keys import KeyRing, Sealer, configured_keys
from cruddur.identity.local import LocalAccounts
from cruddur.identity.mail import Mailer
from cruddur.identity.passkeys import Passkeys, RelyingParty
from cruddur.identity.provider import Provider
from cruddur.identity.rotation import load_stored_keys
from cruddur.identity.second_factors import SecondFactors
from cruddur.identity.suspension import SuspensionProofs
from cruddur.identity.tokens import Verifier, cognito_issuer, own_issuer
from cruddur.live.bus import Bus, PostgresBus
from cruddur.live.follower import Follower
from cruddur.live.hub import Hub
from cruddur.picture_stores.opening import open_store
from cruddur.picture_stores.store import PictureStore
from cruddur.public_web.addresses import Internet, Network
from cruddur.public_web.client import PublicWeb
from cruddur.public_web.transport import PublicTransport
from cruddur.services.accounts import Accounts
from cruddur.services.concurrent_calls import ConcurrentCalls
from cruddur.services.crud_pictures import CrudPictures, Limits
from cruddur.services.email_changes import EmailChanges
from cruddur.services.evidence import EvidenceSealer
from cruddur.services.passkeys import PasskeySettings
from cruddur.services.pictures import PictureConverter
from cruddur.services.previews import Previews
from cruddur.services.reports import Reports
from cruddur.services.second_factors import SecondFactorSettings
from cruddur.services.throttling import Throttle
from cruddur.services.trends import TagRanking, tag_ranking
from cruddur.services.uploads import UploadSigner
from cruddur.services.users import SuggestionRanking, suggestion_ranking
from cruddur.settings import Settings
from cruddur.settings.proxies import proxy_for
from cruddur.telemetry.http_calls import MeasuredClient
from cruddur.telemetry.pipeline import Telemetry
from cruddur.version import __version__


@dataclass(frozen=True, slots=True)
class Resources:
    """Everything that a handler may need in addition to its request."""

    settings: Settings
    telemetry: Telemetry
    database: Database
    probe: Probe
    page_changes: PageChanges
    reader: Reader
    tags: TagRanking
    suggestions: SuggestionRanking
    keys: KeyRing
    authenticator: Authenticator
    accounts: Accounts
    second_factors: SecondFactorSettings
    passkeys: PasskeySettings
    email_changes: EmailChanges
    suspensions: SuspensionProofs
    uploads: UploadSigner
    picture_converter: PictureConverter
    crud_pictures: CrudPictures
    reports: Reports
    evidence_sealer: EvidenceSealer
    previews: Previews
    live: Hub


@asynccontextmanager
async def open_resources(
    settings: Settings, telemetry: Telemetry, network: Network | None = None
) -> AsyncIterator[Resources]:
    """Open all resources in order, and close them in reverse order. `telemetry` must be running.

    Args:
        settings: the settings of the application.
        telemetry: records what the resources do.
        network: the way to linked pages; default: the internet.

    Raises:
        DatabaseUnavailableError, DatabaseTooOldError: see `Database.open`.
        SigningKeyError: CRUDDUR_SIGNING_KEY is not a key.
        OperatorError: the directory of pictures cannot be used.
        ValueError: SMTP_URL is not an SMTP URL.
    """
    database = Database(
        settings.connection_url,
        pool_size=settings.pool_size,
        statement_timeout=settings.statement_timeout,
        prepared=settings.prepared_statements,
    )
    probe = Probe(settings.connection_url)
    page_changes = PageChanges(database)
    reader = Reader(
        database,
        page_changes,
        replicas(
            settings.replica_urls,
            pool_size=settings.pool_size,
            statement_timeout=settings.statement_timeout,
            prepared=settings.prepared_statements,
        ),
        telemetry.instruments,
    )
    hub = Hub(
        telemetry.instruments,
        max_streams=settings.streams,
        max_streams_per_address=settings.streams_per_address,
    )
    follower = Follower(
        settings.unpooled_url,
        hub,
        _bus(settings, database),
        telemetry.instruments,
        sends_traces=telemetry.browser is not None,
    )
    mailer = Mailer(settings.smtp_url, settings.mail_from)
    picture_converter = PictureConverter()
    timeout = httpx.Timeout(5.0, connect=2.0)
    limits = httpx.Limits(max_connections=20, max_keepalive_connections=5)
    # Every call goes to Cognito. httpx itself cannot parse networks and ports in NO_PROXY.
    proxy = proxy_for(settings.cognito_url) if settings.cognito_user_pool_id else None
    transport = http_client.BoundedTransport(
        httpx.AsyncHTTPTransport(limits=limits, proxy=proxy), seconds=http_client.CALL_SECONDS
    )
    async with (
        MeasuredClient(timeout=timeout, transport=transport) as http,
        _previews(settings, telemetry, database, picture_converter, network) as previews,
    ):
        telemetry.trace_calls(http)
        telemetry.watch_pool(database)
        if settings.read_urls:
            telemetry.watch_replicas(reader.lags)
        try:
            await database.open()
            keys = await _keys(settings, database)
            async with (
                follower.running(),
                reader.running(),
                open_store(settings, database, telemetry.trace_calls) as store,
            ):
                yield _assemble(
                    settings,
                    telemetry,
                    database,
                    probe,
                    page_changes,
                    reader,
                    keys,
                    mailer,
                    http,
                    hub,
                    picture_converter,
                    store,
                    previews,
                )
        finally:
            picture_converter.close()
            await mailer.close()
            probe.close()
            await database.close()


@asynccontextmanager
async def _previews(
    settings: Settings,
    telemetry: Telemetry,
    database: Database,
    picture_converter: PictureConverter,
    network: Network | None,
) -> AsyncIterator[Previews]:
    urls = (settings.backend_origin, settings.frontend_url)
    own_hosts = {host for url in urls if (host := urlsplit(url).hostname)}
    async with AsyncExitStack() as stack:
        web: PublicWeb | None = None
        if settings.previews == "on":
            network = network or Internet()
            stack.callback(network.close)
            transport = PublicTransport(network, refused_hosts=own_hosts)
            # No variable of the environment applies, such as those of proxies.
            http = MeasuredClient(transport=transport, trust_env=False)
            await stack.enter_async_context(http)
            telemetry.trace_calls(http, is_private=True)
            about = (
                f"link previews; +{settings.backend_url}"
                if settings.backend_url
                else "link previews"
            )
            web = PublicWeb(http, f"Cruddur/{__version__} ({about})")
        previews = Previews(
            database,
            web,
            picture_converter,
            telemetry.instruments,
            own_hosts=own_hosts,
        )
        stack.callback(previews.close)
        yield previews


def _bus(settings: Settings, database: Database) -> Bus:
    if not settings.bus:
        variable = "CRUDDUR_DIRECT_URL" if settings.direct_url else "CONNECTION_URL"
        return PostgresBus(database, settings.unpooled_url, variable)
    # Imported here because its library is an optional dependency.
    from cruddur.live.redis import RedisBus

    return RedisBus(database, settings.bus)


async def _keys(settings: Settings, database: Database) -> KeyRing:
    if settings.signing_key:
        return KeyRing(configured_keys(settings.signing_key))
    return await load_stored_keys(database)


def _assemble(
    settings: Settings,
    telemetry: Telemetry,
    database: Database,
    probe: Probe,
    page_changes: PageChanges,
    reader: Reader,
    keys: KeyRing,
    mailer: Mailer,
    http: httpx.AsyncClient,
    hub: Hub,
    picture_converter: PictureConverter,
    store: PictureStore,
    previews: Previews,
) -> Resources:
    issuers = [own_issuer(keys)]
    describers: dict[str, Describe] = {}
    second_factors = SecondFactors(database, Sealer(partial(keys.secrets, "second factors")))
    passkeys = Passkeys(
        database,
        RelyingParty(settings.passkey_domain, settings.passkey_origins)
        if settings.passkey_domain
        else None,
    )
    local = LocalAccounts(
        database, mailer, partial(keys.secrets, "codes"), second_factors, passkeys
    )
    provider: Provider = local
    if settings.cognito_user_pool_id:
        pool_url = settings.cognito_issuer
        key_set = RemoteKeySet(f"{pool_url}/.well-known/jwks.json", http)
        issuers.append(cognito_issuer(pool_url, settings.cognito_client_id, key_set))
        cognito = CognitoAccounts(settings, database, http)
        describers[pool_url] = cognito.describe
        if settings.provider == "cognito":
            provider = cognito
    suspensions = SuspensionProofs(partial(keys.secrets, "suspension proofs"))
    own_accounts = local if provider is local else None
    throttle = Throttle(
        database,
        partial(keys.secrets, "familiar clients"),
        settings.address_attempts,
        settings.account_attempts,
    )
    concurrent_calls = ConcurrentCalls()
    crud_pictures = CrudPictures(
        database, store, Limits(settings.pictures_per_day, settings.pictures_per_member)
    )
    evidence_sealer = EvidenceSealer(keys, settings.evidence_key)
    reports = Reports(database, crud_pictures, evidence_sealer)
    factor_settings = SecondFactorSettings(
        database, local if provider is local else None, throttle, concurrent_calls
    )
    return Resources(
        settings=settings,
        telemetry=telemetry,
        database=database,
        probe=probe,
        page_changes=page_changes,
        reader=reader,
        tags=tag_ranking(database, settings.ranking_interval),
        suggestions=suggestion_ranking(database, settings.ranking_interval),
        keys=keys,
        authenticator=Authenticator(
            database,
            Verifier(issuers),
            ApiTokenVerifier(database),
            describers,
            suspensions,
            settings.demo_handle,
        ),
        accounts=Accounts(
            database,
            provider,
            passkeys if provider is local else None,
            keys,
            throttle,
            concurrent_calls,
            reports,
        ),
        second_factors=factor_settings,
        passkeys=PasskeySettings(factor_settings),
        email_changes=EmailChanges(database, own_accounts, mailer, throttle, concurrent_calls),
        suspensions=suspensions,
        uploads=UploadSigner(partial(keys.secrets, "avatar uploads")),
        picture_converter=picture_converter,
        crud_pictures=crud_pictures,
        reports=reports,
        evidence_sealer=evidence_sealer,
        previews=previews,
        live=hub,
    )
