const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `0.4s`, `12s`, `1m 19s`, `2h 5m`, `3d 4h`: never seconds for hours. */
export function duration(seconds: number | null): string {
  if (seconds === null) return '';
  if (seconds < 10) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${whole % 60}s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** `3m ago`, `in 4m`, `just now`. */
export function relative(at: string | null, now: number): string {
  if (at === null) return '';
  const ms = now - Date.parse(at);
  const size = Math.abs(ms);
  if (size < 10 * SECOND) return ms >= 0 ? 'just now' : 'now';
  const text =
    size < MINUTE
      ? `${Math.round(size / SECOND)}s`
      : size < HOUR
        ? `${Math.round(size / MINUTE)}m`
        : size < 2 * DAY
          ? `${Math.round(size / HOUR)}h`
          : `${Math.round(size / DAY)}d`;
  return ms >= 0 ? `${text} ago` : `in ${text}`;
}

/** `2026-11-03 02:00:00 UTC`. */
export function instant(at: string | null): string {
  return at === null ? '' : `${at.slice(0, 19).replace('T', ' ')} UTC`;
}

/** The instant as a zone's clocks show it: `2026-11-03 02:00 Europe/Berlin`. */
export function inZone(at: string, timezone: string): string {
  const parts = new Intl.DateTimeFormat('sv-SE', {
    timeZone: timezone,
    dateStyle: 'short',
    timeStyle: 'short',
  });
  return `${parts.format(new Date(at))} ${timezone}`;
}

/** `145,376`. */
export function count(value: number | null): string {
  return value === null ? '' : Math.round(value).toLocaleString('en-US');
}

/** `142.0 kB`, by thousands. */
export function bytes(value: number | null): string {
  if (value === null) return '';
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let size = value;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}
