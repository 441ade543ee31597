import { createDetails } from './details.js';
import { byId, element } from './element.js';
import { createList } from './list.js';
import { actionButton, ask, copy, say, withKey } from './requests.js';
import { createSide } from './side.js';

/** @typedef {import('./types.js').Overview} Overview */

const hello = { version: '', showValues: false, canCheck: false };
const main = /** @type {HTMLElement} */ (document.querySelector('main'));

const list = createList({
  open: (id) => details.open(id),
  changed: (id) => details.changed(id),
});
const details = createDetails({
  opened(id) {
    list.table.mark(id);
    history.replaceState(null, '', `#${id}`);
  },
  closed() {
    list.table.mark('');
    history.replaceState(null, '', location.pathname);
  },
  showValues: () => hello.showValues,
});
const side = createSide({ canCheck: () => hello.canCheck });

function connect() {
  const events = new EventSource(withKey('events'));
  const connection = byId('connection');
  const on = (/** @type {string} */ name, /** @type {(data: any) => void} */ take) =>
    events.addEventListener(name, ({ data }) => take(JSON.parse(data)));

  events.addEventListener('open', () => {
    connection.textContent = 'live';
    connection.className = 'connection live';
  });
  events.addEventListener('error', () => {
    connection.textContent = 'not connected, trying again';
    connection.className = 'connection lost';
    // After a refusal the browser gives up by itself.
    if (events.readyState !== EventSource.CLOSED) return;
    setTimeout(connect, 3000);
    // Is it still the same start of the proxy? Loads the page again if not.
    ask('overview').catch(() => {});
  });
  on('hello', (news) => {
    Object.assign(hello, news);
    byId('version').textContent = hello.version;
    byId('banner').hidden = !hello.showValues;
    main.classList.toggle('with-banner', hello.showValues);
    list.show({ showValues: hello.showValues });
  });
  on('exchanges', (change) => list.take(change));
  on('overview', (/** @type {Overview} */ overview) => {
    side.take(overview);
    list.show({ showRoute: overview.routes.length > 1 });
    tellUpstreams(overview);
    fillEmpty(overview);
  });
}

/** @param {Overview} overview */
function tellUpstreams({ routes }) {
  byId('upstreams').textContent = routes
    .map(({ path, upstream, sandbox }) => `${path} → ${sandbox ? 'embedded sandbox' : upstream}`)
    .join(' · ');
}

/** What to do first. @param {Overview} overview */
function fillEmpty({ routes }) {
  const empty = byId('empty');
  if (empty.childElementCount > 0) return;
  const command = `curl ${location.origin}${routes[0]?.path ?? '/fhir'}/Patient`;
  empty.append(
    element('h2', {}, 'Nothing has been asked yet'),
    element(
      'p',
      {},
      'Send a request through the proxy. It needs no token, and appears here at once:',
    ),
    element(
      'div.command',
      {},
      element('code', {}, command),
      actionButton('Copy', () => copy(command, 'the command')),
    ),
    element(
      'p.quiet',
      {},
      `Or give your app ${location.origin}${routes[0]?.path ?? '/fhir'} as its FHIR base URL.`,
    ),
  );
}

/** Keys that work anywhere but in a text field. @type {Record<string, () => void>} */
const KEYS = {
  '/': () => byId('filter').focus(),
  '?': () => /** @type {HTMLDialogElement} */ (byId('keys')).showModal(),
  j: () => list.table.move(1),
  k: () => list.table.move(-1),
  ArrowDown: () => list.table.move(1),
  ArrowUp: () => list.table.move(-1),
  p: () => list.togglePause(),
  h: () => list.toggleHint(),
  c: () => details.copyCurl(),
};

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]'))
    return;
  const filter = /** @type {HTMLInputElement} */ (byId('filter'));
  const typing = event.target === filter;
  if (event.key === 'Escape') {
    const id = location.hash.slice(1);
    if (typing && filter.value !== '') {
      filter.value = '';
      filter.dispatchEvent(new Event('input'));
    } else if (details.isOpen()) {
      details.close();
      list.table.focus(id);
    }
    return;
  }
  if (typing) {
    if (event.key !== 'ArrowDown') return;
  } else if (
    event.key.startsWith('Arrow') &&
    /** @type {Element} */ (event.target).closest('#details, .side pre')
  )
    return;
  const act = KEYS[event.key];
  if (act === undefined) return;
  event.preventDefault();
  act();
});

byId('open-keys').addEventListener('click', () => KEYS['?']?.());
byId('clear').addEventListener('click', () => {
  ask('exchanges', 'DELETE').then(
    () => details.close(),
    (error) => say(error.message),
  );
});
for (const link of /** @type {Iterable<HTMLAnchorElement>} */ (
  document.querySelectorAll('a[data-with-key]')
)) {
  link.href = withKey(link.getAttribute('href') ?? '');
}
setInterval(() => side.tick(), 1000);
connect();
if (/^#[a-z0-9]+$/.test(location.hash)) details.open(location.hash.slice(1));
