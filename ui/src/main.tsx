import { render } from 'preact';
import { startLive } from './live/connection.ts';
import { startRouter } from './router.ts';
import { App } from './shell/app.tsx';
import { startShortcuts } from './shell/shortcuts.ts';
import { firstContact } from './state/first-contact.ts';

startRouter();
startShortcuts();
const root = document.getElementById('app');
if (root !== null) render(<App />, root);

// Without an answer the stream starts at the beginning: the service then says `reset`, and all is fetched.
void firstContact.then((contact) => startLive('instance' in contact ? contact.instance.last_event_id : 0));
