import { createHmac } from 'node:crypto';

export interface Delivery {
  readonly url: string;
  readonly secret: string;
  /** Address of the repository that was pushed to. */
  readonly repo: string;
  readonly commit: string;
  /** Any number; the same one is the same delivery. */
  readonly id: number;
}

/** What GitHub sends after a push to `main`, signed. */
export function deliverPush({ url, secret, repo, commit, id }: Delivery): Promise<Response> {
  const body = JSON.stringify({
    ref: 'refs/heads/main',
    after: commit,
    repository: { clone_url: repo, full_name: 'shop/pipelines' },
  });
  return fetch(new URL('/webhooks/github', url), {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-github-delivery': `00000000-0000-0000-0000-${String(id).padStart(12, '0')}`,
      'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
    },
  });
}
