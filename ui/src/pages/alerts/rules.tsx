import { useState } from 'preact/hooks';
import type { AlertRule, AlertTestResult } from '../../../../src/server/contract/alert.ts';
import { segment } from '../../api/client.ts';
import { Button } from '../../components/controls.tsx';
import { External } from '../../components/links.tsx';
import { Status } from '../../components/status.tsx';
import { Ago, Until } from '../../components/time.tsx';
import { duration } from '../../lib/format.ts';
import { act } from '../../state/launch.ts';
import { TestResult } from './test-result.tsx';
import { deliveryShown, eventsText, muteAuthor, ruleShown } from './words.ts';

interface RuleActions {
  readonly onMute: (rule: AlertRule) => void;
  readonly onChanged: () => Promise<void>;
}

export function Rules({ rules, ...actions }: { rules: readonly AlertRule[] } & RuleActions) {
  return (
    <div class="table-frame">
      <table class="table cards alert-table">
        <caption class="sr-only">Rules of alerts</caption>
        <thead>
          <tr>
            <th scope="col">Rule</th>
            <th scope="col">State</th>
            <th scope="col">Tells</th>
            <th scope="col">Of</th>
            <th scope="col">Channels</th>
            <th scope="col">Last message</th>
            <th scope="col">
              <span class="sr-only">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rules.map((rule) => (
            <Row key={rule.name} rule={rule} {...actions} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ rule, onMute, onChanged }: { rule: AlertRule } & RuleActions) {
  const [busy, setBusy] = useState(false);
  const [result, setResult] = useState<AlertTestResult | null>(null);
  const path = `/alerts/rules/${segment(rule.name)}`;
  const test = async (): Promise<void> => {
    setBusy(true);
    setResult(await act<AlertTestResult>(`${path}/test`, {}, `${rule.name} was not tested`));
    setBusy(false);
  };
  const unmute = async (): Promise<void> => {
    setBusy(true);
    await act(`${path}/unmute`, {}, `${rule.name} is still muted`);
    await onChanged();
    setBusy(false);
  };
  const { mute, last_delivery: last } = rule;
  return (
    <tr data-row class={rule.enabled ? undefined : 'dim'}>
      <th scope="row">
        <bdi>{rule.name}</bdi>
        <span class="sub">
          <External href={rule.source.url}>
            <span class="mono">
              {rule.source.file}:{rule.source.line}
            </span>
          </External>
        </span>
      </th>
      <td data-label="State">
        <span class="stack-tight">
          <Status shown={ruleShown(rule)} />
          {mute !== null && (
            <span class="sub">
              {muteAuthor(mute)}
              {mute.until === null ? '' : ', again '}
              {mute.until !== null && <Until at={mute.until} />}
              {mute.reason !== '' && <bdi>: {mute.reason}</bdi>}
            </span>
          )}
        </span>
      </td>
      <td data-label="Tells">
        <span class="stack-tight">
          <span>{eventsText(rule.on)}</span>
          <span class="sub">
            {rule.severity === 'ERROR' ? 'errors only' : 'warnings and errors'}
            {rule.repeat_after_seconds === null
              ? ''
              : `, a lasting problem again after ${duration(rule.repeat_after_seconds)}`}
          </span>
        </span>
      </td>
      <td data-label="Of" class="break">
        {rule.select === null ? <span class="faint">everything</span> : <code>{rule.select}</code>}
      </td>
      <td data-label="Channels">
        <bdi>{rule.channels.join(', ')}</bdi>
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
        <span class="row tight">
          <Button busy={busy} onClick={() => void test()} title={`Send a sample by ${rule.name}`}>
            Test
          </Button>
          {mute !== null && mute.by !== 'Git' ? (
            <Button icon="play" busy={busy} onClick={() => void unmute()}>
              Unmute
            </Button>
          ) : (
            <Button icon="pause" disabled={!rule.enabled} onClick={() => onMute(rule)}>
              Mute…
            </Button>
          )}
        </span>
        {result !== null && <TestResult result={result} />}
      </td>
    </tr>
  );
}
