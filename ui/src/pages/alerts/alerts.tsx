import { useState } from 'preact/hooks';
import type { AlertOverview, AlertRule } from '../../../../src/server/contract/alert.ts';
import { Empty } from '../../components/feedback.tsx';
import { Load } from '../../components/load.tsx';
import { Page, Section } from '../../components/page.tsx';
import { concernsAlerts } from '../../state/concerns.ts';
import { useResource } from '../../state/resource.ts';
import { Channels } from './channels.tsx';
import { Deliveries } from './deliveries.tsx';
import { MuteDialog } from './mute-dialog.tsx';
import { Rules } from './rules.tsx';

/** Who is told of what, whether it works, and what was told. Rules are Git's: here they are tested and muted. */
export function Alerts() {
  const overview = useResource<AlertOverview>('/alerts', concernsAlerts);
  const [muting, setMuting] = useState<AlertRule | null>(null);
  return (
    <Page title="Alerts" wide>
      <Load from={overview} what="Alerts">
        {({ rules, channels }) =>
          rules.length + channels.length === 0 ? (
            <None />
          ) : (
            <>
              <Section title="Rules" aside={<span class="count">{rules.length}</span>}>
                {rules.length === 0 ? (
                  <p class="faint">No rule sends anything to the channels below.</p>
                ) : (
                  <Rules rules={rules} onMute={setMuting} onChanged={overview.refresh} />
                )}
              </Section>
              <Section title="Channels" aside={<span class="count">{channels.length}</span>}>
                <Channels channels={channels} onChanged={overview.refresh} />
              </Section>
            </>
          )
        }
      </Load>
      <Deliveries />
      {muting !== null && (
        <MuteDialog rule={muting} onClose={() => setMuting(null)} onChanged={overview.refresh} />
      )}
    </Page>
  );
}

function None() {
  return (
    <Empty icon="alerts" title="Nobody is told of anything">
      <p>
        Add channels and rules to the <code>dagster.yaml</code> at the root of the repository and push it:
      </p>
      <pre class="code-sample">
        {`alerts:
  channels:
    data-team: { type: slack, url: "\${ELT_ALERT_SLACK_URL}" }
  rules:
    - name: failures
      on: [run_failure]
      channels: [data-team]`}
      </pre>
    </Empty>
  );
}
