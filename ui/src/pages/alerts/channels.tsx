import { useState } from 'preact/hooks';
import type { AlertChannel, AlertTestResult } from '../../../../src/server/contract/alert.ts';
import { segment } from '../../api/client.ts';
import { Button } from '../../components/controls.tsx';
import { External } from '../../components/links.tsx';
import { Status } from '../../components/status.tsx';
import { Ago } from '../../components/time.tsx';
import { act } from '../../state/launch.ts';
import { TestResult } from './test-result.tsx';
import { deliveryShown } from './words.ts';

const TYPES: Readonly<Record<AlertChannel['type'], string>> = {
  slack: 'Slack',
  email: 'E-mail',
  webhook: 'Webhook',
};

/** Where messages go, by name: an address is a secret. */
export function Channels({
  channels,
  onChanged,
}: {
  channels: readonly AlertChannel[];
  onChanged: () => Promise<void>;
}) {
  return (
    <div class="table-frame">
      <table class="table cards alert-table">
        <caption class="sr-only">Channels of alerts</caption>
        <thead>
          <tr>
            <th scope="col">Channel</th>
            <th scope="col">Type</th>
            <th scope="col">State</th>
            <th scope="col">Last message</th>
            <th scope="col">
              <span class="sr-only">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {channels.map((channel) => (
            <Row key={channel.name} channel={channel} onChanged={onChanged} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ channel, onChanged }: { channel: AlertChannel; onChanged: () => Promise<void> }) {
  const [busy, setBusy] = useState(false);
  const [result, setResult] = useState<AlertTestResult | null>(null);
  const test = async (): Promise<void> => {
    setBusy(true);
    const path = `/alerts/channels/${segment(channel.name)}/test`;
    setResult(await act<AlertTestResult>(path, {}, `${channel.name} was not tested`));
    await onChanged();
    setBusy(false);
  };
  const last = channel.last_delivery;
  return (
    <tr data-row>
      <th scope="row">
        <bdi>{channel.name}</bdi>
        <span class="sub">
          <External href={channel.source.url}>
            <span class="mono">
              {channel.source.file}:{channel.source.line}
            </span>
          </External>
        </span>
      </th>
      <td data-label="Type">{TYPES[channel.type]}</td>
      <td data-label="State">
        <span class="stack-tight">
          <Status
            shown={channel.ready ? { tone: 'ok', text: 'Ready' } : { tone: 'bad', text: 'Cannot send' }}
          />
          {!channel.ready && (
            <span class="sub">
              <bdi>{channel.problem}</bdi>: <bdi>{channel.hint}</bdi>
            </span>
          )}
          {channel.ready && channel.variables.length > 0 && (
            <span class="sub mono">{channel.variables.join(', ')}</span>
          )}
        </span>
      </td>
      <td data-label="Last message">
        {last === null ? (
          <span class="faint">None yet</span>
        ) : (
          <span class="row tight wrap">
            <Status shown={deliveryShown(last)} />
            <span class="faint">
              <Ago at={last.created_at} />
            </span>
          </span>
        )}
      </td>
      <td class="right cell-actions">
        <Button busy={busy} onClick={() => void test()} title={`Send a sample to ${channel.name}`}>
          Test
        </Button>
        {result !== null && <TestResult result={result} />}
      </td>
    </tr>
  );
}
