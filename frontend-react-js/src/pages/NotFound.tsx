import { ButtonLink } from "../components/Button";
import { Empty } from "../components/List";
import { Mark } from "../components/Mark";
import { PageHead } from "../components/PageHead";
import { t } from "../language";

/** The page for an unknown address. */
export function NotFound() {
  return (
    <>
      <PageHead title={t.notFound.title} back="/" />
      <Empty title={t.notFound.nothing} drawing={<Mark size={112} />}>
        <p>{t.notFound.hint}</p>
        <ButtonLink to="/">{t.notFound.goHome}</ButtonLink>
      </Empty>
    </>
  );
}
