import { useNavigate } from "react-router";
import type { Profile as Person } from "../api/wire";
import { Avatar } from "../components/Avatar";
import { useActing } from "../components/acting";
import { Button, ButtonLink } from "../components/Button";
import { Feed } from "../components/Feed";
import { Empty, PagedList } from "../components/List";
import { PageHead } from "../components/PageHead";
import { RichText } from "../components/RichText";
import { useProfile } from "../queries/activities";
import { useMember } from "../queries/session";
import { conversationAddress } from "../text/addresses";
import { hasCode } from "../text/errors";
import "./Profile.css";

/** A person and their live cruds. */
export function Profile({ handle }: { handle: string }) {
  const feed = useProfile(handle);
  const profile = feed.data?.pages[0]?.profile;
  if (hasCode(feed.error, "not_found") && profile === undefined) {
    return (
      <>
        <PageHead title={`@${handle}`} back="/" />
        <Empty title="Nobody goes by that name">
          <p>Perhaps they left. People here do.</p>
        </Empty>
      </>
    );
  }
  return (
    <>
      <PageHead title={profile?.display_name ?? `@${handle}`} back="/" />
      <PagedList query={{ ...feed, hasNextPage: false }}>
        {profile && <ProfileHead profile={profile} />}
      </PagedList>
      {profile && (
        <Feed
          query={feed}
          empty={
            <Empty title="Nothing to remember">
              <p>Whatever @{profile.handle} said is gone by now.</p>
            </Empty>
          }
        />
      )}
    </>
  );
}

function ProfileHead({ profile }: { profile: Person }) {
  const member = useMember();
  const acting = useActing();
  const navigate = useNavigate();
  const isOwn = member?.uuid === profile.uuid;
  return (
    <section className="profile" aria-label="Profile">
      <div className="profile-banner" />
      <div className="profile-row">
        <Avatar person={profile} size="large" />
        {isOwn ? (
          <ButtonLink to="/settings" look="outlined">
            Edit profile
          </ButtonLink>
        ) : (
          <Button
            look="outlined"
            icon="mail"
            onClick={() =>
              acting(`to write to @${profile.handle}`, () => {
                void navigate(conversationAddress(profile));
              })
            }
          >
            Message
          </Button>
        )}
      </div>
      <div className="profile-who">
        <p className="profile-name" dir="auto">
          {profile.display_name}
        </p>
        <p className="profile-handle">@{profile.handle}</p>
      </div>
      {profile.bio !== "" && <RichText text={profile.bio} />}
      <p className="profile-count">
        <b>{profile.cruds_count}</b> {profile.cruds_count === 1 ? "crud" : "cruds"} alive
      </p>
    </section>
  );
}
