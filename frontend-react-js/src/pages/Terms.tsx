import { Link } from "react-router";
import { Prose } from "../components/Prose";

/** The terms of use. */
export function Terms() {
  return (
    <Prose title="Terms of service">
      <h2>Be decent</h2>
      <p>
        What you write is yours, and so is the responsibility for it. Don’t harass anyone, don’t
        post anything illegal, and don’t pretend to be someone else. The fact that a crud expires is
        no excuse for what it says.
      </p>
      <h2>What you can rely on</h2>
      <p>
        An expired crud isn’t shown to anyone, and is deleted within a minute. No one can restore
        it, not even you. Others may have read it, remembered it or taken a screenshot. Software
        can’t undo that.
      </p>
      <h2>What you can’t rely on</h2>
      <p>
        The service comes as it is, without a warranty. It may be unavailable. Its operator may
        remove content that breaks these terms, and close the account that posted it.
      </p>
      <h2>Deleting your account</h2>
      <p>
        You can delete your account at any time in the <Link to="/settings">settings</Link>. All
        your data is deleted with it.
      </p>
    </Prose>
  );
}
