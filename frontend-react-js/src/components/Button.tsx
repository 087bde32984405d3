import type { ComponentProps } from "react";
import { Link } from "react-router";
import { Icon, type IconName } from "./Icon";
import "./Button.css";

type Look = "filled" | "outlined" | "plain" | "danger";

/** A button with text. It ignores presses while `busy`, and the second click of a double click. */
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
      aria-disabled={busy || undefined} // `disabled` would lose the keyboard focus
      onClick={(event) =>
        busy || event.detail > 1 ? event.preventDefault() : rest.onClick?.(event)
      }
    >
      {icon && <Icon name={icon} />}
      <span>{children}</span>
    </button>
  );
}

/** A link that looks like a button. */
export function ButtonLink({
  look = "filled",
  ...rest
}: ComponentProps<typeof Link> & { look?: Look }) {
  return <Link {...rest} className={`button button-${look}`} />;
}

/** A button with an icon; `label` is its accessible name. */
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
