import { t } from "../language/further";
import { NewCruds } from "../pages/Home";
import { FOLLOWING_FEED, useFollowing } from "../queries/activities";
import { useFollowedTags, useFollowingStream } from "../queries/follows";
import { useSuggested } from "../queries/users";
import { Feed } from "./Feed";
import { Empty } from "./List";
import { PersonRows } from "./PersonRow";
import { TagLinks } from "./TagLinks";

/** What the member follows, the newest first. */
export function FollowingFeed() {
  const feed = useFollowing();
  useFollowingStream();
  return (
    <>
      <NewCruds source={FOLLOWING_FEED} feed={feed.data} />
      <Feed query={feed} empty={<NothingFollowed />} />
    </>
  );
}

function NothingFollowed() {
  const { data: people = [] } = useSuggested();
  const { data: tags = [] } = useFollowedTags();
  return (
    <>
      <Empty title={t.follows.empty}>
        <p>{t.follows.emptyHint}</p>
      </Empty>
      {people.length > 0 && (
        <section aria-labelledby="who-to-follow">
          <h2 id="who-to-follow" className="people-title">
            {t.follows.suggested}
          </h2>
          <PersonRows people={people} />
        </section>
      )}
      <TagLinks tags={tags} />
    </>
  );
}
