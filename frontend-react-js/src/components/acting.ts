import { useLocation, useNavigate } from "react-router";
import type { Member } from "../api/wire";
import { useMember } from "../queries/session";

/** Where somebody comes from who is asked to sign in, and what they wanted to do there. */
export interface Errand {
  readonly from: string;
  readonly why: string;
}

/**
 * A visitor who acts is led to sign in, and back afterwards.
 *
 * The returned function does `act` for a member; for a visitor it goes to the sign-in page,
 * which says `why`.
 */
export function useActing(): (why: string, act: (member: Member) => void) => void {
  const member = useMember();
  const navigate = useNavigate();
  const { pathname, search } = useLocation();
  return (why, act) => {
    if (member === null) {
      const errand: Errand = { from: pathname + search, why };
      void navigate("/signin", { state: errand });
    } else {
      act(member);
    }
  };
}
