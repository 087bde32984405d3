"""A simple model of what each user sees, with follows, blocks, mutes and limited accounts."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ModelCrud:
    """A crud or reply. `order` is its place among all changes."""

    uuid: str
    author: str
    parent: str | None
    order: int


@dataclass(frozen=True)
class Note:
    """A notification of `recipient` that `actor` did `kind`, about a crud."""

    recipient: str
    actor: str
    kind: str
    crud: str
    order: int


@dataclass
class Model:
    """The state of the service, as sets. Users are their handles."""

    blocks: set[tuple[str, str]] = field(default_factory=set)
    mutes: set[tuple[str, str]] = field(default_factory=set)
    follows: set[tuple[str, str]] = field(default_factory=set)
    limited: set[str] = field(default_factory=set)
    cruds: dict[str, ModelCrud] = field(default_factory=dict)
    likes: set[tuple[str, str]] = field(default_factory=set)
    reposts: dict[tuple[str, str], int] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    clock: int = 0

    def tick(self) -> int:
        """Return the place of the next change."""
        self.clock += 1
        return self.clock

    def is_blocked(self, viewer: str, other: str) -> bool:
        """Whether one of two users blocks the other."""
        return bool({(viewer, other), (other, viewer)} & self.blocks)

    def hides(self, viewer: str, author: str) -> bool:
        """Whether an author is hidden from a viewer."""
        return self.is_blocked(viewer, author) or (viewer, author) in self.mutes

    def lists(self, viewer: str, author: str) -> bool:
        """Whether feeds of all users show the cruds of an author to a viewer."""
        is_known = viewer == author or (viewer, author) in self.follows
        return not self.hides(viewer, author) and (is_known or author not in self.limited)

    def sees(self, viewer: str, uuid: str) -> bool:
        """Whether a crud exists for a viewer."""
        return uuid in self.cruds and not self.hides(viewer, self.cruds[uuid].author)

    # --- Changes ---------------------------------------------------------------------

    def block(self, viewer: str, other: str) -> bool:
        """Block a user; return whether that changes anything."""
        is_new = (viewer, other) not in self.blocks
        self.blocks.add((viewer, other))
        for follower, followee in ((viewer, other), (other, viewer)):
            self.unfollow(follower, followee)
        return is_new

    def follow(self, follower: str, followee: str) -> None:
        """Follow a user."""
        if (follower, followee) not in self.follows:
            self.follows.add((follower, followee))
            self.notes.append(Note(followee, follower, "follow", "", self.tick()))

    def unfollow(self, follower: str, followee: str) -> None:
        """End a follow, with its notification."""
        self.follows.discard((follower, followee))
        self.notes = [
            note
            for note in self.notes
            if (note.recipient, note.actor, note.kind) != (followee, follower, "follow")
        ]

    def post(self, uuid: str, author: str, parent: str | None, mentioned: str | None) -> None:
        """Add a crud, or a reply that its author may write."""
        order = self.tick()
        self.cruds[uuid] = ModelCrud(uuid, author, parent, order)
        notified = None
        if parent is not None and self.cruds[parent].author != author:
            notified = self.cruds[parent].author
            self.notes.append(Note(notified, author, "reply", uuid, order))
        if (
            mentioned is not None
            and mentioned not in {author, notified}
            and not self.is_blocked(author, mentioned)
        ):
            self.notes.append(Note(mentioned, author, "mention", uuid, order))

    def react(self, kind: str, actor: str, uuid: str) -> bool:
        """Like or repost a crud; return whether that changes anything."""
        order = self.tick()
        if kind == "like":
            if (actor, uuid) in self.likes:
                return False
            self.likes.add((actor, uuid))
        else:
            if (actor, uuid) in self.reposts:
                return False
            self.reposts[actor, uuid] = order
        author = self.cruds[uuid].author
        if author != actor:
            self.notes.append(Note(author, actor, kind, uuid, order))
        return True

    def delete(self, uuid: str) -> None:
        """Delete a crud with everything attached to it."""
        gone = {uuid}
        while more := {one.uuid for one in self.cruds.values() if one.parent in gone} - gone:
            gone |= more
        for one in gone:
            del self.cruds[one]
        self.likes = {(user, crud) for user, crud in self.likes if crud not in gone}
        self.reposts = {key: at for key, at in self.reposts.items() if key[1] not in gone}
        self.notes = [note for note in self.notes if note.crud not in gone]

    # --- What a viewer sees ----------------------------------------------------------

    def home(self, viewer: str) -> list[str]:
        """Return the cruds on home."""
        return [uuid for uuid in self.search(viewer) if self.cruds[uuid].parent is None]

    def following(self, viewer: str) -> list[str]:
        """Return the feed of what a user follows."""
        followed = {followee for follower, followee in self.follows if follower == viewer}
        listed = {
            one.uuid: one.order
            for one in self.cruds.values()
            if one.parent is None and one.author in followed
        }
        for (user, uuid), order in sorted(self.reposts.items(), key=lambda item: item[1]):
            is_listed = uuid in listed or self.cruds[uuid].author == user
            if user in followed and not self.hides(viewer, user) and not is_listed:
                listed[uuid] = order
        return self._newest(listed, viewer)

    def search(self, viewer: str) -> list[str]:
        """Return all cruds and replies."""
        listed = self._newest({one.uuid: one.order for one in self.cruds.values()}, viewer)
        return [uuid for uuid in listed if self.lists(viewer, self.cruds[uuid].author)]

    def profile(self, viewer: str, person: str) -> list[str] | None:
        """Return the feed of a profile, None if it is not found."""
        if self.is_blocked(viewer, person):
            return None
        if self.hides(viewer, person):
            return []
        listed = {
            one.uuid: one.order
            for one in self.cruds.values()
            if one.author == person and one.parent is None
        }
        reposted = {
            uuid: order
            for (user, uuid), order in self.reposts.items()
            if user == person and self.cruds[uuid].author != person
        }
        return self._newest(listed | reposted, viewer)

    def thread(self, viewer: str, uuid: str) -> dict[str, list] | None:
        """Return the ancestors of a crud, and the replies to it with theirs; None if not found."""
        if not self.sees(viewer, uuid):
            return None
        ancestors: list[str] = []
        parent = self.cruds[uuid].parent
        while parent is not None and self.sees(viewer, parent):
            ancestors.insert(0, parent)
            parent = self.cruds[parent].parent
        replies = [
            (reply, [nested for nested in self._replies(reply)[:3] if self.sees(viewer, nested)])
            for reply in self._replies(uuid)
            if self.sees(viewer, reply)
        ]
        return {"ancestors": ancestors, "replies": replies}

    def notifications(self, viewer: str) -> list[tuple[str, str, list[str]]]:
        """Return the groups of notifications: kind, crud and actors, the latest first.

        All follows are one group, whose crud is empty.
        """
        groups: dict[tuple[str, str], list[Note]] = {}
        for note in self.notes:
            if note.recipient == viewer and not self.hides(viewer, note.actor):
                groups.setdefault((note.kind, note.crud), []).append(note)
        latest = sorted(groups.items(), key=lambda item: -max(note.order for note in item[1]))
        return [
            (kind, crud, [note.actor for note in sorted(notes, key=lambda note: -note.order)])
            for (kind, crud), notes in latest
        ]

    def names_parent(self, viewer: str, uuid: str, *, is_public_feed: bool) -> bool:
        """Whether a reply names the author of the crud that it replies to."""
        parent = self.cruds[uuid].parent
        if parent is None:
            return False
        author = self.cruds[parent].author
        return self.lists(viewer, author) if is_public_feed else not self.hides(viewer, author)

    def _replies(self, uuid: str) -> list[str]:
        replies = [one for one in self.cruds.values() if one.parent == uuid]
        return [one.uuid for one in sorted(replies, key=lambda one: one.order)]

    def _newest(self, orders: dict[str, int], viewer: str) -> list[str]:
        newest = sorted(orders, key=lambda uuid: -orders[uuid])
        return [uuid for uuid in newest if self.sees(viewer, uuid)]
