"""The wire types: every request and response body of the API, each declared once.

Decoding, encoding, the OpenAPI document and the database layer all use these types.
Lengths count the Unicode code points of a text in normalization form C, in which texts are stored
(docs/api.md, C24).

A draft is a request body. A body that does not match its declaration gets a 422 with one
code: `<field>_blank` if a field is missing, has the wrong type or is only white space,
`<field>_exceed_max_chars` if it is too long, `<field>_invalid` in all other cases. The
published front ends expect other names for some codes: a draft's `codes` lists those.
"""

import hashlib
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, get_args
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

Ttl = Literal["30-days", "7-days", "3-days", "1-day", "12-hours", "3-hours", "1-hour"]
TTLS: tuple[Ttl, ...] = get_args(Ttl)
NotificationKind = Literal["reply", "like", "repost", "mention", "message", "follow"]
SignInMethod = Literal[
    "password", "password_and_code", "password_and_passkey", "passkey", "sign_up"
]
PasskeyPurpose = Literal["sign_in", "second_factor"]
Scope = Literal["read", "write", "message"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
TokenTtl = Literal["1-day", "7-days", "30-days", "90-days", "365-days"]
Role = Literal["member", "moderator", "admin"]
SignUpMode = Literal["open", "invitation", "closed"]

CRUD_CHARS = 280
REPLY_CHARS = 1024
DISPLAY_NAME_CHARS = 50
TAG_CHARS = 100
TOKEN_NAME_CHARS = 50
PASSKEY_NAME_CHARS = 50
BIO_CHARS = 500
ALT_CHARS = 1000
ANNOUNCEMENT_CHARS = 500
PICTURES_MAX = 4
REASON_CHARS = 1000
DESCRIPTION_CHARS = 500
RULES_CHARS = 5000
BLOCKED_DOMAINS_MAX = 1000
EMAIL_CHARS = 254  # RFC 5321, section 4.5.3.1.3, less the angle brackets
PASSWORD_CHARS = 256  # a limit on the work of hashing
PAGE_DEFAULT = 40
PAGE_MAX = 100

# PostgreSQL cannot store a NUL. Displayed text must hold a visible character: one that is not a
# control character, white space, ignorable by default (Unicode's property, also of characters that
# are not assigned yet) or the empty Braille pattern. The last line has the characters themselves,
# because dialects of regular expressions differ over escapes beyond U+FFFF.
_UNSEEN = (
    r"\x00-\x20\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f"
    r"\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
VISIBLE_PATTERN = rf"^[^\x00]*[^{_UNSEEN}][^\x00]*$"
_VISIBLE = {"pattern": VISIBLE_PATTERN}
_NO_NUL = {"pattern": r"^[^\x00]*$"}
HANDLE_PATTERN = r"^[a-z0-9_]{2,30}$"
# Excludes the characters that could turn a mail header into another address or several.
# White space is listed because dialects of regular expressions differ over `\s`.
_ADDRESS = rf"[^@{_UNSEEN}()<>\[\]\\,;:\x22?]+"
EMAIL_PATTERN = rf"^{_ADDRESS}@{_ADDRESS}\.{_ADDRESS}$"
CODE_PATTERN = r"^[0-9]{6}$"
# 24 bytes in URL-safe base64 (cruddur.services.paging). The first two characters limit the
# position to the years 1970 to 8800; no item of a list is outside.
CURSOR_PATTERN = r"^A[A-Za-v][A-Za-z0-9_-]{30}$"

CrudMessage = Annotated[str, Meta(min_length=1, max_length=CRUD_CHARS, extra_json_schema=_VISIBLE)]
LongMessage = Annotated[str, Meta(min_length=1, max_length=REPLY_CHARS, extra_json_schema=_VISIBLE)]
DisplayName = Annotated[
    str, Meta(min_length=1, max_length=DISPLAY_NAME_CHARS, extra_json_schema=_VISIBLE)
]
Bio = Annotated[str, Meta(max_length=BIO_CHARS, extra_json_schema=_NO_NUL)]
AltText = Annotated[str, Meta(max_length=ALT_CHARS, pattern=r"^[^\x00]*$")]
Email = Annotated[
    str,
    Meta(min_length=3, max_length=EMAIL_CHARS, pattern=EMAIL_PATTERN),
]
Handle = Annotated[str, Meta(min_length=2, max_length=30, pattern=HANDLE_PATTERN)]
# A password is prepared where it is hashed or compared (`cruddur.identity.passwords`).
AS_TYPED = {"as_typed": True}
Password = Annotated[
    str,
    Meta(min_length=1, max_length=PASSWORD_CHARS, extra_json_schema=_NO_NUL, extra=AS_TYPED),
]
NewPassword = Annotated[
    str,
    Meta(min_length=10, max_length=PASSWORD_CHARS, extra_json_schema=_NO_NUL, extra=AS_TYPED),
]
Code = Annotated[str, Meta(min_length=6, max_length=6, pattern=CODE_PATTERN)]
# Six digits of an app, or 16 letters and digits of a recovery code, in groups or not.
SecondFactorCode = Annotated[
    str, Meta(min_length=6, max_length=40, pattern=r"^[0-9A-Za-z -]{6,40}$")
]
# Bytes in URL-safe base64 without padding, as browsers encode them. Attestations are longer.
Base64 = Annotated[str, Meta(min_length=1, max_length=2_000, pattern=r"^[A-Za-z0-9_-]*$")]
LongBase64 = Annotated[str, Meta(min_length=1, max_length=20_000, pattern=r"^[A-Za-z0-9_-]*$")]
Count = Annotated[int, Meta(ge=0)]
TermsVersion = Annotated[int, Meta(ge=0, le=1_000_000_000)]


def entity_tag(body: bytes) -> str:
    """Return the entity tag of an encoded response, without quotes."""
    return hashlib.blake2b(body, digest_size=12).hexdigest()


class Draft(Struct, kw_only=True):
    """A request body or query. The docstring of the module describes the codes.

    `reports_all`: a response has the codes of all fields that break a rule, not only of the first.
    """

    codes: ClassVar[dict[str, str]] = {}
    reports_all: ClassVar[bool] = False


# --- Activities ---------------------------------------------------------------------


class PictureChoice(Struct):
    """A picture that the member has uploaded for a crud, and what it shows, for those who can't see
    it."""

    uuid: UUID
    alt: AltText = ""


PictureChoices = Annotated[list[PictureChoice], Meta(max_length=PICTURES_MAX)]


# Without the defaults, a draft without pictures has the digest that it had before there were any
# (cruddur.services.idempotency).
class CrudDraft(Draft, omit_defaults=True):
    """A new crud. `ttl` is its time to live."""

    codes: ClassVar[dict[str, str]] = {
        "ttl_invalid": "ttl_blank",
        "pictures_blank": "pictures_invalid",
    }

    message: CrudMessage
    ttl: Ttl
    pictures: PictureChoices = []


class ReplyDraft(Draft, omit_defaults=True):
    """A reply. It expires together with the crud that it answers."""

    codes: ClassVar[dict[str, str]] = {
        "message_exceed_max_chars": "message_exceed_max_chars_1024",
        "pictures_blank": "pictures_invalid",
    }

    message: LongMessage
    pictures: PictureChoices = []


class Picture(Struct):
    """A picture of a crud: a JPEG, and a smaller one with the same proportions.

    Both addresses end with the crud. `width` and `height` are those of the larger one, in pixels.
    `alt` says what it shows, and may be empty.
    """

    url: str
    thumbnail_url: str
    alt: str
    width: Annotated[int, Meta(ge=1)]
    height: Annotated[int, Meta(ge=1)]


class UploadedPicture(Struct):
    """A picture that its member can post with a crud until `expires_at`."""

    uuid: UUID
    width: Annotated[int, Meta(ge=1)]
    height: Annotated[int, Meta(ge=1)]
    expires_at: datetime


class Preview(Struct):
    """What the page of a link says about itself.

    `url` is the link as the crud has it, and `site` its host. `description` may be empty.
    `picture_url` is a JPEG that this service serves, or null.
    """

    url: str
    site: str
    title: str
    description: str
    picture_url: str | None


class Crud(Struct, kw_only=True):
    """A crud or reply. `expires_at` is null only in a notification about a message.

    `liked` and `reposted` are present only for a signed-in viewer. `reply_to_handle` is present
    only for a reply: the author of the crud that it replies to. `preview` is that of the first
    link; it is absent until the linked page was fetched, and if it cannot be. `reposted_by` is a
    handle, present only if a profile or a feed shows the crud because that user reposted it, and
    `reposted_by_name` is their display name. `followed_tag` is present only if a feed shows the
    crud because the viewer follows that tag. `replies` has the first replies to a reply on the page
    of a crud, and is empty elsewhere.
    """

    uuid: UUID
    display_name: str
    handle: str
    avatar_url: str | None
    message: str
    created_at: datetime
    expires_at: datetime | None
    replies_count: Count
    reposts_count: Count
    likes_count: Count
    reply_to_activity_uuid: UUID | None
    reply_to_handle: str | UnsetType = UNSET
    preview: Preview | UnsetType = UNSET
    liked: bool | UnsetType = UNSET
    reposted: bool | UnsetType = UNSET
    reposted_by: str | UnsetType = UNSET
    reposted_by_name: str | UnsetType = UNSET
    followed_tag: str | UnsetType = UNSET
    pictures: list[Picture] = []
    replies: "list[Crud]" = []


class CrudPage(Struct):
    """A crud, its live replies, and the cruds that it replies to directly or indirectly.

    Both lists begin with the oldest. `ancestors` has the nearest 100.
    """

    activity: Crud
    replies: list[Crud]
    ancestors: list[Crud] = []


class Notification(Crud, kw_only=True):
    """A notification of what `handle` did, in the shape of a crud.

    `activity_uuid` is the crud or `message_group_uuid` the conversation that it is about; the other
    one is null. Both are null if `handle` followed the user. The status route accepts its uuid, and
    so does the reply route, except for a follow.
    """

    kind: NotificationKind
    activity_uuid: UUID | None
    message_group_uuid: UUID | None


NOTIFICATION_TEXTS = {
    "like": "liked your crud: “{}”",
    "repost": "reposted your crud: “{}”",
    "follow": "followed you",
}
"""The `message` of a notification by its kind, around the text of the crud. The other kinds show
what the user of `handle` wrote."""


class NotificationGroup(Struct):
    """The notifications of one kind about one crud, or the follows of one day (in UTC).

    `activity` is the reply, the mentioning crud, or the crud that was liked or reposted, and null
    for follows. `actors` are the latest 20 users who caused a notification, the newest first;
    `actors_count` counts all. `uuid` and `created_at` are those of the latest notification, and
    `unread` shows whether this request is the first to list it.
    """

    uuid: UUID
    kind: Literal["reply", "like", "repost", "mention", "follow"]
    created_at: datetime
    unread: bool
    actors: "list[ShortUser]"
    actors_count: Count
    activity: Crud | None


class Counts(Struct):
    """The counts of a crud after a reaction, and the reactions of the caller."""

    uuid: UUID
    replies_count: Count
    reposts_count: Count
    likes_count: Count
    liked: bool
    reposted: bool


class Deleted(Struct):
    """The deleted crud. Its replies and reactions are deleted, too."""

    uuid: UUID
    status: Literal["deleted"] = "deleted"


# --- Lists --------------------------------------------------------------------------


class Paging(Draft):
    """A part of a list. `cursor` comes from the `Link` header of the previous response."""

    codes: ClassVar[dict[str, str]] = {
        "limit_blank": "limit_invalid",
        "cursor_blank": "cursor_invalid",
        "cursor_exceed_max_chars": "cursor_invalid",
    }

    limit: Annotated[int, Meta(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT
    cursor: Annotated[str, Meta(pattern=CURSOR_PATTERN)] | None = None


class RepliesPaging(Paging):
    """A part of a list of replies. Its default limit is higher, as replies are read together."""

    limit: Annotated[int, Meta(ge=1, le=PAGE_MAX)] = PAGE_MAX


class NotificationsQuery(Paging):
    """A part of the list of notifications. `feed=mentions` leaves only replies and mentions."""

    codes: ClassVar[dict[str, str]] = {**Paging.codes, "feed_blank": "feed_invalid"}

    feed: Literal["mentions"] | None = None


class Search(Paging, kw_only=True):
    """Words, a #tag or a @handle to look for."""

    codes: ClassVar[dict[str, str]] = {
        **Paging.codes,
        "term_blank": "search_term_blank",
        "term_invalid": "search_term_invalid",
        "term_exceed_max_chars": "search_term_exceed_max_chars",
    }

    term: Annotated[str, Meta(min_length=1, max_length=200, extra_json_schema=_VISIBLE)]


class ProfilePaging(Paging):
    """`shape` overrides the choice by request headers (docs/api.md, C27)."""

    codes: ClassVar[dict[str, str]] = {**Paging.codes, "shape_blank": "shape_invalid"}

    shape: Literal["profile", "list"] | None = None


class Tag(Struct):
    """A #tag and the number of live cruds that contain it."""

    tag: str
    count: Count


class TagPrefix(Draft):
    """The beginning of a tag, without the #."""

    prefix: Annotated[str, Meta(min_length=1, max_length=TAG_CHARS, extra_json_schema=_VISIBLE)]


# --- Users --------------------------------------------------------------------------


class ShortUser(Struct):
    """A user in short form."""

    uuid: UUID
    handle: str
    display_name: str
    avatar_url: str | None


class ListedUser(ShortUser, kw_only=True):
    """A user in a list. `followed` is present only for a signed-in viewer: whether they follow the
    user."""

    followed: bool | UnsetType = UNSET


class FollowCounts(Struct):
    """The counts of a user after a follow, and whether the caller follows them."""

    uuid: UUID
    followers_count: Count
    following_count: Count
    followed: bool


class FollowedTag(Struct):
    """A tag, folded, and whether the caller follows it."""

    tag: str
    followed: bool


class UserPrefix(Draft):
    """The beginning of a handle or of a display name."""

    prefix: Annotated[
        str, Meta(min_length=1, max_length=DISPLAY_NAME_CHARS, extra_json_schema=_VISIBLE)
    ]


class UserSearch(Draft):
    """Words of the names of users."""

    codes: ClassVar[dict[str, str]] = {
        "term_blank": "search_term_blank",
        "term_invalid": "search_term_invalid",
        "term_exceed_max_chars": "search_term_exceed_max_chars",
    }

    term: Annotated[str, Meta(min_length=1, max_length=200, extra_json_schema=_VISIBLE)]


class Profile(Struct):
    """The head of a profile page. `cognito_user_uuid` is the token's subject.

    `followed` and `muted` are present only for a signed-in viewer: whether they follow and mute the
    user.
    """

    uuid: UUID
    cognito_user_uuid: str
    handle: str
    display_name: str
    bio: str
    avatar_url: str | None
    cruds_count: Count
    followers_count: Count
    following_count: Count
    followed: bool | UnsetType = UNSET
    muted: bool | UnsetType = UNSET


class ProfileFeed(Struct):
    """A profile and its live cruds and reposts, newest first."""

    profile: Profile
    activities: list[Crud]


class ProfileDraft(Draft):
    """The fields of a profile that its user can change. A null bio means an empty one."""

    codes: ClassVar[dict[str, str]] = {"bio_blank": "bio_invalid"}

    display_name: DisplayName
    bio: Bio | None = None


class UpdatedProfile(Struct):
    """The profile after the change."""

    uuid: UUID
    cognito_user_uuid: str
    handle: str
    display_name: str
    bio: str
    avatar_url: str | None


class Relation(Struct):
    """A user, and whether the viewer blocks or mutes them."""

    uuid: UUID
    handle: str
    display_name: str
    avatar_url: str | None
    blocked: bool
    muted: bool


class BlockedUser(ShortUser):
    """A user that the viewer blocks since `created_at`."""

    created_at: datetime


class MutedUser(ShortUser):
    """A user that the viewer mutes since `created_at`; until `ends_at`, if it is not null."""

    created_at: datetime
    ends_at: datetime | None


MuteDuration = Literal["1-hour", "1-day", "7-days", "30-days"]


class MuteDraft(Draft):
    """How long a user is muted. Without a duration, the mute does not end by itself."""

    codes: ClassVar[dict[str, str]] = {"duration_blank": "duration_invalid"}

    duration: MuteDuration | None = None


class AvatarDraft(Draft):
    """The extension of the picture's file name, with or without its dot."""

    codes: ClassVar[dict[str, str]] = {
        "extension_blank": "extension_invalid",
        "extension_exceed_max_chars": "extension_invalid",
    }

    extension: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=6,
            pattern=r"^\.?([Jj][Pp][Ee]?[Gg]|[Pp][Nn][Gg]|[Gg][Ii][Ff]|[Ww][Ee][Bb][Pp])$",
        ),
    ]


_FRACTION = r"(0(\.[0-9]{1,6})?|1)"


class AvatarQuery(Draft):
    """The part of the upright picture to show. `square` is `left,top,side`: `left` is a fraction of
    the picture's width, `top` of its height, and `side` of its shorter side. By default it is the
    middle."""

    codes: ClassVar[dict[str, str]] = {
        "square_blank": "square_invalid",
        "square_exceed_max_chars": "square_invalid",
    }

    square: (
        Annotated[
            str,
            Meta(
                max_length=26,
                pattern=f"^{_FRACTION},{_FRACTION},{_FRACTION}$",
                examples=["0.25,0,0.5"],
            ),
        ]
        | None
    ) = None


class AvatarUpload(Struct):
    """The address for the PUT of the picture. It is valid for five minutes."""

    url: str


class Avatar(Struct):
    """The picture's immutable address, or null if there is no picture."""

    avatar_url: str | None


# --- Messages -----------------------------------------------------------------------


class MessageDraft(Draft):
    """A message and its recipient: a conversation by its uuid, or a user by handle.

    The names that both published front ends use for the handle are accepted. If several are
    present, the first one in the order of the fields is used.
    """

    codes: ClassVar[dict[str, str]] = {
        "message_exceed_max_chars": "message_exceed_max_chars_1024",
        "message_group_uuid_invalid": "message_group_uuid_blank",
        "user_receiver_handle_blank": "user_reciever_handle_blank",
        "handle_blank": "user_reciever_handle_blank",
    }

    message: LongMessage
    message_group_uuid: UUID | None = None
    handle: str | None = None
    user_receiver_handle: str | None = None


MessageTtl = Literal["30-days", "7-days", "1-day", "1-hour"]


class MessageContent(Struct, kw_only=True):
    """What a message says, and until when: `expires_at` is null if it does not expire.

    A message of the kind `lifetime` is a line that says that its sender has set the lifetime of the
    next messages to `ttl`, or to none. `message` says so in English. For other messages, `ttl` is
    null.
    """

    message: str
    created_at: datetime
    expires_at: datetime | None
    kind: Literal["text", "lifetime"]
    ttl: MessageTtl | None


class Message(MessageContent, kw_only=True):
    """A message and its sender."""

    uuid: UUID
    display_name: str
    handle: str
    avatar_url: str | None


class SentMessage(Message, kw_only=True):
    """A message that was just sent, with its conversation."""

    message_group_uuid: UUID


class MessageGroup(MessageContent, kw_only=True):
    """A conversation: the other user and the latest message."""

    uuid: UUID
    display_name: str
    handle: str
    avatar_url: str | None
    unread_count: Count


class MessageLifetimeDraft(Draft):
    """The lifetime of the next messages of a conversation."""

    codes: ClassVar[dict[str, str]] = {"ttl_invalid": "ttl_blank"}

    ttl: MessageTtl


class MessageLifetime(Struct):
    """The lifetime of the next messages of a conversation; `ttl` is null if they do not expire."""

    ttl: MessageTtl | None


MessagePolicy = Literal["everyone", "following", "nobody"]


class MessagePolicyDraft(Draft):
    """Who may start a conversation with the member: everyone, the users that the member follows, or
    nobody."""

    codes: ClassVar[dict[str, str]] = {"policy_blank": "policy_invalid"}

    policy: MessagePolicy


class MessageSettings(Struct):
    """Who may start a conversation with the member."""

    policy: MessagePolicy


class RequestChange(Struct):
    """A message request that was accepted or deleted."""

    uuid: UUID
    status: Literal["accepted", "deleted"]


class Counter(Struct):
    """The number of unread items."""

    count: Count


# --- Live ---------------------------------------------------------------------------


class StreamQuery(Draft):
    """The topic of a stream: everything, or one of `feed`, `handle` and `crud`.

    For clients that cannot set headers, `last_event_id` replaces the header `Last-Event-ID`, and
    `ticket` replaces an access token.
    """

    codes: ClassVar[dict[str, str]] = {
        "feed_blank": "feed_invalid",
        "handle_blank": "handle_invalid",
        "crud_blank": "crud_invalid",
        "last_event_id_blank": "last_event_id_invalid",
        "last_event_id_exceed_max_chars": "last_event_id_invalid",
        "ticket_blank": "ticket_invalid",
        "ticket_exceed_max_chars": "ticket_invalid",
    }

    feed: Literal["home", "following"] | None = None
    handle: str | None = None
    crud: UUID | None = None
    last_event_id: Annotated[str, Meta(max_length=2000)] | None = None
    ticket: Annotated[str, Meta(min_length=1, max_length=100)] | None = None


class LiveCounts(Struct):
    """The public counts of a crud."""

    uuid: UUID
    replies_count: Count
    reposts_count: Count
    likes_count: Count


class LivePreview(Struct):
    """The preview of a crud, which it did not have when it was posted."""

    uuid: UUID
    preview: Preview


class Hidden(Struct):
    """A user who was hidden from the viewer by a block or mute, or is shown again."""

    uuid: UUID
    handle: str
    hidden: bool


class MessageRequest(Struct):
    """A conversation in which a stranger has written. It does not notify."""

    message_group_uuid: UUID


class Gone(Struct):
    """A crud that was deleted, or a crud or a message that has expired."""

    uuid: UUID


class FollowChange(Struct):
    """The member has followed or unfollowed this user or, if it is the member, a tag."""

    uuid: UUID


class AccountChange(Struct):
    """Others have changed what `GET /api/auth/me` returns to this user."""

    uuid: UUID


class Reset(Struct):
    """The client has missed too many events and must reload everything."""


class Ticket(Struct):
    """A ticket that opens one stream within half a minute."""

    ticket: str


# --- Accounts -----------------------------------------------------------------------


class AccountDraft(Draft):
    """The fields of an account form, which shows all errors at once."""

    reports_all: ClassVar[bool] = True


# Without the defaults, a draft has the digest that it had before there were invitations
# (cruddur.services.idempotency).
class SignUpDraft(AccountDraft, omit_defaults=True):
    """A new account. A short password and a common password have the same code.

    `invitation` is a code, which is needed if the instance wants one. `terms_version` is the
    version of the terms that the new member accepts, which is needed unless that of the instance
    is 0.
    """

    codes: ClassVar[dict[str, str]] = {
        "email_blank": "email_invalid",
        "email_exceed_max_chars": "email_invalid",
        "handle_blank": "handle_invalid",
        "handle_exceed_max_chars": "handle_invalid",
        "password_blank": "password_too_weak",
        "password_invalid": "password_too_weak",
        "invitation_blank": "invitation_invalid",
        "invitation_exceed_max_chars": "invitation_invalid",
        "terms_version_blank": "terms_not_accepted",
        "terms_version_invalid": "terms_not_accepted",
    }

    email: Email
    password: NewPassword
    handle: Handle
    display_name: DisplayName
    terms_version: TermsVersion | None = None
    invitation: Annotated[str, Meta(max_length=100)] | None = None


class TermsDraft(AccountDraft):
    """The version of the terms that the member accepts."""

    codes: ClassVar[dict[str, str]] = {
        "terms_version_blank": "terms_not_accepted",
        "terms_version_invalid": "terms_not_accepted",
    }

    terms_version: TermsVersion


class EmailDraft(AccountDraft):
    """An address to send a code to."""

    codes: ClassVar[dict[str, str]] = {
        "email_blank": "email_invalid",
        "email_exceed_max_chars": "email_invalid",
    }

    email: Email


class ConfirmDraft(EmailDraft):
    """An address and the code that was sent to it."""

    codes: ClassVar[dict[str, str]] = {
        **EmailDraft.codes,
        "code_blank": "code_invalid",
        "code_exceed_max_chars": "code_invalid",
    }

    code: Code


class ResetDraft(ConfirmDraft):
    """A new password, with the code that was sent as proof."""

    codes: ClassVar[dict[str, str]] = {
        **ConfirmDraft.codes,
        "password_blank": "password_too_weak",
        "password_invalid": "password_too_weak",
    }

    password: NewPassword


class AssertionResponse(Struct, rename="camel"):
    """What an authenticator signed (WebAuthn, AuthenticatorAssertionResponseJSON)."""

    client_data_json: LongBase64 = msgspec.field(name="clientDataJSON")
    authenticator_data: Base64
    signature: LongBase64
    user_handle: Base64 | None = None


class PasskeyAssertion(Struct, rename="camel"):
    """The use of a passkey, as `toJSON()` returns it (WebAuthn, AuthenticationResponseJSON)."""

    id: Base64
    raw_id: Base64
    response: AssertionResponse
    type: Literal["public-key"]


class PasskeyAnswer(Struct):
    """The answer to a challenge, and the attempt that it belongs to."""

    attempt: Base64
    credential: PasskeyAssertion


class SignInDraft(AccountDraft):
    """Credentials; `email` may also be a handle.

    If the account has a second factor, `code` or `passkey` is needed: a code of the app, a recovery
    code, or a passkey's answer to a challenge for `second_factor`.
    """

    codes: ClassVar[dict[str, str]] = {
        "email_invalid": "email_blank",
        "email_exceed_max_chars": "email_blank",
        "password_invalid": "password_blank",
        "password_exceed_max_chars": "password_blank",
        "code_blank": "code_invalid",
        "code_exceed_max_chars": "code_invalid",
        "passkey_blank": "passkey_invalid",
    }

    email: Annotated[str, Meta(min_length=1, max_length=EMAIL_CHARS, extra_json_schema=_VISIBLE)]
    password: Password
    code: SecondFactorCode | None = None
    passkey: PasskeyAnswer | None = None


class PasskeySignInDraft(AccountDraft):
    """A sign-in without a password: a passkey's answer to a challenge for `sign_in`."""

    codes: ClassVar[dict[str, str]] = {"passkey_blank": "passkey_invalid"}

    passkey: PasskeyAnswer


class PasswordDraft(AccountDraft):
    """A new password, with the current one as proof."""

    codes: ClassVar[dict[str, str]] = {
        "current_password_invalid": "current_password_blank",
        "current_password_exceed_max_chars": "current_password_blank",
        "password_blank": "password_too_weak",
        "password_invalid": "password_too_weak",
    }

    current_password: Password
    password: NewPassword


class DeleteAccountDraft(AccountDraft):
    """The password, as confirmation that the account is to be deleted."""

    codes: ClassVar[dict[str, str]] = {
        "password_invalid": "password_blank",
        "password_exceed_max_chars": "password_blank",
    }

    password: Password


class ConfirmationSent(Struct):
    """A code was sent if the address is not in use; the response is the same either way."""

    status: Literal["confirmation_sent"] = "confirmation_sent"


class Confirmed(Struct):
    """The account is confirmed. `session` is missing if it needs a sign-in with the password."""

    status: Literal["confirmed"] = "confirmed"
    session: "SignedIn | UnsetType" = UNSET


class CodeDelivery(Struct):
    """Where codes arrive: by mail, or as lines in the terminal that runs the service."""

    channel: Literal["mail", "terminal"]


class CodeSent(Struct):
    """A code was sent if the account exists; the response is the same either way."""

    status: Literal["code_sent"] = "code_sent"


class EmailChangeDraft(AccountDraft):
    """A new address for the account, with the password as proof.

    If the account has a second factor, `code` or `passkey` is needed, as for a sign-in.
    """

    codes: ClassVar[dict[str, str]] = {
        **EmailDraft.codes,
        "password_invalid": "password_blank",
        "password_exceed_max_chars": "password_blank",
        "code_blank": "code_invalid",
        "code_exceed_max_chars": "code_invalid",
        "passkey_blank": "passkey_invalid",
    }

    email: Email
    password: Password
    code: SecondFactorCode | None = None
    passkey: PasskeyAnswer | None = None


class EmailCodeDraft(AccountDraft):
    """The code that was sent to the new address."""

    codes: ClassVar[dict[str, str]] = {
        "code_blank": "code_invalid",
        "code_exceed_max_chars": "code_invalid",
    }

    code: Code


class EmailStopDraft(AccountDraft):
    """The code that was sent to the old address."""

    codes: ClassVar[dict[str, str]] = {
        "code_blank": "code_invalid",
        "code_exceed_max_chars": "code_invalid",
    }

    code: Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[ -~]+$")]


class EmailAddress(Struct):
    """The address of the account; `pending` is a new one that waits for its code.

    `can_change` is false if another provider has the account, such as Amazon Cognito.
    """

    email: str | None
    pending: str | None
    can_change: bool


class EmailChangeStopped(Struct):
    """The account has its old address, and all its sessions have ended."""

    status: Literal["email_change_stopped"] = "email_change_stopped"


class PasswordChanged(Struct):
    """The new password is valid from now on."""

    status: Literal["password_changed"] = "password_changed"  # not a password


class SignedOut(Struct):
    """The session has ended, or there was none."""

    status: Literal["signed_out"] = "signed_out"


class AccountDeleted(Struct):
    """The user and all of the user's data are deleted."""

    status: Literal["deleted"] = "deleted"


class Member(Struct):
    """The signed-in user, with the fields that only this user can see.

    `unread_notices` counts the decisions of moderators about this user that the user has not seen,
    and `open_cases` the cases that wait for moderators; it is 0 for other users.
    `terms_version` is the version of the terms that the user has accepted last, at
    `terms_accepted_at`; both are null if there is none.
    """

    uuid: UUID
    handle: str
    display_name: str
    email: str | None
    avatar_url: str | None
    role: Role
    unread_notices: Count
    open_cases: Count
    terms_version: Count | None
    terms_accepted_at: datetime | None


class SignedIn(Struct):
    """An access token, its lifetime in seconds, and its user."""

    access_token: str
    expires_in: Count
    user: Member
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  # a token type, not a token


class Session(Struct):
    """A signed-in device. `current` marks the device that sent the request."""

    uuid: UUID
    device: str
    address: str
    method: SignInMethod
    created_at: datetime
    used_at: datetime
    current: bool


# --- Second factor ------------------------------------------------------------------


class SecondFactorPasswordDraft(AccountDraft):
    """The password, as proof before a second factor is set up."""

    codes: ClassVar[dict[str, str]] = {
        "password_invalid": "password_blank",
        "password_exceed_max_chars": "password_blank",
    }

    password: Password


class SecondFactorCodeDraft(AccountDraft):
    """The first code of the app, which turns the second factor on."""

    codes: ClassVar[dict[str, str]] = {
        "code_blank": "code_invalid",
        "code_exceed_max_chars": "code_invalid",
    }

    code: SecondFactorCode


class SecondFactorProofDraft(AccountDraft):
    """The password or a code, as proof before the second factor is turned off."""

    codes: ClassVar[dict[str, str]] = {
        "password_invalid": "password_blank",
        "password_exceed_max_chars": "password_blank",
        "code_blank": "code_invalid",
        "code_exceed_max_chars": "code_invalid",
    }

    password: Password | None = None
    code: SecondFactorCode | None = None


class SecondFactor(Struct):
    """Whether sign-ins need a code. `unavailable`: the member has no local account."""

    status: Literal["off", "on", "unavailable"]
    recovery_codes_left: Count


class SecondFactorSecret(Struct):
    """A new secret for an authenticator app: in base32, and as the URI of its QR code."""

    secret: str
    uri: str


class RecoveryCodes(Struct):
    """Codes that each replace a second factor once. Only this response contains them.

    The list is empty if the member has recovery codes from another second factor.
    """

    recovery_codes: list[str]


# --- Passkeys -----------------------------------------------------------------------


class PasskeySupport(Struct):
    """Whether members can sign in with passkeys here."""

    is_available: bool


class Passkey(Struct):
    """A passkey. `used_at` is null if no sign-in has used it."""

    uuid: UUID
    name: str
    created_at: datetime
    used_at: datetime | None


class PasskeyPurposeDraft(Draft):
    """What the challenge is for: a sign-in without a password, or one after the password."""

    codes: ClassVar[dict[str, str]] = {"purpose_blank": "purpose_invalid"}

    purpose: PasskeyPurpose


class RelyingPartyEntity(Struct):
    """The service that a passkey is for. `id` is its domain."""

    id: str
    name: str


class PasskeyUser(Struct, rename="camel"):
    """The account that a passkey is for."""

    id: str
    name: str
    display_name: str


class PasskeyAlgorithm(Struct):
    """A signature algorithm, by its number in COSE."""

    type: Literal["public-key"]
    alg: int


class PasskeyDescriptor(Struct):
    """A passkey that exists, by the id that its authenticator has chosen."""

    type: Literal["public-key"]
    id: str


class AuthenticatorSelection(Struct, rename="camel"):
    """What an authenticator must be able to do."""

    resident_key: str
    require_resident_key: bool
    user_verification: str


class PasskeyCreationOptions(Struct, rename="camel"):
    """Options for a new passkey (WebAuthn, PublicKeyCredentialCreationOptionsJSON)."""

    rp: RelyingPartyEntity
    user: PasskeyUser
    challenge: str
    pub_key_cred_params: list[PasskeyAlgorithm]
    timeout: Count
    exclude_credentials: list[PasskeyDescriptor]
    authenticator_selection: AuthenticatorSelection
    attestation: str


class PasskeyCreation(Struct):
    """A challenge for a new passkey. `attempt` goes with the answer."""

    attempt: str
    options: PasskeyCreationOptions


class PasskeyRequestOptions(Struct, rename="camel"):
    """Options for the use of a passkey (WebAuthn, PublicKeyCredentialRequestOptionsJSON)."""

    challenge: str
    timeout: Count
    rp_id: str
    user_verification: str


class PasskeyChallenge(Struct):
    """A challenge for a sign-in. `attempt` goes with the answer."""

    attempt: str
    options: PasskeyRequestOptions


class AttestationResponse(Struct, rename="camel"):
    """A new passkey (WebAuthn, AuthenticatorAttestationResponseJSON)."""

    client_data_json: LongBase64 = msgspec.field(name="clientDataJSON")
    attestation_object: LongBase64


class PasskeyRegistration(Struct, rename="camel"):
    """A new passkey, as `toJSON()` returns it (WebAuthn, RegistrationResponseJSON)."""

    id: Base64
    raw_id: Base64
    response: AttestationResponse
    type: Literal["public-key"]


class PasskeyNameDraft(AccountDraft):
    """The name of a passkey."""

    codes: ClassVar[dict[str, str]] = {
        "name_blank": "passkey_name_blank",
        "name_invalid": "passkey_name_blank",
        "name_exceed_max_chars": "passkey_name_exceed_max_chars",
    }

    name: Annotated[
        str, Meta(min_length=1, max_length=PASSKEY_NAME_CHARS, extra_json_schema=_VISIBLE)
    ]


class PasskeyDraft(PasskeyNameDraft):
    """A new passkey: its name, and the authenticator's answer to the challenge of an attempt."""

    codes: ClassVar[dict[str, str]] = {
        **PasskeyNameDraft.codes,
        "attempt_blank": "challenge_invalid",
        "attempt_invalid": "challenge_invalid",
        "attempt_exceed_max_chars": "challenge_invalid",
        "credential_blank": "passkey_invalid",
        "credential_invalid": "passkey_invalid",
    }

    attempt: Base64
    credential: PasskeyRegistration


class NewPasskey(Struct):
    """A passkey that was just added, and recovery codes as in `RecoveryCodes`."""

    passkey: Passkey
    recovery_codes: list[str]


# --- API tokens ---------------------------------------------------------------------


class ApiTokenDraft(AccountDraft):
    """A new API token: its name, what it may do, and its time to live."""

    codes: ClassVar[dict[str, str]] = {
        "name_blank": "token_name_blank",
        "name_invalid": "token_name_blank",
        "name_exceed_max_chars": "token_name_exceed_max_chars",
        "scopes_blank": "scopes_invalid",
        "ttl_invalid": "ttl_blank",
    }

    name: Annotated[
        str, Meta(min_length=1, max_length=TOKEN_NAME_CHARS, extra_json_schema=_VISIBLE)
    ]
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=len(SCOPES))]
    ttl: TokenTtl


class ApiToken(Struct, kw_only=True):
    """An API token, without the token itself.

    `used_at` is exact to the hour, and null if the token was never used.
    """

    uuid: UUID
    name: str
    scopes: list[Scope]
    created_at: datetime
    used_at: datetime | None
    expires_at: datetime


class NewApiToken(ApiToken, kw_only=True):
    """An API token that was just created. Only this response contains the token."""

    token: str


class ApiTokenRevoked(Struct):
    """The token that has ended."""

    uuid: UUID
    status: Literal["revoked"] = "revoked"


# --- Reports and moderation ---------------------------------------------------------

SubjectKind = Literal["crud", "profile", "message"]
ReportCategory = Literal[
    "spam", "harassment", "hate", "violence", "sexual", "self_harm", "illegal", "other"
]
DecisionKind = Literal["dismiss", "warn", "remove_crud", "limit", "suspend", "ban", "lift"]
Reason = Annotated[str, Meta(min_length=1, max_length=REASON_CHARS, extra_json_schema=_VISIBLE)]


class ReportDraft(Draft):
    """A report of a crud or reply, of a user, or of a message that the caller has received."""

    codes: ClassVar[dict[str, str]] = {
        "kind_blank": "kind_invalid",
        "uuid_blank": "uuid_invalid",
        "category_blank": "category_invalid",
        "words_blank": "words_invalid",
    }

    kind: SubjectKind
    uuid: UUID
    category: ReportCategory
    words: Annotated[str, Meta(max_length=REASON_CHARS, extra_json_schema=_NO_NUL)] = ""


class Report(Struct):
    """The caller's report. Reporting the same again returns the same one."""

    uuid: UUID
    status: Literal["reported"] = "reported"


class EvidenceLine(Struct):
    """A crud or message next to one that was reported."""

    uuid: UUID
    handle: str
    display_name: str
    message: str
    created_at: datetime


class EvidencePicture(Struct):
    """A picture of a crud that was reported. `jpeg` is null if its store did not have it."""

    alt: str
    jpeg: bytes | None


class Evidence(Struct, kw_only=True):
    """A copy of a crud, profile or message, of the moment when it was reported.

    `context` has the nearest three cruds that a reply answers, or the three messages around a
    message, the oldest first. `message` and `expires_at` are null for a profile, whose `created_at`
    is that of the account. `was_deleted`: the copy was made when the author deleted the crud.
    """

    kind: SubjectKind
    uuid: UUID
    user_uuid: UUID
    handle: str
    display_name: str
    bio: str
    avatar: bytes | None
    message: str | None
    created_at: datetime
    expires_at: datetime | None
    was_deleted: bool
    pictures: list[EvidencePicture]
    context: list[EvidenceLine]


class StoredEvidence(Struct):
    """Evidence, when it was taken, and when it is deleted unless the case waits for a decision.

    `content` is null if the key that it was sealed with has been removed.
    """

    uuid: UUID
    created_at: datetime
    expires_at: datetime
    content: Evidence | None


class CaseReport(Struct):
    """A report as moderators see it. `words` is null if their key has been removed."""

    uuid: UUID
    handle: str
    display_name: str
    category: str
    words: str | None
    created_at: datetime


class CasesQuery(Paging):
    """A part of the queue."""


class EvidenceQuery(Paging):
    """A part of the evidence of a case. Each copy may have pictures, so few are read together."""

    limit: Annotated[int, Meta(ge=1, le=PAGE_MAX)] = 10


class Case(Struct):
    """The reports of one subject. `user` is null if the account was deleted.

    `categories` are those of the first 100 reports, the oldest first. A case is open until it is
    decided, and again while an appeal waits.
    """

    uuid: UUID
    kind: SubjectKind
    subject_uuid: UUID
    user: ShortUser | None
    categories: list[str]
    opened_at: datetime
    closed_at: datetime | None
    has_appeal: bool
    is_open: bool


class Decision(Struct):
    """What a moderator decided about an account, and the appeal.

    `ends_at` is the end of a limit or suspension; a ban has none. `actor_handle` is null if that
    account was deleted.
    """

    uuid: UUID
    case_uuid: UUID
    actor_handle: str | None
    kind: DecisionKind
    reason: str
    created_at: datetime
    ends_at: datetime | None
    appeal: str | None
    appealed_at: datetime | None
    decision: Literal["upheld", "overturned"] | None
    decision_reason: str | None
    decided_at: datetime | None


class AccountHistory(Struct):
    """An account, and what moderators decided about it, the latest first.

    `suspended_until` is null for a ban.
    """

    user: ShortUser
    role: Role
    joined_at: datetime
    limited_until: datetime | None
    is_suspended: bool
    suspended_until: datetime | None
    cases_count: Count
    open_count: Count
    decisions: list[Decision]


class CasePage(Struct):
    """A case with its first 100 reports, its evidence and the history of its account.

    `can_act` is false if the account has the same role as the caller or a higher one, and if the
    caller has reported the case and someone else can decide.
    """

    case: Case
    reports: list[CaseReport]
    evidence: list[StoredEvidence]
    account: AccountHistory | None
    can_act: bool


class DecisionDraft(Draft):
    """A decision about a case. `reason` is shown to the account; `days` belongs to `limit` and
    `suspend`.

    `again` is true for a further decision about a case that was decided. So two moderators who
    decide at the same time do not both decide without knowing it.
    """

    codes: ClassVar[dict[str, str]] = {
        "kind_blank": "kind_invalid",
        "days_blank": "days_invalid",
        "again_blank": "kind_invalid",
        "again_invalid": "kind_invalid",
    }

    kind: DecisionKind
    reason: Reason
    days: Annotated[int, Meta(ge=1, le=365)] | None = None
    again: bool = False


class AppealDecisionDraft(Draft):
    """The decision about an appeal. `reason` is shown to the account."""

    codes: ClassVar[dict[str, str]] = {"decision_blank": "decision_invalid"}

    decision: Literal["upheld", "overturned"]
    reason: Reason


class Notice(Struct):
    """A decision of a moderator, as the account sees it.

    `appeal` shows whether the account can appeal, and the result of an appeal; `decision_reason`
    explains that. `ends_at` is the end of a limit or suspension; a ban has none.
    """

    uuid: UUID
    kind: Literal["warn", "remove_crud", "limit", "suspend", "ban", "lift"]
    reason: str
    created_at: datetime
    ends_at: datetime | None
    unread: bool
    appeal: Literal["possible", "impossible", "waiting", "upheld", "overturned"]
    decision_reason: str | None


class AppealDraft(Draft):
    """Why the decision is wrong."""

    words: Reason


class Appealed(Struct):
    """The appeal waits for a moderator."""

    status: Literal["appealed"] = "appealed"


class AuditQuery(Paging):
    """A part of the audit log, which begins with the oldest entry."""


class AuditExportQuery(Paging):
    """A part of the audit log in a file, which begins with the oldest entry."""

    limit: Annotated[int, Meta(ge=1, le=10_000)] = 10_000


class AuditEntry(Struct):
    """Who did what, when and why. Without an actor, it was the command line."""

    uuid: UUID
    created_at: datetime
    actor_uuid: UUID | None
    actor_handle: str | None
    action: str
    case_uuid: UUID | None
    user_uuid: UUID | None
    user_handle: str | None
    why: str


class OwnAuditEntry(Struct):
    """What the audit log says about a member: their own act, or a decision about them.

    `why` is its reason, or the new role. `uuid` is that of the entry.
    """

    uuid: UUID
    created_at: datetime
    action: str
    why: str
    is_own_act: bool


# --- Instance -----------------------------------------------------------------------


class Announcement(Struct):
    """What admins announce to everyone, until it expires."""

    uuid: UUID
    message: str
    created_at: datetime
    expires_at: datetime


class AnnouncementDraft(Draft):
    """A new announcement. `ttl` is its time to live."""

    codes: ClassVar[dict[str, str]] = {"ttl_invalid": "ttl_blank"}

    message: Annotated[
        str, Meta(min_length=1, max_length=ANNOUNCEMENT_CHARS, extra_json_schema=_VISIBLE)
    ]
    ttl: Ttl


class PublicSettings(Struct):
    """The settings that everyone may know."""

    name: str
    description: str
    rules: str
    terms_version: Count
    sign_up_mode: SignUpMode
    default_ttl: Ttl
    max_ttl: Ttl


class Instance(PublicSettings):
    """What everyone may know of the instance.

    `default_ttl` is what a form for cruds should offer first, and `max_ttl` the longest lifetime of
    a crud. `terms_version` is the version of the terms that a sign-up has to accept, or 0 while
    none has to. The latest announcement is first.
    """

    announcements: list[Announcement]


class InstanceSettings(PublicSettings):
    """All settings of the instance, as admins see them.

    `blocked_domains` are those of e-mail addresses that cannot sign up, as are their subdomains.
    `evidence_days` is how long reports and their evidence are kept at least.
    """

    blocked_domains: list[str]
    evidence_days: Count


class InstanceDraft(Draft):
    """Changes of the settings; what is absent or null stays as it is.

    With `new_terms`, the version of the terms increases, so that members have to accept them again.
    """

    codes: ClassVar[dict[str, str]] = {
        "description_blank": "description_invalid",
        "rules_blank": "rules_invalid",
        "sign_up_mode_blank": "sign_up_mode_invalid",
        "blocked_domains_blank": "blocked_domains_invalid",
        "default_ttl_blank": "default_ttl_invalid",
        "max_ttl_blank": "max_ttl_invalid",
        "evidence_days_blank": "evidence_days_invalid",
        "new_terms_blank": "new_terms_invalid",
    }

    name: Annotated[DisplayName | None, Meta(extra_json_schema=_VISIBLE)] = None
    description: (
        Annotated[str, Meta(max_length=DESCRIPTION_CHARS, extra_json_schema=_NO_NUL)] | None
    ) = None
    rules: Annotated[str, Meta(max_length=RULES_CHARS, extra_json_schema=_NO_NUL)] | None = None
    new_terms: bool = False
    sign_up_mode: SignUpMode | None = None
    blocked_domains: (
        Annotated[list[Annotated[str, Meta(max_length=253)]], Meta(max_length=BLOCKED_DOMAINS_MAX)]
        | None
    ) = None
    default_ttl: Ttl | None = None
    max_ttl: Ttl | None = None
    evidence_days: Annotated[int, Meta(ge=1, le=365)] | None = None


class InvitationDraft(Draft):
    """A new invitation: how many accounts it opens, and in how many days it expires."""

    codes: ClassVar[dict[str, str]] = {
        "max_uses_blank": "max_uses_invalid",
        "days_blank": "days_invalid",
    }

    max_uses: Annotated[int, Meta(ge=1, le=1000)] = 1
    days: Annotated[int, Meta(ge=1, le=365)] = 7


class Invitation(Struct):
    """A code for a sign-up. It has opened `uses` of `max_uses` accounts, and works until
    `expires_at`."""

    uuid: UUID
    code: str
    max_uses: Count
    uses: Count
    created_at: datetime
    expires_at: datetime


# --- Health -------------------------------------------------------------------------


class Health(Struct):
    """The process responds. `ver` is the version of the API."""

    success: bool = True
    ver: int = 1


class ReplicaHealth(Struct):
    """A replica of the database: its number in CRUDDUR_READ_URLS, from 1; whether it serves reads
    (`fresh`) or why it does not; and what it has not replayed of the primary's log."""

    number: int
    state: Literal["fresh", "behind", "clock", "unverified", "busy", "unavailable"]
    lag_bytes: int | None


class Ready(Struct):
    """The process and its database respond. With replicas, their state as this process knows it."""

    success: bool = True
    database: Literal["ok"] = "ok"
    replicas: list[ReplicaHealth] | UnsetType = UNSET


class SinkHealth(Struct):
    """One sink of the telemetry: items since the process started, times in UTC."""

    sink: str
    queued: int
    capacity: int
    sent: int
    failed: int
    dropped: int
    delivering_since: datetime | None
    last_sent: datetime | None
    last_failed: datetime | None
    last_error: str | None


class TelemetryHealth(Struct):
    """The sinks of one process, and the fraction of the traces that it keeps."""

    pid: int
    sample_ratio: float
    sinks: list[SinkHealth]


# --- Telemetry of pages -------------------------------------------------------------

# The subset of OTLP/JSON (opentelemetry-proto 1.x) that a page sends. Other fields are ignored:
# `resource` and `scope` among them, because the service sets both.

Nanoseconds = Annotated[str, Meta(pattern="^[0-9]{1,19}$")] | Annotated[int, Meta(ge=0)]


class OtlpValue(Struct, rename="camel"):
    """The value of an attribute; exactly one field is set."""

    string_value: str | None = None
    int_value: int | str | None = None
    double_value: float | None = None
    bool_value: bool | None = None


class OtlpAttribute(Struct):
    """An attribute."""

    key: str
    value: OtlpValue


class OtlpEvent(Struct, rename="camel"):
    """A moment in a span."""

    time_unix_nano: Nanoseconds
    name: str


class OtlpLink(Struct, rename="camel"):
    """A link to another span."""

    trace_id: str
    span_id: str


class OtlpStatus(Struct):
    """The status of a span: 0 is unset, 1 is ok, 2 is an error."""

    code: int = 0


class OtlpSpan(Struct, rename="camel"):
    """A span. `kind` is 1 for work in the page, and 3 for an HTTP call."""

    trace_id: str
    span_id: str
    name: str
    kind: int
    start_time_unix_nano: Nanoseconds
    end_time_unix_nano: Nanoseconds
    parent_span_id: str = ""
    attributes: list[OtlpAttribute] = []
    events: list[OtlpEvent] = []
    links: list[OtlpLink] = []
    status: OtlpStatus = msgspec.field(default_factory=OtlpStatus)


class OtlpLogRecord(Struct, rename="camel"):
    """A log record: a web vital or an exception, by its `eventName`."""

    time_unix_nano: Nanoseconds
    event_name: str
    trace_id: str = ""
    span_id: str = ""
    attributes: list[OtlpAttribute] = []


class OtlpScopeSpans(Struct):
    """Spans of one instrumentation."""

    spans: list[OtlpSpan] = []


class OtlpResourceSpans(Struct, rename="camel"):
    """Spans of one page."""

    scope_spans: list[OtlpScopeSpans] = []


class OtlpScopeLogs(Struct, rename="camel"):
    """Log records of one instrumentation."""

    log_records: list[OtlpLogRecord] = []


class OtlpResourceLogs(Struct, rename="camel"):
    """Log records of one page."""

    scope_logs: list[OtlpScopeLogs] = []


class BrowserTelemetry(Draft, rename="camel"):
    """The spans and log records of a page: two OTLP requests in one."""

    codes: ClassVar[dict[str, str]] = {
        f"{field}_{fault}": "telemetry_invalid"
        for field in ("resourceSpans", "resourceLogs")
        for fault in ("blank", "invalid")
    }

    resource_spans: list[OtlpResourceSpans] = []
    resource_logs: list[OtlpResourceLogs] = []


class RejectedTelemetry(Struct, rename="camel"):
    """The number of items that were invalid."""

    rejected_spans: Count = 0
    rejected_log_records: Count = 0


class TelemetryReceipt(Struct, rename="camel"):
    """The valid items were accepted."""

    partial_success: RejectedTelemetry


JsonWebKeySet = dict[str, list[dict[str, Any]]]
"""RFC 7517; the keys that verify our access tokens."""
