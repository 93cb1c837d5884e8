import { useState } from 'preact/hooks';
import type { AlertRule } from '../../../../src/server/contract/alert.ts';
import { segment } from '../../api/client.ts';
import { Button, Segmented } from '../../components/controls.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { act } from '../../state/launch.ts';
import { toast } from '../../state/toasts.ts';

const TIMES = [
  { value: '1h', text: '1 hour' },
  { value: '4h', text: '4 hours' },
  { value: '1d', text: '1 day' },
  { value: '7d', text: '7 days' },
  { value: '', text: 'Until unmuted' },
] as const;

/** Asks for how long and why a rule is to be silent. */
export function MuteDialog({
  rule,
  onClose,
  onChanged,
}: {
  rule: AlertRule;
  onClose: () => void;
  onChanged: () => Promise<void>;
}) {
  const [reason, setReason] = useState('');
  const [time, setTime] = useState<(typeof TIMES)[number]['value']>('4h');
  const [busy, setBusy] = useState(false);
  const submit = async (): Promise<void> => {
    setBusy(true);
    const body = { reason: reason.trim(), ...(time === '' ? {} : { expires_in: time }) };
    const done = await act(`/alerts/rules/${segment(rule.name)}/mute`, body, `${rule.name} was not muted`);
    setBusy(false);
    if (done === null) return;
    toast('ok', `${rule.name} is muted`);
    onClose();
    await onChanged();
  };
  return (
    <Dialog
      title={`Mute ${rule.name}`}
      onClose={onClose}
      footer={
        <>
          <span class="grow" />
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" icon="pause" busy={busy} onClick={() => void submit()}>
            Mute
          </Button>
        </>
      }
    >
      <p>
        Nothing is sent while it is muted. What it would have told is listed as muted, and what still lasts
        then is told again if the rule repeats.
      </p>
      <fieldset class="field">
        <legend>For how long</legend>
        <Segmented label="For how long" value={time} choices={TIMES} onChoose={setTime} />
      </fieldset>
      <label class="field">
        <span>Why (optional)</span>
        <input
          type="text"
          value={reason}
          maxLength={500}
          onInput={(event) => setReason(event.currentTarget.value)}
        />
      </label>
    </Dialog>
  );
}
