import { useNavigate } from "react-router";
import type { Member } from "../api/wire";
import { useMember } from "../queries/session";
import { useHere } from "./routeState";

/** What a visitor wanted to do before being asked to sign in. */
export interface PendingAction {
  /** The page to return to. */
  readonly from: string;
  /** What to sign in for: a message of `t.signInTo`. */
  readonly why: string;
}

/**
 * Return a function that runs an action for a member, and sends a visitor to sign in first.
 *
 * The sign-in page shows `why`, and leads back to this page.
 */
export function useMemberAction(): (why: string, act: (member: Member) => void) => void {
  const member = useMember();
  const navigate = useNavigate();
  const here = useHere();
  return (why, act) => {
    if (member === null) {
      const state: PendingAction = { from: here, why };
      void navigate("/signin", { state });
    } else {
      act(member);
    }
  };
}
