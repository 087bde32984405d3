import { t } from "../language";
import { useFollow } from "../queries/follows";
import { useMember } from "../queries/session";
import { Button } from "./Button";
import { useMemberAction } from "./memberAction";

/** Follows a user, or unfollows them. The member has none for themselves. */
export function FollowButton({
  person,
}: {
  person: { readonly handle: string; readonly followed?: boolean };
}) {
  const { handle, followed = false } = person;
  const member = useMember();
  const asMember = useMemberAction();
  const follow = useFollow(handle);
  if (member?.handle === handle) {
    return null;
  }
  return (
    <Button
      look={followed ? "outlined" : "filled"}
      aria-label={followed ? t.profile.followingPerson(handle) : t.profile.followPerson(handle)}
      aria-pressed={followed}
      onClick={() => asMember(t.signInTo.follow(handle), () => follow.mutate(!followed))}
    >
      {followed ? t.profile.following : t.profile.follow}
    </Button>
  );
}
