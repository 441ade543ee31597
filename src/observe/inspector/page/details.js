import { buildBody } from './body-view.js';
import { byId, element } from './element.js';
import { buildFields } from './fields.js';
import { bytes, clock, duration } from './format.js';
import { actionButton, ask, copy, say } from './requests.js';
import { statusText, tokenText, tone } from './rows.js';
import { buildWaterfall } from './waterfall.js';

/** @typedef {import('./types.js').Detail} Detail @typedef {import('./types.js').Hint} Hint */

/**
 * The details of one exchange.
 *
 * @param {{ closed: () => void, opened: (id: string) => void, showValues: () => boolean }} on
 */
export function createDetails(on) {
  const panel = byId('details');
  const main = /** @type {HTMLElement} */ (document.querySelector('main'));
  /** @type {Detail | undefined} */
  let shown;
  let wanted = '';

  async function load(/** @type {string} */ id) {
    wanted = id;
    const detail = /** @type {Detail} */ (await ask(`exchanges/${id}`));
    if (wanted !== id) return;
    const isNew = shown?.id !== id;
    shown = detail;
    panel.replaceChildren(...build(detail, close, on.showValues()));
    panel.hidden = false;
    main.classList.add('with-details');
    if (isNew) panel.scrollTop = 0;
    on.opened(id);
  }

  function close() {
    if (wanted === '') return;
    wanted = '';
    shown = undefined;
    panel.hidden = true;
    main.classList.remove('with-details');
    on.closed();
  }

  return {
    /** @param {string} id */
    open(id) {
      load(id).catch((error) => {
        say(error.message);
        close();
      });
    },
    /** Loads again what is shown, if it has changed. @param {string} id */
    changed(id) {
      if (id === wanted) this.open(id);
    },
    close,
    isOpen: () => wanted !== '',
    copyCurl() {
      if (shown !== undefined) void copy(shown.curl, 'as curl');
    },
  };
}

/** @param {Detail} detail @param {() => void} close @param {boolean} showValues */
function build(detail, close, showValues) {
  const { requestFields, responseFields, requestBody, responseBody } = detail;
  return [
    buildHeader(detail, close, showValues),
    detail.error !== undefined && detail.hints.length === 0 && buildError(detail.error),
    ...detail.hints.map(buildHint),
    buildFacts(detail),
    detail.fieldsDropped === true &&
      element(
        'p.quiet',
        {},
        'Fields were not kept: more than 50 requests a second came while no page was open.',
      ),
    element('h3', {}, 'Timing'),
    buildWaterfall(detail),
    element(
      'h3',
      {},
      'Request ',
      element('span.quiet', {}, 'fields from the client, and to the upstream'),
    ),
    buildFields(requestFields.received, requestFields.sent),
    requestBody !== undefined && buildBody('Request body', requestBody),
    element('h3', {}, 'Answer ', element('span.quiet', {}, 'fields to the client')),
    buildFields(responseFields.returned, [], responseFields.withheld),
    responseBody !== undefined && buildBody('Answer body', responseBody),
    !showValues &&
      element(
        'p.quiet',
        {},
        'Ids, values and bodies are hidden, for they may be health data. ',
        element('code', {}, '--show-values'),
        ' shows them; credentials are never shown.',
      ),
  ].filter((part) => part !== false);
}

/** @param {Detail} detail @param {() => void} close @param {boolean} showValues */
function buildHeader(detail, close, showValues) {
  const { id, method, interaction, target, curl, canSendAgain } = detail;
  const sendAgain = actionButton(
    'Send again',
    async () => {
      const { status } = await ask(`exchanges/${id}/send-again`, 'POST');
      say(`Sent again: ${status}`);
    },
    canSendAgain ? {} : { title: 'Only GET and HEAD: bodies are not kept' },
  );
  sendAgain.disabled = !canSendAgain;
  return element(
    'header',
    {},
    element(
      'div.title',
      {},
      element('span', { className: `badge ${tone(detail)}` }, statusText(detail)),
      element('h2', {}, interaction),
      element('button', { type: 'button', onclick: close, title: 'Close (Esc)' }, 'Close'),
    ),
    element('p.request-line.mono', {}, `${method} ${target}`),
    element(
      'div.actions',
      {},
      actionButton('Copy as curl', () => copy(curl, 'as curl'), {
        title: showValues ? curl : 'Hidden ids and values stand as REDACTED',
      }),
      actionButton(
        'Copy report',
        async () =>
          copy(JSON.stringify(await ask(`exchanges/${id}/report`), undefined, 2), 'the report'),
        { title: 'JSON without values, for an issue or for "fhir-auth-proxy explain --exchange"' },
      ),
      sendAgain,
    ),
  );
}

/** @param {{ code: string, message: string }} error */
function buildError({ code, message }) {
  return element(
    'section.explained.failure',
    {},
    element('h3', {}, code),
    element('p', {}, message),
  );
}

/** @param {Hint} hint */
export function buildHint({ id, certainty, title, cause, fix, evidence }) {
  const row = (/** @type {string} */ name, /** @type {string} */ text, className = '') =>
    text === '' ? [] : [element('dt', {}, name), element('dd', { className }, text)];
  return element(
    'section.explained',
    { 'aria-label': `Hint: ${title}` },
    element('h3', {}, title, element('span.badge', {}, certainty)),
    element(
      'dl',
      {},
      ...row('Cause', cause),
      ...row('Fix', fix),
      ...row('Seen', evidence, 'mono'),
      element('dt', {}, 'More'),
      element('dd', {}, element('a', { href: `hints/${id}`, target: '_blank' }, id)),
    ),
  );
}

/** @param {Detail} detail */
function buildFacts(detail) {
  /** @type {[string, string][]} */
  const facts = [
    ['Arrived', clock(detail.time)],
    ['Took', duration(detail.timings.totalMs)],
    ['Route', detail.route ?? 'none'],
    ['Token', tokenText(detail) || 'none'],
    ['Ended', detail.outcome],
    ['Request body', bytes(detail.requestBytes)],
    ['Answer body', bytes(detail.responseBytes)],
    ['Parameters', detail.parameters.join(', ') || 'none'],
  ];
  return element(
    'dl.facts',
    {},
    ...facts.map(([name, text]) =>
      element('div', {}, element('dt', {}, name), element('dd', {}, text)),
    ),
  );
}
