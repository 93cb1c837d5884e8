import type { Diagnostic } from '../lib/diagnostics.ts';

/** An attribute after interpolation: what it says, who said so, and where. */
export interface AttributeValue {
  readonly text: string;
  readonly origin: string;
  readonly at: Pick<Diagnostic, 'file' | 'line' | 'column'>;
}

/** The attributes of one component, for those who read some of them. */
export interface AttributeReader {
  /** Whether `defs.yaml` says anything of it. */
  has(name: string): boolean;
  hasToken(): boolean;
  value(name: string): AttributeValue;
  refuse(
    code: 'SETTING_MISSING' | 'SETTING_INVALID',
    value: Pick<AttributeValue, 'at'>,
    message: string,
    hint: string,
  ): void;
  /** Absolute paths of files that have to be there; what is missing is refused and left out. */
  files<Name extends string>(...names: Name[]): Partial<Record<Name, string>>;
}
