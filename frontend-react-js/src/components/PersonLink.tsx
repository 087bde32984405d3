import { Link } from "react-router";
import type { ShortUser } from "../api/wire";
import { Avatar } from "./Avatar";
import "./Sidebar.css";

/** A row of a list of people that leads somewhere. */
export function PersonLink({ person, to }: { person: ShortUser; to: string }) {
  return (
    <Link className="box-row box-person" to={to}>
      <PersonName person={person} />
    </Link>
  );
}

/** The picture, the name and the handle of a person in a row. */
export function PersonName({ person }: { person: ShortUser }) {
  return (
    <>
      <Avatar person={person} size="small" />
      <span className="box-name">
        <b>
          <bdi>{person.display_name}</bdi>
        </b>
        <span>@{person.handle}</span>
      </span>
    </>
  );
}
