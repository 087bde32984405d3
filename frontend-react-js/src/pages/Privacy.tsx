import { Link } from "react-router";
import { Prose } from "../components/Prose";

/** Which personal data is stored, and for how long. */
export function Privacy() {
  return (
    <Prose title="Privacy policy">
      <h2>What we store</h2>
      <ul>
        <li>
          Your account: handle, name, bio, picture, email address, and a hash of your password.
        </li>
        <li>Your cruds and replies, with their likes and reposts, until they expire.</li>
        <li>Your messages. Only the two people in a conversation can read them here.</li>
        <li>
          Your devices: the browser’s name, its network address, and when it was last used. You can
          see the same list in your <Link to="/settings">settings</Link>.
        </li>
      </ul>
      <h2>For how long</h2>
      <p>
        Cruds are deleted within a minute after they expire. Everything else stays until you delete
        it, or your account. A device that isn’t used for a month is signed out.
      </p>
      <h2>What we store in your browser</h2>
      <p>
        A cookie that keeps you signed in and that scripts can’t read, a note that you were signed
        in, your unsent drafts, and the lifetime you chose last. None of it tracks you on other
        sites.
      </p>
      <h2>Logs and traces</h2>
      <p>
        For each request, we record its time, route and outcome, so that we can find faults. We
        never record what you write, your passwords or your tokens.
      </p>
      <h2>Who else can see it</h2>
      <p>No one. There are no ads, no trackers, and no content from other sites.</p>
    </Prose>
  );
}
