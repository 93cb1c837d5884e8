/** What the shapes mean; colour alone says nothing. */
export function Legend() {
  return (
    <p class="tl-legend faint" aria-hidden="true">
      {[
        ['ok', 'succeeded', 'succeeded'],
        ['bad', 'failed', 'failed'],
        ['run', 'running', 'running'],
        ['wait', 'queued', 'queued'],
        ['idle', 'canceled', 'canceled, skipped'],
      ].map(([tone, status, text]) => (
        <span key={status}>
          <i class={`tl-bar tone-${tone} is-${status}`} /> {text}
        </span>
      ))}
      <span>
        <i class="tl-tick" /> planned
      </span>
      <span>
        <i class="tl-line is-sync" /> synced from Git
      </span>
    </p>
  );
}
