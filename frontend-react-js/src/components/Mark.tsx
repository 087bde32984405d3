/** Cruddur's logo: a swear word in comic-strip symbols, in a speech bubble. */
export function Mark({ size = 48 }: { size?: number }) {
  return (
    <svg className="mark" aria-hidden="true" viewBox="0 0 48 48" width={size} height={size}>
      <path
        className="mark-bubble"
        d="M23 3c12.2 0 22 7 22 17.5S35.8 37.2 25.5 37.2c-1.3 0-2.6-.1-3.8-.3-2.6 3.3-6.9 6-13.2 6.6 2.7-2.6 4-5.5 4.3-8.5C6.6 32 3 26.9 3 20.7 3 10.2 11.5 3 23 3Z"
      />
      <g className="mark-signs">
        <path d="m12 14-1.5 12M16.5 14 15 26M8.5 17.5h10M8 22.3h10" />
        <path d="M21.3 16.3c.5-3.6 6-3.3 5.5.2-.3 2.5-3.3 2.5-3.6 5.5M23 26v.1" />
        <path d="M36 22.5c-1.2 2.6-5.3 2.3-5.1-.9.2-3.1 4.6-4 5.1-.9m0-.2c-.6 3.6 3.1 3.6 3.2-.5.1-7.6-11.7-7.3-11.9 1.3-.1 6.7 6.3 7.5 9.3 6" />
        <path d="M42 13.5 41.7 21M41.5 25.5v.1" />
      </g>
    </svg>
  );
}
