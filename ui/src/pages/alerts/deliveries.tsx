import { useState } from 'preact/hooks';
import type { AlertDelivery } from '../../../../src/server/contract/alert.ts';
import { segment } from '../../api/client.ts';
import { Button, Segmented } from '../../components/controls.tsx';
import { Load } from '../../components/load.tsx';
import { Section } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { Ago, Until } from '../../components/time.tsx';
import { plural } from '../../lib/format.ts';
import type { ListPage } from '../../lib/list-page.ts';
import { query, setQuery } from '../../router.ts';
import { concernsAlerts } from '../../state/concerns.ts';
import { act } from '../../state/launch.ts';
import { useOlder } from '../../state/older.ts';
import { useResource } from '../../state/resource.ts';
import { deliveryShown, resultText } from './words.ts';

const ANY = 'any';
const CHOICES = [
  { value: ANY, text: 'All' },
  { value: 'failed', text: 'Failed' },
  { value: 'waiting', text: 'Waiting' },
  { value: 'sent', text: 'Sent' },
  { value: 'muted', text: 'Muted' },
] as const;

/** What was told to whom, and what became of it. */
export function Deliveries() {
  const status = CHOICES.find(({ value }) => value === query('status'))?.value ?? ANY;
  const path = `/alerts/deliveries?limit=50${status === ANY ? '' : `&status=${status}`}`;
  const first = useResource<ListPage<AlertDelivery>>(path, concernsAlerts);
  return (
    <Section title="Messages">
      <div class="toolbar">
        <Segmented
          label="Status"
          value={status}
          choices={CHOICES}
          onChoose={(value) => setQuery({ status: value === ANY ? '' : value })}
        />
      </div>
      <Load from={first} what="Messages">
        {(page) => <Found key={path} path={path} page={page} filtered={status !== ANY} />}
      </Load>
    </Section>
  );
}

function Found({ path, page, filtered }: { path: string; page: ListPage<AlertDelivery>; filtered: boolean }) {
  const { all, hasMore, busy, more } = useOlder(
    path,
    page,
    ({ delivery_id }) => delivery_id,
    'Older messages could not be loaded',
  );
  if (all.length === 0) {
    return <p class="faint">{filtered ? 'No message is like that.' : 'Nothing was told yet.'}</p>;
  }
  return (
    <>
      <div class="table-frame">
        <table class="table cards alert-table">
          <caption class="sr-only">Messages, newest first</caption>
          <thead>
            <tr>
              <th scope="col">Status</th>
              <th scope="col">Message</th>
              <th scope="col">Rule</th>
              <th scope="col">Channel</th>
              <th scope="col">When</th>
              <th scope="col">
                <span class="sr-only">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {all.map((delivery) => (
              <Row key={delivery.delivery_id} delivery={delivery} />
            ))}
          </tbody>
        </table>
      </div>
      {hasMore && (
        <p class="more-line">
          <Button busy={busy} onClick={() => void more()}>
            Older messages
          </Button>
        </p>
      )}
    </>
  );
}

function Row({ delivery }: { delivery: AlertDelivery }) {
  const [busy, setBusy] = useState(false);
  const retry = async (): Promise<void> => {
    setBusy(true);
    const path = `/alerts/deliveries/${segment(delivery.delivery_id)}/retry`;
    await act(path, {}, 'It was not tried again');
    setBusy(false);
  };
  const { status, attempts, next_attempt_at: next, rule } = delivery;
  const text = resultText(delivery);
  return (
    <tr data-row>
      <td class="cell-status">
        <Status shown={deliveryShown(delivery)} />
      </td>
      <th scope="row" class="cell-what">
        <bdi>{delivery.title}</bdi>
        {text !== '' && (
          <span class={status === 'failed' ? 'sub tone-text-bad' : 'sub'}>
            <bdi>{text}</bdi>
          </span>
        )}
      </th>
      <td data-label="Rule">{rule === null ? <span class="faint">test</span> : <bdi>{rule}</bdi>}</td>
      <td data-label="Channel">
        <bdi>{delivery.channel}</bdi>
      </td>
      <td data-label="When">
        <span class="stack-tight">
          <Ago at={delivery.created_at} />
          {attempts > 1 && <span class="sub">{plural(attempts, 'attempt')}</span>}
          {next !== null && attempts > 0 && (
            <span class="sub">
              again <Until at={next} />
            </span>
          )}
        </span>
      </td>
      <td class="right cell-actions">
        {status === 'failed' && !delivery.test && (
          <Button icon="retry" busy={busy} onClick={() => void retry()}>
            Try again
          </Button>
        )}
      </td>
    </tr>
  );
}
