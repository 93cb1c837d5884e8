import { signal } from '@preact/signals';

export type SheetName = 'palette' | 'keys' | 'more';

/** The one sheet over the page; null: none. */
export const sheet = signal<SheetName | null>(null);

export function openSheet(name: SheetName): void {
  sheet.value = name;
}

export function closeSheet(): void {
  sheet.value = null;
}
