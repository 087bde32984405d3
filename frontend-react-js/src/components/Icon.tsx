/** The icons, on a grid of 24. They are hidden from screen readers. */

const PATHS = {
  home: "M4 11.5 12 4l8 7.5V20h-5.5v-5h-5v5H4Z",
  search: "M15.8 15.8 20.5 20.5M10.5 17.5a7 7 0 1 1 0-14 7 7 0 0 1 0 14Z",
  bell: "M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15ZM10 21h4",
  mail: "M3.5 6h17v12.5h-17ZM3.5 7l8.5 6.5L20.5 7",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.5c.5-4 3.5-6 7.5-6s7 2 7.5 6",
  gear: "M12 15.2a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4ZM12 3v2.7M12 18.3V21M3 12h2.7M18.3 12H21M5.6 5.6l2 2M16.4 16.4l2 2M18.4 5.6l-2 2M7.6 16.4l-2 2",
  info: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17ZM12 11v5.5M12 7.5v.1",
  enter: "M13 4h6.5v16H13M4 12h10M10.5 8.5 14 12l-3.5 3.5",
  reply: "M4 20.5 5.3 16A7.8 7.8 0 1 1 8.5 19Z",
  repost: "M4 8.5 7 5.5l3 3M7 5.5V15a3 3 0 0 0 3 3h3M20 15.5l-3 3-3-3M17 18.5V9a3 3 0 0 0-3-3h-3",
  heart:
    "M12 20C6 15.5 3.5 12.5 3.5 9A4.5 4.5 0 0 1 12 6.8 4.5 4.5 0 0 1 20.5 9c0 3.5-2.5 6.5-8.5 11Z",
  share: "M12 15V3.5M8 7.5l4-4 4 4M5 12.5V20.5h14v-8",
  trash: "M4.5 6.5h15M9.5 6.5V4h5v2.5M6.5 6.5l1 14h9l1-14M10.2 10.5v6M13.8 10.5v6",
  picture:
    "M3.5 5h17v14h-17ZM3.5 16l5-5 4.5 4.5 3-3 4.5 4M15.5 10.2a1.2 1.2 0 1 0 0-2.4 1.2 1.2 0 0 0 0 2.4Z",
  back: "M20 12H4.5M11 5.5 4.5 12l6.5 6.5",
  close: "M5.5 5.5l13 13M18.5 5.5l-13 13",
  pen: "M4 20l1-4.5L16.5 4 20 7.5 8.5 19ZM14 6.5l3.5 3.5",
  camera: "M3.5 8h4L9 5.5h6L16.5 8h4v11.5h-17ZM12 16.5a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4Z",
  send: "M3.5 12 20.5 4l-5 16.5-4-7ZM11.5 13.5l4-4",
  more: "M5.5 9 12 15.5 18.5 9",
  less: "M5.5 15.5 12 9l6.5 6.5",
  key: "M8 16.5a4.5 4.5 0 1 1 0-9 4.5 4.5 0 0 1 0 9ZM12.5 12h8v3.5M17 12v2.5",
  dots: "M5.5 11.3a.7.7 0 1 1 0 1.4.7.7 0 0 1 0-1.4ZM12 11.3a.7.7 0 1 1 0 1.4.7.7 0 0 1 0-1.4ZM18.5 11.3a.7.7 0 1 1 0 1.4.7.7 0 0 1 0-1.4Z",
  flag: "M5.5 21V4h13l-3 4.5 3 4.5h-13",
  device: "M4 5h16v10.5H4ZM2.5 19h19",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, filled = false }: { name: IconName; filled?: boolean }) {
  return (
    <svg
      aria-hidden="true"
      className="icon"
      viewBox="0 0 24 24"
      width="24"
      height="24"
      fill={filled ? "currentColor" : "none"}
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
