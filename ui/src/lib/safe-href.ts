/** The address if a click on it cannot run anything: http, https or mailto. Else null. */
export function safeHref(text: string | null | undefined): string | null {
  if (text === null || text === undefined || text === '') return null;
  try {
    const { protocol, href } = new URL(text);
    return protocol === 'http:' || protocol === 'https:' || protocol === 'mailto:' ? href : null;
  } catch {
    return null;
  }
}
