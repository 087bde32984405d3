import { Link } from "react-router";
import { Prose } from "../components/Prose";

/** What is kept of whom, and for how long. */
export function Privacy() {
  return (
    <Prose title="Privacy policy">
      <h2>What is kept</h2>
      <ul>
        <li>
          Your account: handle, name, bio, picture, e-mail address, and a hash of your password.
        </li>
        <li>Your cruds and replies, with what others did to them, until they expire.</li>
        <li>Your messages. Only the two people of a conversation can read them here.</li>
        <li>
          Where you are signed in: the browser’s name, its address on the network, and when it was
          last used. You see the same list in your <Link to="/settings">settings</Link>.
        </li>
      </ul>
      <h2>How long</h2>
      <p>
        Cruds are deleted within a minute of their expiry. All else stays until you delete it, or
        your account. A session that is not used for a month ends.
      </p>
      <h2>What this page stores in your browser</h2>
      <p>
        One cookie that keeps you signed in and that no script can read, a mark that you were signed
        in, and what you are writing until you have sent it. Nothing of it follows you elsewhere.
      </p>
      <h2>Logs and traces</h2>
      <p>
        For each request its time, route and outcome are recorded, so that faults can be found. What
        you write, your passwords and your tokens are never among it.
      </p>
      <h2>Who else sees it</h2>
      <p>Nobody. There are no advertisements, no trackers, and no content from other sites.</p>
    </Prose>
  );
}
