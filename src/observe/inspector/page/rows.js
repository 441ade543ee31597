import { element, piece } from './element.js';
import { bytes, clock, duration } from './format.js';

/** @typedef {import('./types.js').Summary} Summary */

/** Class of colour of a status. @param {Summary} exchange */
export function tone({ status, outcome }) {
  if (outcome === 'pending') return '';
  if (outcome === 'client-gone') return '';
  if (outcome === 'upstream-died' || outcome === 'not-fhir') return 'bad';
  if (status >= 500 || status === 0) return 'bad';
  if (status >= 400) return 'warn';
  return status >= 300 ? 'info' : 'good';
}

/** What stands in the place of the status. @param {Summary} exchange */
export function statusText({ status, outcome }) {
  if (outcome === 'pending') return '…';
  if (outcome === 'client-gone') return 'gone';
  if (outcome === 'upstream-died') return 'died';
  if (outcome === 'not-fhir') return 'page';
  return String(status);
}

/** @param {Summary} exchange */
export function tokenText({ token, replayed }) {
  if (replayed) return 'replayed';
  return token === 'none' ? '' : token;
}

/**
 * One row of the list.
 *
 * @param {Summary} exchange
 * @param {{ longestMs: number, showRoute: boolean, showValues: boolean, open: (id: string) => void }} options
 */
export function buildRow(exchange, { longestMs, showRoute, showValues, open }) {
  const { id, interaction, route, target, hints, responseBytes, timings } = exchange;
  const label = showRoute && route !== undefined ? `${route} ${interaction}` : interaction;
  const [hint] = hints;
  return element(
    'tr',
    { className: hint === undefined ? '' : 'has-hint', onclick: () => open(id) },
    element('td.when', {}, clock(exchange.time)),
    element(
      'td.status',
      {},
      element('span', { className: `badge ${tone(exchange)}` }, statusText(exchange)),
    ),
    element(
      'td',
      {},
      element('button.open-row', { type: 'button', title: showValues ? target : label }, label),
      showValues && element('div.target.mono', {}, `${exchange.method} ${target}`),
    ),
    element('td.took', {}, buildTiming(timings, longestMs)),
    element('td.size', {}, bytes(responseBytes)),
    element(
      'td.token',
      {},
      exchange.replayed ? element('span.badge.warn', {}, 'replayed') : tokenText(exchange),
    ),
    element(
      'td.hint',
      {},
      hint !== undefined && element('span.badge.warn', { title: hint.title }, hint.id),
    ),
  );
}

/** Upstream and proxy time as a bar whose length grows with the logarithm of the whole. */
function buildTiming(/** @type {Summary['timings']} */ timings, /** @type {number} */ longestMs) {
  const { totalMs } = timings;
  if (totalMs === undefined) return element('div.timing', {}, element('span'), '…');
  const { before, upstream, body } = shares(timings);
  const length = (Math.log1p(totalMs) / Math.log1p(Math.max(longestMs, totalMs, 1))) * 100;
  const bar = element(
    'div.bar',
    {},
    piece('proxy', before * 100),
    piece('upstream', upstream * 100),
    piece('body', body * 100),
  );
  bar.style.width = `${Math.max(3, length)}%`;
  const title = `proxy ${duration(before * totalMs)}, upstream ${duration(upstream * totalMs)}, body ${duration(body * totalMs)}`;
  return element('div.timing', { title }, bar, duration(totalMs));
}

/** Shares of the whole: until sent, until the head came, until the end. */
function shares(/** @type {Summary['timings']} */ { tokenMs, sentMs, upstreamMs, totalMs = 0 }) {
  const whole = totalMs || 1;
  const sent = Math.min(sentMs ?? tokenMs ?? totalMs, totalMs);
  const head = upstreamMs === undefined ? totalMs : Math.min(Math.max(upstreamMs, sent), totalMs);
  return { before: sent / whole, upstream: (head - sent) / whole, body: (totalMs - head) / whole };
}
