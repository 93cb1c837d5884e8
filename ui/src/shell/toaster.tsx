import { Button } from '../components/controls.tsx';
import { Glyph } from '../components/status.tsx';
import { dismiss, toasts } from '../state/toasts.ts';

export function Toaster() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((one) => (
        <div key={one.id} class={`toast tone-${one.tone}`}>
          <Glyph tone={one.tone} />
          <div class="toast-body">
            <p>{one.text}</p>
            {one.detail !== null && <p class="faint">{one.detail}</p>}
            {one.link !== null && (
              <a class="toast-link" href={one.link.href} onClick={() => dismiss(one.id)}>
                {one.link.text}
              </a>
            )}
          </div>
          <Button kind="quiet" icon="close" label="Dismiss" onClick={() => dismiss(one.id)} />
        </div>
      ))}
    </div>
  );
}
