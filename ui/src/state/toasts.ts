import { signal } from '@preact/signals';
import { toApiError } from '../api/problem.ts';

export interface Toast {
  readonly id: number;
  readonly tone: 'ok' | 'bad' | 'run';
  readonly text: string;
  readonly detail: string | null;
  readonly link: { readonly href: string; readonly text: string } | null;
}

export const toasts = signal<readonly Toast[]>([]);
let nextId = 1;

export function toast(
  tone: Toast['tone'],
  text: string,
  more: Partial<Pick<Toast, 'detail' | 'link'>> = {},
): void {
  const id = nextId++;
  toasts.value = [
    ...toasts.peek().slice(-3),
    { id, tone, text, detail: more.detail ?? null, link: more.link ?? null },
  ];
  // An error stays until it is read.
  if (tone !== 'bad') window.setTimeout(() => dismiss(id), 6_000);
}

export function dismiss(id: number): void {
  toasts.value = toasts.peek().filter((one) => one.id !== id);
}

/** What the service said went wrong, with its advice. */
export function toastError(what: string, error: unknown): void {
  const { message, hint } = toApiError(error);
  toast('bad', what, { detail: hint === null ? message : `${message} ${hint}` });
}
