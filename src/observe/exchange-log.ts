import type { Clock, Exchange, Hint } from '../base/contracts.ts';
import { quoteLogLine } from '../base/quoted-line.ts';
import type { LineLogger, LogLevel } from './logger.ts';
import { formatBytes, formatClock, formatDuration, oneLine, wrap, type Palette } from './pretty.ts';
import { redactText } from './redaction.ts';

/** How exchanges are logged. */
export interface ExchangeLogOptions {
  logger: LineLogger;
  /** Whether to show the request target, which may hold health data; default false. */
  showValues?: boolean;
  /** Whether pretty lines name the route, for more than one route; asked for every line. Default never. */
  showRoute?: () => boolean;
  /** Where to read more about a hint; default `/_proxy/hints/ID`. */
  hintUrl?: (id: string) => string;
  /** Width of the terminal in columns; default 100. */
  columns?: number;
  /** Default: the system clock. */
  clock?: Clock;
}

/** A hint that was explained less than this many milliseconds ago is only named. */
const EXPLAIN_AGAIN_MS = 60_000;

/**
 * Creates the function that logs one line per finished exchange: `warn` for what failed and for
 * 5xx, `debug` for what the proxy answered by itself (reserved paths, preflights), also when the client left, else `info`.
 *
 * JSON lines are flat; their names are stable, and what is unknown is left out:
 *
 * | field | what |
 * |---|---|
 * | `level`, `time`, `msg` | severity, end of the exchange (ISO 8601, UTC), always `exchange` |
 * | `id`, `route`, `method` | exchange id, path of the route, request method |
 * | `interaction` | `search Patient`, `read Observation`, `$export`; never an id or a value |
 * | `parameters` | names of the query's parameters, comma-separated |
 * | `target` | path and query; only when values are shown |
 * | `status`, `outcome` | status sent (0: none), how it ended ({@link Exchange} `outcome`) |
 * | `durationMs`, `tokenMs`, `upstreamMs` | milliseconds from the request head until the end, the token, the head of the answer |
 * | `requestBytes`, `responseBytes` | body bytes |
 * | `token`, `replayed` | `none`, `cached`, `fresh` or `stale`; whether a 401 was cured by a replay |
 * | `error`, `errorMessage` | code and message of the proxy's own error |
 * | `hint`, `hintTitle`, `hintCause`, `hintFix`, `hintUrl` | first hint; its texts only when not given within the last 60 s |
 * | `otherHints` | ids of further hints, comma-separated |
 */
export function createExchangeLog(options: ExchangeLogOptions): (exchange: Exchange) => void {
  const { logger, clock = Date, hintUrl = (id) => `/_proxy/hints/${id}` } = options;
  const isNew = createHintMemory();
  const format = logger.format === 'json' ? formatJson : createPrettyFormat(logger, options);

  return (exchange) => {
    const level = levelOf(exchange);
    if (!logger.enabled(level)) return;
    const now = clock.now();
    logger.line(format(exchange, level, now, (hint) => isNew(hint, now), hintUrl));
  };
}

const FAILED: ReadonlySet<Exchange['outcome']> = new Set(['failed', 'not-fhir', 'upstream-died']);

/** Severity of the line of an exchange. */
function levelOf(exchange: Exchange): LogLevel {
  const { outcome, status, route } = exchange;
  const own = outcome === 'answered' || (outcome === 'client-gone' && route === undefined);
  if (own && status < 400) return 'debug';
  return FAILED.has(outcome) || status >= 500 ? 'warn' : 'info';
}

type Format = (
  exchange: Exchange,
  level: LogLevel,
  now: number,
  isNew: (hint: Hint) => boolean,
  hintUrl: (id: string) => string,
) => string;

/** Most hints remembered; more than the catalogue has, for a hint may speak of several scopes. */
const MOST_REMEMBERED = 500;

function createHintMemory(): (hint: Hint, now: number) => boolean {
  const explainedAt = new Map<string, number>();
  return ({ id, cause }, now) => {
    // The same hint about another scope or resource type is news.
    const key = `${id} ${cause}`;
    if (now - (explainedAt.get(key) ?? -Infinity) < EXPLAIN_AGAIN_MS) return false;
    if (explainedAt.size >= MOST_REMEMBERED) explainedAt.clear();
    explainedAt.set(key, now);
    return true;
  };
}

/**
 * Put together by hand: `JSON.stringify` of such an object costs three times as much, and this is
 * done for every request.
 */
const formatJson: Format = (exchange, level, now, isNew, hintUrl) => {
  const { timings, error, hints, parameterNames } = exchange;
  let line =
    `{"level":"${level}","time":"${isoTime(now)}","msg":"exchange"` +
    text('id', exchange.id) +
    text('route', exchange.route) +
    text('method', exchange.method) +
    text('interaction', exchange.interaction?.label) +
    text('parameters', parameterNames?.join(',') || undefined) +
    text('target', exchange.target) +
    `,"status":${exchange.status},"outcome":"${exchange.outcome}"` +
    milliseconds('durationMs', timings.totalMs) +
    milliseconds('tokenMs', timings.tokenMs) +
    milliseconds('upstreamMs', timings.upstreamMs) +
    `,"requestBytes":${exchange.requestBytes},"responseBytes":${exchange.responseBytes}` +
    `,"token":"${exchange.tokenOrigin}","replayed":${exchange.replayed}`;
  if (error !== undefined) {
    line += text('error', error.code) + text('errorMessage', redactText(error.message));
  }
  const [hint, ...others] = hints;
  if (hint !== undefined) {
    line += text('hint', hint.id);
    if (isNew(hint)) {
      line += text('hintTitle', hint.title) + text('hintCause', hint.cause);
      line += text('hintFix', hint.fix) + text('hintUrl', hintUrl(hint.id));
    }
    line += text('otherHints', others.map(({ id }) => id).join(',') || undefined);
  }
  return `${line}}\n`;
};

/** Texts that stand in JSON as they are. */
const PLAIN = /^[ !#-[\]-~]*$/;

function text(name: string, value: string | undefined): string {
  if (value === undefined) return '';
  return `,"${name}":${PLAIN.test(value) ? `"${value}"` : JSON.stringify(value)}`;
}

/** Three decimals: what is below a microsecond is noise. */
function milliseconds(name: string, ms: number | undefined): string {
  return ms === undefined ? '' : `,"${name}":${Math.round(ms * 1000) / 1000}`;
}

let isoAtMs = Number.NaN;
let isoText = '';

/** ISO 8601 in UTC; remembers the last millisecond, in which many exchanges may end. */
function isoTime(atMs: number): string {
  if (atMs !== isoAtMs) {
    isoAtMs = atMs;
    isoText = new Date(atMs).toISOString();
  }
  return isoText;
}

/** Indent of what stands under a line: below the interaction. */
const INDENT = ' '.repeat(20);

function createPrettyFormat(logger: LineLogger, options: ExchangeLogOptions): Format {
  const { palette } = logger;
  const { showValues = false, showRoute = () => false, columns = 100 } = options;
  const textWidth = Math.max(40, Math.min(columns, 110) - INDENT.length - 7);

  return (exchange, _level, now, isNew, hintUrl) => {
    const { timings, error, hints } = exchange;
    const lines = [
      [
        palette.dim(formatClock(now)),
        paintStatus(exchange, palette),
        labelOf(exchange, showRoute()).padEnd(28),
        formatDuration(timings.totalMs).padStart(9),
        formatBytes(exchange.responseBytes).padStart(7),
        tokenText(exchange, palette),
      ].join('  '),
    ];
    const below = (name: string, text: string) => {
      wrap(text, textWidth).forEach((part, index) => {
        lines.push(`${INDENT}${palette.dim((index === 0 ? name : '').padEnd(7))}${part}`);
      });
    };
    if (showValues && exchange.target !== undefined) below('target', exchange.target);
    if (error !== undefined) below('error', `${error.code}: ${redactText(error.message)}`);
    for (const hint of hints) {
      if (!isNew(hint)) {
        lines.push(`${INDENT}${palette.yellow('hint   ')}${hint.id}${palette.dim(' (see above)')}`);
        continue;
      }
      lines.push(`${INDENT}${palette.yellow('hint   ')}${palette.bold(oneLine(hint.title))}`);
      below('cause', hint.cause);
      below('fix', hint.fix);
      const logLine = quoteLogLine(hint);
      if (logLine !== undefined) below('log', oneLine(redactText(logLine)));
      lines.push(`${INDENT}${palette.dim('more   ')}${palette.cyan(hintUrl(hint.id))}`);
    }
    return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
  };
}

function labelOf(exchange: Exchange, showRoute: boolean): string {
  const { interaction, method, route } = exchange;
  const label = interaction === undefined ? `${method} (no route)` : interaction.label;
  return showRoute && route !== undefined ? `${route} ${label}` : label;
}

function paintStatus(exchange: Exchange, palette: Palette): string {
  const { status, outcome } = exchange;
  if (outcome === 'client-gone') return palette.dim('gone');
  if (outcome === 'upstream-died') return palette.red('died');
  if (outcome === 'not-fhir') return palette.red('page');
  const text = `${status} `;
  if (status >= 500 || status === 0) return palette.red(text);
  if (status >= 400) return palette.yellow(text);
  return status >= 300 ? palette.cyan(text) : palette.green(text);
}

function tokenText(exchange: Exchange, palette: Palette): string {
  const origin = exchange.tokenOrigin === 'none' ? '' : exchange.tokenOrigin;
  const text = exchange.replayed ? `${origin}, replayed`.replace(/^, /, '') : origin;
  return exchange.replayed || origin === 'stale' ? palette.yellow(text) : palette.dim(text);
}
