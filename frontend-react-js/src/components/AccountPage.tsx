import { type ReactNode, useEffect, useRef } from "react";
import { Link } from "react-router";
import { t } from "../language/further";
import { useInstance } from "../queries/instance";
import { MAX_TTL, ttlsUpTo } from "../text/lifetimes";
import { Announcements } from "./Announcements";
import { Mark } from "./Mark";
import { useTitle } from "./PageHead";
import { FootLinks } from "./Sidebar";
import "./AccountPage.css";

/**
 * The layout of the account pages: Cruddur on one side, the form on the other. Its first empty
 * field gets the focus.
 */
export function AccountPage({
  title,
  children,
  foot,
}: {
  title: string;
  children: ReactNode;
  foot?: ReactNode;
}) {
  const { max_ttl = MAX_TTL } = useInstance().data ?? {};
  const main = useRef<HTMLElement>(null);
  useTitle(title);
  // After the navigation has focused the page.
  useEffect(() => {
    const fields = [...(main.current?.querySelectorAll("input") ?? [])];
    (fields.find(({ value }) => value === "") ?? fields[0])?.focus();
  }, []);
  return (
    <div className="account">
      <header className="account-side">
        <Link className="account-brand" to="/" aria-label={t.accountPage.home}>
          <Mark size={72} />
          <span>Cruddur</span>
        </Link>
        <p className="account-line">{t.sidebar.crud}</p>
        <ul className="account-lives" aria-hidden="true">
          {ttlsUpTo(max_ttl)
            .toReversed()
            .map((ttl) => (
              <li key={ttl}>{t.lifetimes[ttl]}</li>
            ))}
        </ul>
        <p className="account-quiet">{t.accountPage.expires}</p>
      </header>
      <main ref={main} className="account-main" id="main" tabIndex={-1}>
        <Announcements />
        <h1>{title}</h1>
        {children}
        {foot && <p className="account-foot">{foot}</p>}
        <FootLinks />
      </main>
    </div>
  );
}
