import { type ReactNode, useEffect, useRef } from "react";
import { Link } from "react-router";
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
        <Link className="account-brand" to="/" aria-label="Cruddur, home">
          <Mark size={72} />
          <span>Cruddur</span>
        </Link>
        <p className="account-line">Don’t think about it, just crud it.</p>
        <ul className="account-lives" aria-hidden="true">
          {["1 hour", "3 hours", "12 hours", "1 day", "3 days", "7 days", "30 days"].map((life) => (
            <li key={life}>{life}</li>
          ))}
        </ul>
        <p className="account-quiet">Everything you post here expires. You choose when.</p>
      </header>
      <main ref={main} className="account-main" id="main" tabIndex={-1}>
        <h1>{title}</h1>
        {children}
        {foot && <p className="account-foot">{foot}</p>}
        <FootLinks />
      </main>
    </div>
  );
}
