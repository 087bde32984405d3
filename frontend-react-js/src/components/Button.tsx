import type { ComponentProps, MouseEvent } from "react";
import { Link } from "react-router";
import { Icon, type IconName } from "./Icon";
import "./Button.css";

type Look = "filled" | "outlined" | "plain" | "danger";

/** A button with words. `busy`: what it does is being done, and cannot be asked for again. */
export function Button({
  look = "filled",
  busy = false,
  icon,
  children,
  ...rest
}: ComponentProps<"button"> & { look?: Look; busy?: boolean; icon?: IconName }) {
  return (
    <button
      type="button"
      {...rest}
      className={`button button-${look}`}
      aria-busy={busy || undefined}
      aria-disabled={busy || undefined} // not `disabled`, which would lose the keyboard's place
      onClick={busy ? refuse : rest.onClick}
    >
      {icon && <Icon name={icon} />}
      <span>{children}</span>
    </button>
  );
}

function refuse(event: MouseEvent): void {
  event.preventDefault();
}

/** A link that looks like a button. */
export function ButtonLink({
  look = "filled",
  ...rest
}: ComponentProps<typeof Link> & { look?: Look }) {
  return <Link {...rest} className={`button button-${look}`} />;
}

/** A button that is a drawing; `label` is its name. */
export function IconButton({
  label,
  icon,
  ...rest
}: ComponentProps<"button"> & { label: string; icon: IconName }) {
  return (
    <button type="button" {...rest} className="icon-button" aria-label={label} title={label}>
      <Icon name={icon} />
    </button>
  );
}
