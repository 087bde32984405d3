import { Link } from "react-router";
import { Prose } from "../components/Prose";

/** What is asked of those who use it. */
export function Terms() {
  return (
    <Prose title="Terms of service">
      <h2>Be decent</h2>
      <p>
        What you write is yours, and so is the responsibility for it. Do not harass anybody, do not
        post what is against the law, and do not pretend to be somebody else. That a crud expires is
        no excuse for what it says.
      </p>
      <h2>What you can count on</h2>
      <p>
        A crud that has expired is not shown to anybody, and is deleted within a minute. It cannot
        be restored, not by you either. Others may have read it, remembered it or photographed their
        screen; that is beyond what software can undo.
      </p>
      <h2>What you cannot count on</h2>
      <p>
        The service comes as it is, without a warranty. It may be unavailable, and whoever runs it
        may remove what breaks these terms, and close the account that posted it.
      </p>
      <h2>Leaving</h2>
      <p>
        You can delete your account at any time, in the <Link to="/settings">settings</Link>. All
        that was yours goes with it.
      </p>
    </Prose>
  );
}
