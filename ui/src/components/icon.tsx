/** Strokes on a 16 × 16 grid. */
const PATHS = {
  home: 'M2.500 7.500 8 3l5.500 4.500V13a.5.5 0 0 1-.5.5H9.500V10h-3v3.500H3a.5.5 0 0 1-.5-.5z',
  timeline: 'M2.500 3.500h6v2h-6zM6 7h7.500v2H6zM4 10.500h5v2H4z',
  runs: 'M5 3.500v9l7.500-4.500z',
  backfills: 'M2.500 4.500h2.500v7H2.500zM6.700 4.500h2.500v7H6.700zM11 4.500h2.500v7H11z',
  assets: 'M8 2 2.500 4.800 8 7.600l5.500-2.800zM2.500 8 8 10.800 13.500 8M2.500 11.200 8 14l5.500-2.800',
  lineage: 'M2.500 6.500h3v3h-3zM10.500 2.500h3v3h-3zM10.500 10.500h3v3h-3zM5.500 8h2.500M10.500 4H8v8h2.500',
  automation: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 4.800V8l2.300 1.500',
  insights: 'M2.500 13.500h11M4 11.500v-4M7 11.500v-7M10 11.500v-3M13 11.500v-9',
  alerts:
    'M3.500 11.500h9c-1-1-1.300-2.200-1.300-4.500a3.200 3.200 0 0 0-6.400 0c0 2.300-.3 3.500-1.300 4.500zM6.500 13.500h3M8 3.800V2.500',
  audit: 'M4 2.500h8v11H4zM6 5.500h4M6 8h4M6 10.500h2',
  git: 'M4.500 5.800v4.400M4.500 5.800a1.600 1.600 0 1 0 0-3.200 1.600 1.600 0 0 0 0 3.200zM4.500 13.400a1.600 1.600 0 1 0 0-3.200 1.600 1.600 0 0 0 0 3.200zM11.500 6.800a1.600 1.600 0 1 0 0-3.200 1.600 1.600 0 0 0 0 3.200zM11.500 6.800c0 2.200-1.500 2.700-3.500 2.900-2 .2-3.500.3-3.500.5',
  problems: 'M8 2.500 14.200 13H1.800zM8 6.500v3M8 11.200v.1',
  system: 'M2.500 3.500h11v4h-11zM2.500 9.500h11v3h-11zM5 5.500h.1M5 11h.1',
  search: 'M7 11.500a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9zM10.300 10.300 13.500 13.500',
  close: 'm4 4 8 8M12 4l-8 8',
  chevron: 'm6 3.500 4.500 4.500L6 12.500',
  back: 'M10 3.500 5.500 8l4.500 4.500',
  download: 'M8 2.500v7.500M4.500 7 8 10.500 11.500 7M2.500 13.500h11',
  down: 'm3.500 6 4.500 4.500L12.500 6',
  external: 'M6.500 3.500h-3v9h9v-3M9 3h4v4M13 3 7.500 8.500',
  refresh: 'M13 8a5 5 0 1 1-1.500-3.500L13 6M13 2.500V6H9.500',
  retry: 'M3 8a5 5 0 1 0 1.500-3.500L3 6M3 2.500V6h3.500',
  stop: 'M4 4h8v8H4z',
  pause: 'M5.500 4v8M10.500 4v8',
  play: 'M5 3.500v9l7.500-4.500z',
  sun: 'M8 10.800a2.800 2.800 0 1 0 0-5.600 2.800 2.800 0 0 0 0 5.600zM8 1.500v1.500M8 13v1.500M1.500 8H3M13 8h1.500M3.400 3.400l1 1M11.600 11.600l1 1M3.400 12.600l1-1M11.600 4.400l1-1',
  moon: 'M13 9.500A5.500 5.500 0 0 1 6.500 3 5.500 5.500 0 1 0 13 9.500z',
  contrast: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 2.500v11M9.500 4v8M11 5v6M12.500 6.500v3',
  system_theme: 'M2.500 3h11v7.500h-11zM6 13h4M8 10.500V13',
  keyboard: 'M1.500 4.500h13v7h-13zM4 7h.1M6.700 7h.1M9.300 7h.1M12 7h.1M5 9.500h6',
  more: 'M3.500 8h.1M8 8h.1M12.500 8h.1',
  fit: 'M2.500 6V2.500H6M10 2.500h3.500V6M13.500 10v3.500H10M6 13.500H2.500V10',
  plus: 'M8 3.500v9M3.500 8h9',
  minus: 'M3.500 8h9',
  list: 'M5.500 4h8M5.500 8h8M5.500 12h8M2.500 4h.1M2.500 8h.1M2.500 12h.1',
  copy: 'M5.500 5.500h8v8h-8zM3.500 10.500h-1v-8h8v1',
  person:
    'M8 8a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM3 13.500c.5-2.500 2.500-3.500 5-3.500s4.500 1 5 3.500',
  check: 'm3.500 8.500 3 3 6-7',
  file: 'M4 2h5l3.500 3.500V14H4zM9 2v3.500h3.500',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** A branch that ends in a table: Git in, data out. */
export function Logo() {
  return (
    <svg class="logo" width="26" height="26" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" class="logo-ground" />
      <path class="logo-branch" d="M9 7.500v17M9 19c0-6 4-6.500 7.500-6.500" />
      <circle class="logo-dot" cx="9" cy="7.500" r="2.800" />
      <circle class="logo-dot" cx="9" cy="24.500" r="2.800" />
      <path class="logo-cells" d="M17.500 8.500h7v7h-7zM17.500 17.500h7v7h-7z" />
    </svg>
  );
}
