/** HTTP tells whole seconds, and answers take their time: less than this is no difference. */
const TOLERATED_MS = 5_000;

let ahead = 0;

/** What the service's clock says, in epoch milliseconds: a reader's clock that is wrong makes nothing older or newer. */
export function serverNow(): number {
  return Date.now() + ahead;
}

/** Takes the time of an answer. */
export function noteServerTime(response: Pick<Response, 'headers'>): void {
  const at = Date.parse(response.headers.get('date') ?? '');
  if (Number.isNaN(at)) return;
  const difference = at - Date.now();
  ahead = Math.abs(difference) > TOLERATED_MS ? difference : 0;
}
