import { Link } from "react-router";
import { Prose } from "../components/Prose";

/** What Cruddur is. */
export function About() {
  return (
    <Prose title="About">
      <p>
        Cruddur is a place for things that don’t have to last. A post is called a <b>crud</b>. Its
        author chooses how long it lives, from an hour to a month. Then it’s gone, together with its
        replies, likes and reposts.
      </p>
      <h2>Gone means gone</h2>
      <p>
        A crud disappears the moment its time is up, and within a minute it’s deleted from the
        database. After that, no one can look it up, not even us. The fuse next to each crud shows
        how much of its life is left.
      </p>
      <h2>How it’s built</h2>
      <p>
        It’s an async service in Python, with Quart on Hypercorn, PostgreSQL, and OpenTelemetry
        throughout. Everything you can do on this page, you can also do with{" "}
        <a href="/docs">its API</a>.
      </p>
      <h2>More to read</h2>
      <p>
        Have a look at the <Link to="/terms">terms of service</Link> and the{" "}
        <Link to="/privacy">privacy policy</Link>. Both are short.
      </p>
    </Prose>
  );
}
