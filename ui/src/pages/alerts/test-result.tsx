import type { AlertTestResult } from '../../../../src/server/contract/alert.ts';
import { Status } from '../../components/status.tsx';
import { deliveryShown, resultText } from './words.ts';

/** What became of a test, where its button is. */
export function TestResult({ result }: { result: AlertTestResult }) {
  return (
    <ul class="plain-list test-result" role="status">
      {result.items.map((delivery) => (
        <li key={delivery.delivery_id}>
          <Status shown={deliveryShown(delivery)} />{' '}
          <span class="faint">
            <bdi>{result.items.length > 1 ? `${delivery.channel}: ` : ''}</bdi>
            <bdi>{resultText(delivery)}</bdi>
          </span>
        </li>
      ))}
    </ul>
  );
}
