import { Link } from "react-router";
import "./Tabs.css";

/** Links to the parts of a page. `tabs` has the name and the address of each. */
export function Tabs({
  label,
  current,
  tabs,
}: {
  label: string;
  /** The address of the part that is shown. */
  current: string;
  tabs: readonly (readonly [name: string, address: string])[];
}) {
  return (
    <nav className="tabs" aria-label={label}>
      {tabs.map(([name, address]) => (
        <Link
          key={address}
          className="tab"
          to={address}
          aria-current={address === current ? "page" : undefined}
        >
          {name}
        </Link>
      ))}
    </nav>
  );
}
