import type { ListedUser } from "../api/wire";
import { profileAddress } from "../text/addresses";
import { FollowButton } from "./FollowButton";
import { PersonLink } from "./PersonLink";
import "./PersonRow.css";

/** People, each with a button that follows them. */
export function PersonRows({ people }: { people: readonly ListedUser[] }) {
  return (
    <ul className="person-rows">
      {people.map((person) => (
        <li key={person.uuid} className="person-row">
          <PersonLink person={person} to={profileAddress(person)} />
          <FollowButton person={person} />
        </li>
      ))}
    </ul>
  );
}
