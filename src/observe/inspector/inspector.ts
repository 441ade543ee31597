/**
 * The inspector: what people see of the proxy at work, at `/_proxy/` of its own port. Everything
 * here is answered from memory; who may ask has been decided by the gate.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { PublicBase } from '../../config/public-base.ts';
import type { Metrics } from '../metrics.ts';
import type { Recorder } from '../recorder.ts';
import { performAction, type InspectorActions } from './actions.ts';
import { sendEmpty, sendError, sendJson, sendText } from './answers.ts';
import { createEventStreams } from './event-streams.ts';
import { answerExchanges } from './exchanges.ts';
import { buildOverview, type RouteState } from './overview.ts';
import { sendPage, sendPageFile } from './page-files.ts';
import { createPageKey, type PageKey } from './page-key.ts';
import { buildStatus } from './status.ts';

/** What the inspector shows and does. */
export interface InspectorOptions {
  /** Version of this program. */
  version: string;
  /** What a client calls the proxy by. */
  publicBase: PublicBase;
  recorder: Recorder;
  metrics: Metrics;
  /** The routes and the state of their tokens; asked whenever somebody looks. */
  routes: () => readonly RouteState[];
  actions: InspectorActions;
  /** Milliseconds since the epoch; default `Date.now`. */
  now?: () => number;
}

/** The inspector. */
export interface Inspector {
  /**
   * Answers a request below `/_proxy`; returns false, and does nothing, when the path is not one of
   * its own.
   */
  handle(request: IncomingMessage, response: ServerResponse, path: string): boolean;
  /** Ends the event streams, so that the server can stop. */
  close(): void;
}

/** Creates the inspector; nothing is read or computed before somebody looks. */
export function createInspector(options: InspectorOptions): Inspector {
  const { version, recorder, routes, actions, now = Date.now } = options;
  const key = createPageKey();
  const overview = () => buildOverview(routes(), recorder, now());
  const canCheck = actions.check !== undefined;
  const streams = createEventStreams({ version, canCheck, recorder, overview });
  const exact = new Map<string, Place>([
    ...createPlaces(options, key),
    ['/events', { methods: ['GET'], answer: streams.open }],
    [
      '/overview',
      { methods: READ, answer: (_request, response) => sendJson(response, overview()) },
    ],
  ]);
  const below = createPlacesBelow(options);

  return {
    handle(request, response, path) {
      if (!path.startsWith('/_proxy')) return false;
      const rest = path.slice('/_proxy'.length);
      const prefix = below.find(([prefix]) => rest.startsWith(prefix));
      const place = exact.get(rest) ?? prefix?.[1];
      if (place === undefined) return false;
      const allow = place.methods.join(', ');
      if (!place.methods.includes(request.method ?? 'GET')) {
        sendError(response, 405, `this path takes ${allow}`, ['Allow', allow]);
      } else if (!isOwnPage(request)) {
        sendError(response, 403, 'only the inspector page itself may ask for this from a browser');
      } else if (!isOpenToAll(rest) && !key.mayAsk(request)) {
        sendError(
          response,
          403,
          'this page has no key of the inspector, or one of an earlier start: open /_proxy/ again',
        );
      } else {
        answerSafely(response, () =>
          place.answer(request, response, rest.slice(prefix?.[0].length ?? 0)),
        );
      }
      return true;
    },
    close: () => streams.close(),
  };
}

/** The page and its files hold nothing of anyone; the page itself judges who opens it. */
function isOpenToAll(rest: string): boolean {
  return rest === '' || rest === '/' || rest.startsWith('/page/');
}

/** A defect behind one path costs this response and nothing else. */
function answerSafely(response: ServerResponse, answer: () => void): void {
  try {
    answer();
  } catch {
    if (response.headersSent) response.destroy();
    else sendError(response, 500, 'the inspector itself failed at this');
  }
}

/** What answers at a path. */
interface Place {
  methods: readonly string[];
  /** @param rest what follows the path, for places that have paths below them */
  answer: (request: IncomingMessage, response: ServerResponse, rest: string) => void;
}

const READ: readonly string[] = ['GET', 'HEAD'];

/** Paths without anything below them. */
function createPlaces(options: InspectorOptions, key: PageKey): [path: string, Place][] {
  const { version, recorder, metrics, routes, now = Date.now } = options;
  const startedAtMs = now();
  const read = (path: string, answer: (response: ServerResponse) => void): [string, Place] => [
    path,
    { methods: READ, answer: (_request, response) => answer(response) },
  ];
  return [
    read('', (response) => sendEmpty(response, 308, ['Location', '/_proxy/'])),
    [
      '/',
      {
        methods: READ,
        answer(request, response) {
          if (key.mayOpenPage(request)) sendPage(response, key.text);
          else
            sendError(
              response,
              403,
              'the inspector is opened by a person, not by a script or frame',
            );
        },
      },
    ],
    read('/status', (response) =>
      sendJson(
        response,
        buildStatus(routes(), { version, startedAtMs, now: now(), recorder, metrics }),
      ),
    ),
    read('/metrics', (response) => {
      metrics.render().then(
        (page) => sendText(response, metrics.contentType, page),
        () => sendError(response, 500, 'the metrics could not be put together'),
      );
    }),
  ];
}

/** Paths with others below them. */
function createPlacesBelow(options: InspectorOptions): [prefix: string, Place][] {
  const { version, publicBase, recorder, routes, actions } = options;
  return [
    [
      '/page/',
      { methods: READ, answer: (_request, response, rest) => sendPageFile(response, rest) },
    ],
    [
      '/exchanges',
      {
        methods: ['GET', 'HEAD', 'POST', 'DELETE'],
        answer: (request, response, rest) =>
          answerExchanges(request, response, rest, { version, publicBase, recorder }),
      },
    ],
    [
      '/routes/',
      {
        methods: ['POST'],
        answer: (_request, response, rest) => performAction(response, rest, routes, actions),
      },
    ],
  ];
}

/**
 * Whether a request comes from the inspector's own page, from an address typed by hand, or from no
 * browser at all. Stricter than the gate, which lets apps on other local ports ask for FHIR.
 */
function isOwnPage({ headers }: IncomingMessage): boolean {
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  const sameSite = site === undefined || site === 'same-origin' || site === 'none';
  const sameOrigin = origin === undefined || /^https?:\/\/(.*)$/.exec(origin)?.[1] === host;
  return sameSite && sameOrigin;
}
