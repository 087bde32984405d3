import { ButtonLink } from "../components/Button";
import { Empty } from "../components/List";
import { Mark } from "../components/Mark";
import { PageHead } from "../components/PageHead";

/** The page for an unknown address. */
export function NotFound() {
  return (
    <>
      <PageHead title="Not found" back="/" />
      <Empty title="There’s nothing here" drawing={<Mark size={112} />}>
        <p>Check the address. If it led to a crud, the crud may have expired.</p>
        <ButtonLink to="/">Go home</ButtonLink>
      </Empty>
    </>
  );
}
