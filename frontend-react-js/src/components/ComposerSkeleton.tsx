import "./Composer.css";

/** Keeps the place of a composer until its script has loaded or the session is restored. */
export function ComposerSkeleton() {
  return (
    <div className="composer skeleton" aria-hidden="true">
      <span className="skeleton-line skeleton-field" />
      <div className="composer-foot" />
    </div>
  );
}
