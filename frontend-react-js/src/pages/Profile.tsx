import { Link, useNavigate } from "react-router";
import type { Profile as Person } from "../api/wire";
import { Avatar } from "../components/Avatar";
import { Button, ButtonLink } from "../components/Button";
import { Feed } from "../components/Feed";
import { Further } from "../components/Further";
import { Empty, PagedList } from "../components/List";
import { useMemberAction } from "../components/memberAction";
import { PageHead } from "../components/PageHead";
import { RichText } from "../components/RichText";
import { t } from "../language";
import { useProfile } from "../queries/activities";
import { useMember } from "../queries/session";
import { conversationAddress, feedAddress, followsAddress } from "../text/addresses";
import { hasCode } from "../text/errors";
import { profileTitle } from "../text/titles";
import "./Profile.css";

/** A user and their live cruds. */
export function Profile({ handle }: { handle: string }) {
  const feed = useProfile(handle);
  const profile = feed.data?.pages[0]?.profile;
  if (hasCode(feed.error, "not_found") && profile === undefined) {
    return (
      <>
        <PageHead title={`@${handle}`} back="/" />
        <Empty title={t.profile.unknown}>
          <p>{t.profile.unknownHint}</p>
        </Empty>
      </>
    );
  }
  return (
    <>
      <PageHead
        title={profile?.display_name ?? `@${handle}`}
        windowTitle={profile === undefined ? `@${handle}` : profileTitle(profile)}
        back="/"
      />
      <PagedList query={{ ...feed, hasNextPage: false }}>
        {profile && <ProfileHead profile={profile} />}
      </PagedList>
      {profile &&
        (profile.muted ? (
          <Further name="MutedNote" handle={handle} />
        ) : (
          <Feed query={feed} empty={<NoCruds profile={profile} />} />
        ))}
    </>
  );
}

function NoCruds({ profile }: { profile: Person }) {
  const isOwn = useMember()?.uuid === profile.uuid;
  return isOwn ? (
    <Empty title={t.profile.noneOfYours}>
      <p>{t.profile.noneOfYoursHint}</p>
    </Empty>
  ) : (
    <Empty title={t.profile.none}>
      <p>{t.profile.noneHint(profile.handle)}</p>
    </Empty>
  );
}

function ProfileHead({ profile }: { profile: Person }) {
  const member = useMember();
  const asMember = useMemberAction();
  const navigate = useNavigate();
  const isOwn = member?.uuid === profile.uuid;
  return (
    <section className="profile" aria-label={t.profile.label}>
      <div className="profile-banner" />
      <div className="profile-row">
        <Avatar person={profile} size="large" />
        {isOwn ? (
          <ButtonLink to="/settings" look="outlined">
            {t.profile.edit}
          </ButtonLink>
        ) : (
          <div className="profile-actions">
            {member && (
              <Further
                name="PersonButton"
                fallback={null}
                person={profile}
                subject={{ kind: "profile", uuid: profile.uuid }}
              />
            )}
            <Button
              look="outlined"
              icon="mail"
              onClick={() =>
                asMember(t.signInTo.message(profile.handle), () => {
                  void navigate(conversationAddress(profile));
                })
              }
            >
              {t.profile.message}
            </Button>
            <Further
              name="FollowButton"
              fallback={<Button busy>{t.profile.follow}</Button>}
              person={profile}
            />
          </div>
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
        <span>
          {t.profile.liveCruds(profile.cruds_count, (words) => (
            <b>{words}</b>
          ))}
        </span>
        <Link to={followsAddress(profile, "followers")}>
          {t.profile.followers(profile.followers_count, (words) => (
            <b>{words}</b>
          ))}
        </Link>
        <Link to={followsAddress(profile, "following")}>
          {t.profile.followed(profile.following_count, (words) => (
            <b>{words}</b>
          ))}
        </Link>
        <a href={feedAddress(profile)} target="_blank" rel="noopener">
          {t.profile.feed}
        </a>
      </p>
    </section>
  );
}
