import { ButtonLink } from "../components/Button";
import { Empty } from "../components/List";
import { Mark } from "../components/Mark";
import { PageHead } from "../components/PageHead";

/** An address that leads nowhere. */
export function NotFound() {
  return (
    <>
      <PageHead title="Not found" back="/" />
      <Empty title="Nothing here" drawing={<Mark size={112} />}>
        <p>There is nothing at this address. If there was, it is forgotten.</p>
        <ButtonLink to="/">Go home</ButtonLink>
      </Empty>
    </>
  );
}
