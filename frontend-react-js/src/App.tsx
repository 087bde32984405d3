import { QueryClientProvider, useQueryClient } from "@tanstack/react-query";
import {
  type ComponentType,
  StrictMode,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import {
  BrowserRouter,
  Outlet,
  Route,
  Routes,
  useLocation,
  useNavigationType,
  useParams,
} from "react-router";
import { Boundary } from "./components/Boundary";
import { Further } from "./components/Further";
import { Layout } from "./components/Layout";
import { Notices } from "./components/Notices";
import { removeServedHead } from "./components/PageHead";
import { getLanguage, onLanguage } from "./language";
import { CrudPage } from "./pages/CrudPage";
import { Home } from "./pages/Home";
import { NotFound } from "./pages/NotFound";
import { Profile } from "./pages/Profile";
import { useRestore } from "./queries/accounts";
import { createClient, followSession, refresh } from "./queries/client";
import { followLive } from "./queries/live";
import { useSession } from "./queries/session";
import { observe } from "./telemetry/trace";

/** The routes. The backend has the same list (`routes/pages.py`). */
export function Pages() {
  return (
    <Routes>
      <Route element={<Layout />}>
        <Route path="/" element={<Home />} />
        <Route path="/search" element={<Further name="Search" />} />
        <Route path="/notifications" element={<Further name="Notifications" />} />
        <Route path="/messages" element={<Further name="Messages" />} />
        <Route path="/messages/:at" element={<At page={Conversation} />} />
        <Route path="/moderation" element={<Further name="Moderation" />} />
        <Route path="/notices" element={<Further name="Notices" />} />
        <Route path="/instance" element={<Further name="Instance" />} />
        <Route path="/settings" element={<Further name="Settings" />} />
        <Route path="/about" element={<Further name="About" />} />
        <Route path="/terms" element={<Further name="Terms" />} />
        <Route path="/privacy" element={<Further name="Privacy" />} />
        <Route path="/:at" element={<At page={Profile} />} />
        <Route path="/:at/followers" element={<At page={Followers} />} />
        <Route path="/:at/following" element={<At page={Followed} />} />
        <Route path="/:at/status/:uuid" element={<At page={CrudPage} />} />
        <Route path="*" element={<NotFound />} />
      </Route>
      <Route element={<Bare />}>
        <Route path="/signup" element={<Further name="SignUp" />} />
        <Route path="/confirm" element={<Further name="Confirm" />} />
        <Route path="/signin" element={<Further name="SignIn" />} />
        <Route path="/forgot" element={<Further name="Forgot" />} />
        <Route path="/reset" element={<Further name="Reset" />} />
      </Route>
    </Routes>
  );
}

/** The place of the pages that have a layout of their own. */
function Bare() {
  const { key } = useLocation();
  return (
    <Boundary key={key}>
      <Outlet />
    </Boundary>
  );
}

const Conversation = ({ handle }: { handle: string }) => (
  <Further name="Conversation" handle={handle} />
);

const Followers = ({ handle }: { handle: string }) => (
  <Further name="People" handle={handle} direction="followers" />
);

const Followed = ({ handle }: { handle: string }) => (
  <Further name="People" handle={handle} direction="following" />
);

/** A page about a user: its path has an @ before the handle. */
function At({ page: Page }: { page: ComponentType<{ handle: string }> }) {
  const { at = "" } = useParams();
  return /^@./.test(at) ? <Page handle={at.slice(1)} /> : <NotFound />;
}

/** The page with its providers. */
export function App() {
  const [client] = useState(createClient);
  const language = useSyncExternalStore(onLanguage, getLanguage); // another one renders all again
  useEffect(() => followSession(client), [client]);
  useLayoutEffect(() => followLive(client), [client]); // before the first request
  return (
    <StrictMode>
      <QueryClientProvider client={client}>
        {/* Render a new page at once: the next key that is pressed is meant for it. */}
        <BrowserRouter useTransitions={false}>
          <Restore />
          <Navigation />
          <Pages key={language} />
          <Notices key={`${language} notices`} />
        </BrowserRouter>
      </QueryClientProvider>
    </StrictMode>
  );
}

/** Restore the session at the start, and whenever another tab changes it. */
function Restore() {
  useRestore(useSession().phase === "restoring");
  return null;
}

/**
 * Scroll to the top and move the focus to the new page, except when going back. A link to the
 * current page fetches its data again.
 */
function Navigation() {
  const { key, pathname, search } = useLocation();
  const kind = useNavigationType();
  const client = useQueryClient();
  const address = pathname + search;
  const last = useRef(address);
  // biome-ignore lint/correctness/useExhaustiveDependencies: every navigation has its own key.
  useEffect(() => {
    const isSame = last.current === address;
    last.current = address;
    if (!isSame) {
      removeServedHead();
    }
    observe((to) => to.showPage());
    if (kind === "POP") {
      return;
    }
    scrollTo(0, 0);
    if (isSame) {
      refresh(client);
    } else {
      document.getElementById("main")?.focus({ preventScroll: true });
    }
  }, [key]);
  return null;
}
