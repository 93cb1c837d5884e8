import { Icon } from '../components/icon.tsx';
import { setTheme, type Theme, theme } from '../state/theme.ts';

const THEMES = [
  { value: 'light', icon: 'sun', text: 'Light' },
  { value: 'dark', icon: 'moon', text: 'Dark' },
  { value: 'system', icon: 'system_theme', text: 'As the system' },
] as const satisfies readonly { value: Theme; icon: string; text: string }[];

export function ThemeChoice() {
  return (
    <div class="segmented icons" role="group" aria-label="Theme">
      {THEMES.map(({ value, icon, text }) => (
        <button
          key={value}
          type="button"
          aria-pressed={theme.value === value}
          aria-label={text}
          title={text}
          onClick={() => setTheme(value)}
        >
          <Icon name={icon} size={14} />
        </button>
      ))}
    </div>
  );
}
