/** Whether a host name or address, as a URL or a person has it, is this machine's own. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d+){3}|::1|\[::1\])$/.test(host);
}
