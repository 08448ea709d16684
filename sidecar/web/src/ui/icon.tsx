// Small pictures beside words. They are never all that says something.

const PATHS = {
  check: "M3.5 8.5l3 3 6-7",
  cross: "M4 4l8 8M12 4l-8 8",
  warn: "M8 2.2l6.3 11.3H1.7L8 2.200zM8 6.500v3.200M8 11.600v.1",
  info: "M8 14A6 6 0 108 2a6 6 0 000 12zM8 7.300v3.700M8 5v.1",
  back: "M6.500 3.500L3 7l3.500 3.500M3.300 7H10a3.300 3.300 0 010 6.600H7.500",
  up: "M8 13V3.500M4 7l4-4 4 4",
  redo: "M13 8A5 5 0 113.800 5.300M13 2.500V6H9.500",
  copy: "M6 5.500h7v8H6zM3 10.500v-8h7",
  chevron: "M4 6l4 4 4-4",
  right: "M6 4l4 4-4 4",
  arrow: "M2.500 8h11M9.500 4l4 4-4 4",
  sun: "M8 10.800a2.800 2.800 0 100-5.600 2.800 2.800 0 000 5.600zM8 1.500v1.500M8 13v1.500M1.500 8H3M13 8h1.500M3.400 3.400l1 1M11.600 11.600l1 1M3.400 12.600l1-1M11.600 4.400l1-1",
  moon: "M13.200 9.600A5.700 5.700 0 016.400 2.800a5.700 5.700 0 106.800 6.800z",
  screen: "M2 3h12v8H2zM6 13.500h4",
  user: "M8 8a2.700 2.700 0 100-5.400A2.700 2.700 0 008 8zM2.800 13.700c.6-2.500 2.600-3.900 5.200-3.900s4.600 1.400 5.200 3.900",
  dots: "M3.500 8h.1M8 8h.1M12.500 8h.1",
  stop: "M4 4h8v8H4z",
  search: "M7 11.500a4.500 4.500 0 100-9 4.500 4.500 0 000 9zM10.300 10.300L14 14",
  download: "M8 2.500V11M4.500 7.500L8 11l3.500-3.500M3 13.500h10",
  plus: "M8 3v10M3 8h10",
  lock: "M4 7.500h8v6H4zM5.500 7.500V5.300a2.500 2.500 0 015 0v2.200",
  pause: "M5.500 3.500v9M10.500 3.500v9",
  play: "M5 3.200v9.600L12.500 8z",
  external: "M9 2.500h4.500V7M13.500 2.500L7.500 8.500M11 9.500v4H2.500V5H7",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, class: extra }: { name: IconName; class?: string }) {
  return (
    <svg
      class={extra ? `icon ${extra}` : "icon"}
      width="16"
      height="16"
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      stroke-width={name === "dots" ? 2.4 : 1.5}
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
