import { Empty, PagedList } from "../components/List";
import { PageHead } from "../components/PageHead";
import { PersonRows } from "../components/PersonRow";
import { Tabs } from "../components/Tabs";
import { TagLinks } from "../components/TagLinks";
import { t } from "../language/further";
import { type Direction, useFollowedTags, useFollows } from "../queries/follows";
import { rowsOf } from "../queries/paging";
import { useMember } from "../queries/session";
import { followsAddress, profileAddress } from "../text/addresses";
import { hasCode } from "../text/errors";

/** The followers of a user, or whom they follow. */
export function People({ handle, direction }: { handle: string; direction: Direction }) {
  const query = useFollows(handle, direction);
  const people = rowsOf(query.data);
  const isOwn = useMember()?.handle === handle.toLowerCase();
  const { data: tags = [] } = useFollowedTags();
  if (hasCode(query.error, "not_found")) {
    return (
      <>
        <PageHead title={`@${handle}`} back="/" />
        <Empty title={t.profile.unknown}>
          <p>{t.profile.unknownHint}</p>
        </Empty>
      </>
    );
  }
  const address = followsAddress({ handle }, direction);
  return (
    <>
      <PageHead title={`@${handle}`} back={profileAddress({ handle })} />
      <Tabs
        label={t.follows.tabs(handle)}
        current={address}
        tabs={[
          [t.follows.followers, followsAddress({ handle }, "followers")],
          [t.follows.following, followsAddress({ handle }, "following")],
        ]}
      />
      {isOwn && direction === "following" && <TagLinks tags={tags} />}
      <PagedList query={query}>
        <PersonRows people={people} />
        {people.length === 0 &&
          (direction === "followers" ? (
            <Empty title={t.follows.noFollowers}>
              <p>{t.follows.noFollowersHint(handle)}</p>
            </Empty>
          ) : (
            <Empty title={t.follows.noneFollowed}>
              <p>{t.follows.noneFollowedHint(handle)}</p>
            </Empty>
          ))}
      </PagedList>
    </>
  );
}
