const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const MACROS: Readonly<Record<string, string>> = {
  '@hourly': 'every hour',
  '@daily': 'daily at 00:00',
  '@midnight': 'daily at 00:00',
  '@weekly': 'Sundays at 00:00',
  '@monthly': 'monthly on the 1st at 00:00',
  '@yearly': 'yearly on 1 January',
  '@annually': 'yearly on 1 January',
};

/** A cron in words where it is of a usual form; else null, and the cron itself has to be shown. */
export function cronText(cron: string): string | null {
  const macro = MACROS[cron.trim()];
  if (macro !== undefined) return macro;
  const fields = cron.trim().split(/\s+/);
  if (fields.length !== 5) return null;
  const [minute, hour, day, month, weekday] = fields as [string, string, string, string, string];
  if (month !== '*') return null;
  if (hour === '*' && day === '*' && weekday === '*') return hourly(minute);
  if (hour.startsWith('*/') && isNumber(minute) && day === '*' && weekday === '*') {
    return `every ${hour.slice(2)} hours${minute === '0' ? '' : ` at :${minute.padStart(2, '0')}`}`;
  }
  if (!isNumber(minute) || !isNumber(hour)) return null;
  const at = `at ${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`;
  if (day === '*' && weekday === '*') return `daily ${at}`;
  if (day === '*') return dayText(weekday, at);
  return weekday === '*' && isNumber(day) ? `monthly on day ${day} ${at}` : null;
}

function hourly(minute: string): string | null {
  if (minute === '*') return 'every minute';
  if (minute.startsWith('*/') && isNumber(minute.slice(2))) return `every ${minute.slice(2)} minutes`;
  return isNumber(minute) ? (minute === '0' ? 'every hour' : `hourly at :${minute.padStart(2, '0')}`) : null;
}

function dayText(weekday: string, at: string): string | null {
  if (weekday === '1-5') return `Monday to Friday ${at}`;
  if (!/^[0-7](,[0-7])*$/.test(weekday)) return null;
  return `${weekday
    .split(',')
    .map((day) => `${DAYS[Number(day)]}s`)
    .join(', ')} ${at}`;
}

function isNumber(text: string): boolean {
  return /^\d+$/.test(text);
}
