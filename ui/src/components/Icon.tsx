// A dozen strokes on a 16 px grid, drawn for this product.
const strokes = {
  loop: "M13 8a5 5 0 1 1-1.6-3.7M13.2 2v3h-3",
  data: "M3 4c0-1.1 2.2-2 5-2s5 .9 5 2-2.2 2-5 2-5-.9-5-2zM3 4v8c0 1.1 2.2 2 5 2s5-.9 5-2V4M3 8c0 1.1 2.2 2 5 2s5-.9 5-2",
  runs: "M2.5 13.5h11M2.5 11l3.2-3.6 2.6 2L13 4",
  models: "M8 2l5.5 3v6L8 14l-5.5-3V5zM2.5 5L8 8l5.5-3M8 8v6",
  serving: "M2 8h4l2-4.5 2 9L12 8h2",
  monitor: "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8zM8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  pipeline: "M4 5.5a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6zM12 9.8a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6zM4 14.1a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6zM4 5.5v5M5.5 4.6l5 2.5",
  govern: "M8 1.8l5 1.8v4.2c0 3-2.1 5.3-5 6.4-2.9-1.1-5-3.4-5-6.4V3.6zM5.7 8l1.7 1.7 3-3.2",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.6 10.6L14 14",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  check: "M3 8.5l3.2 3.2L13 4.8",
  close: "M4 4l8 8M12 4l-8 8",
  sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.2 1.2M11.8 11.8L13 13M3 13l1.2-1.2M11.8 4.2L13 3",
  moon: "M13.5 9.6A6 6 0 0 1 6.4 2.5a6 6 0 1 0 7.1 7.1z",
  arrow: "M3 8h10M9.5 4.5L13 8l-3.5 3.5",
  down: "M4 6l4 4 4-4",
  right: "M6 4l4 4-4 4",
  pin: "M6 2h4l-.6 4.5 2.1 2.5h-7l2.1-2.5zM8 9v5",
  bookmark: "M4.5 2h7v12L8 11.2 4.5 14z",
  columns: "M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10",
  help: "M6 6.2a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.5M8 12v.2",
  play: "M5 3l8 5-8 5z",
  file: "M4 1.8h5l3 3v9.4H4zM9 1.8v3h3",
  folder: "M2 4h4l1.5 1.8H14V13H2z",
} as const;
export type IconName = keyof typeof strokes;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">
      <path d={strokes[name]} />
    </svg>
  );
}
