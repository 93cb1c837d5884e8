import type { ComponentChildren, Ref } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { count } from '../lib/format.ts';
import type { Choice } from './choice.ts';
import { Icon, type IconName } from './icon.tsx';

export function Button({
  children,
  icon,
  onClick,
  kind = 'plain',
  disabled = false,
  busy = false,
  title,
  label,
}: {
  children?: ComponentChildren;
  icon?: IconName;
  onClick: () => void;
  kind?: 'plain' | 'primary' | 'danger' | 'quiet';
  disabled?: boolean;
  busy?: boolean;
  title?: string;
  /** For a button without text. */
  label?: string;
}) {
  return (
    <button
      type="button"
      class={`button ${kind}`}
      disabled={disabled || busy}
      aria-busy={busy}
      title={title}
      aria-label={label}
      onClick={onClick}
    >
      {icon !== undefined && <Icon name={icon} />}
      {children}
    </button>
  );
}

/** One of a few. */
export function Segmented<T extends string>({
  label,
  value,
  choices,
  onChoose,
}: {
  label: string;
  value: T;
  choices: readonly Choice<T>[];
  onChoose: (value: T) => void;
}) {
  return (
    <div class="segmented" role="group" aria-label={label}>
      {choices.map((choice) => (
        <button
          key={choice.value}
          type="button"
          aria-pressed={choice.value === value}
          title={choice.title}
          onClick={() => onChoose(choice.value)}
        >
          {choice.text}
          {choice.count !== undefined && <span class="count">{count(choice.count)}</span>}
        </button>
      ))}
    </div>
  );
}

/** The list's filter; `/` focuses it, Escape empties it. */
export function FilterBox({
  value,
  onInput,
  placeholder,
  inputRef,
}: {
  value: string;
  onInput: (value: string) => void;
  placeholder: string;
  inputRef?: Ref<HTMLInputElement>;
}) {
  return (
    <label class="filter-box">
      <Icon name="search" />
      <span class="sr-only">{placeholder}</span>
      <input
        ref={inputRef ?? null}
        type="search"
        data-filter
        value={value}
        placeholder={placeholder}
        title="Filter  /"
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => onInput(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          onInput('');
          event.currentTarget.blur();
        }}
      />
      <kbd aria-hidden="true">/</kbd>
    </label>
  );
}

export function Switch({
  on,
  label,
  disabled = false,
  onToggle,
}: {
  on: boolean;
  label: string;
  disabled?: boolean;
  onToggle: () => void;
}) {
  return (
    <button
      type="button"
      class="switch"
      role="switch"
      aria-checked={on}
      aria-label={label}
      disabled={disabled}
      onClick={onToggle}
    >
      <span class="switch-knob" />
    </button>
  );
}

export function Tabs<T extends string>({
  label,
  value,
  tabs,
  onChoose,
}: {
  label: string;
  value: T;
  tabs: readonly Choice<T>[];
  onChoose: (value: T) => void;
}) {
  const strip = useRef<HTMLDivElement>(null);
  useEffect(() => {
    strip.current
      ?.querySelector('[aria-selected=true]')
      ?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [value]);
  const move = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    const at = tabs.findIndex((tab) => tab.value === value);
    const next = tabs[(at + step + tabs.length) % tabs.length];
    if (next === undefined) return;
    event.preventDefault();
    onChoose(next.value);
    strip.current?.querySelector<HTMLElement>(`[data-tab="${next.value}"]`)?.focus();
  };
  return (
    <div ref={strip} class="tabs" role="tablist" aria-label={label} onKeyDown={move}>
      {tabs.map((tab) => (
        <button
          key={tab.value}
          type="button"
          role="tab"
          id={`tab-${tab.value}`}
          data-tab={tab.value}
          aria-selected={tab.value === value}
          aria-controls="tab-panel"
          tabIndex={tab.value === value ? 0 : -1}
          onClick={() => onChoose(tab.value)}
        >
          {tab.text}
          {tab.count !== undefined && <span class="count">{count(tab.count)}</span>}
        </button>
      ))}
    </div>
  );
}

export function TabPanel({ tab, children }: { tab: string; children: ComponentChildren }) {
  return (
    <div id="tab-panel" role="tabpanel" aria-labelledby={`tab-${tab}`} tabIndex={-1}>
      {children}
    </div>
  );
}
