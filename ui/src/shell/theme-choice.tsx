import { Icon } from '../components/icon.tsx';
import { setTheme, THEMES, theme } from '../state/theme.ts';

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
