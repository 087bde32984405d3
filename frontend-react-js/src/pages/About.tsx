import { Link } from "react-router";
import { Prose } from "../components/Prose";

/** What Cruddur is. */
export function About() {
  return (
    <Prose title="About">
      <p>
        Cruddur is a place to say things that do not last. A post is a <b>crud</b>. Whoever writes
        one chooses how long it lives: an hour, a month, or something between. Then it is gone, with
        its replies, its likes and its reposts.
      </p>
      <h2>Gone means gone</h2>
      <p>
        A crud cannot be seen from the instant that its time is up, and within a minute it is
        removed from the database. Nobody can look it up, not even us. The fuse beside a crud shows
        how much of its life is left.
      </p>
      <h2>How it is built</h2>
      <p>
        An async service in Python: Quart on Hypercorn, PostgreSQL, and OpenTelemetry around all of
        it. Everything that this page can do, <a href="/docs">its API</a> can do as well.
      </p>
      <h2>What else there is to read</h2>
      <p>
        The <Link to="/terms">terms of service</Link> and the{" "}
        <Link to="/privacy">privacy policy</Link>. Both are short.
      </p>
    </Prose>
  );
}
