/** Cases of the FHIR endpoints. Bulk export stands beside, in `export-cases.ts`. */
import type { TokenRow } from '../../../src/sandbox/exchange.ts';
import { compareSurvey } from './absolute-urls.ts';
import { numbers, type CaseTable, type ConformanceCase } from './cases.ts';
import { EXPORT_CASES } from './export-cases.ts';
import { compareLifetime } from './lifetime.ts';
import { loadRecordedData } from './recorded-data.ts';
import { signJwt } from './stage.ts';
import type { Stage } from './stage.ts';
import type { Transcript } from './transcript.ts';

/** The recorded request, to a server with the recorded data. */
export const plain: ConformanceCase = { prepare: (stage) => loadRecordedData(stage) };

const withSettings = (
  settings: Partial<Stage['sandbox']['state']['settings']>,
  rest: ConformanceCase = {},
): ConformanceCase => ({
  ...rest,
  prepare: (stage) => {
    loadRecordedData(stage);
    Object.assign(stage.sandbox.state.settings, settings);
  },
});

/** A request whose token goes through something first. */
const withToken = (
  change: (token: string, stage: Stage, transcript: Transcript) => string | Promise<string>,
): ConformanceCase => ({
  ...plain,
  run: async (stage, transcript) => {
    const token = await issueRecorded(stage, transcript);
    return stage.replay(transcript, { bearer: await change(token, stage, transcript) });
  },
});

/** The failure was there, and is over when the request comes. */
const withFaults = (after: Parameters<Stage['sandbox']['setFaults']>[0]): ConformanceCase => ({
  prepare: (stage) => {
    loadRecordedData(stage);
    stage.sandbox.setFaults({ 'database-down': true, 'php-fpm-down': true });
    stage.sandbox.setFaults({ 'database-down': false, 'php-fpm-down': false, ...after });
  },
});

const withPatients = (count: number): ConformanceCase => ({
  prepare: (stage) => loadRecordedData(stage, count),
  // Names and addresses of the further patients were not recorded.
  compare: { sameLength: false },
});

const TOKENS: CaseTable = {
  ...numbers('301 303 304 305 306 312 319 321 323 731', plain),
  308: withToken((token) => replaceSignature(token, 'A'.repeat(342))),
  309: withToken((token, stage) =>
    signJwt({ typ: 'JWT', alg: 'RS256' }, stage.keys.foreign, claimsOf(token)),
  ),
  310: withToken((token) => {
    const [header, , signature] = token.split('.');
    const claims = claimsOf(token);
    const later = { ...claims, exp: Number(claims['exp']) + 3600 };
    const payload = Buffer.from(JSON.stringify(later)).toString('base64url');
    return `${header}.${payload}.${signature}`;
  }),
  311: {
    ...plain,
    request: (stage, { request }) => {
      const assertion = request.bearer_decoded;
      return { bearer: signJwt(assertion?.header ?? {}, stage.keys.k1, assertion?.claims ?? {}) };
    },
  },
  313: withToken((token, { sandbox }) => {
    rowOf(sandbox, token).expiresAtSeconds -= 3600;
    return token;
  }),
  314: withToken((token, { sandbox }) => {
    rowOf(sandbox, token).revoked = true;
    return token;
  }),
  315: withToken((token, { sandbox }) => {
    sandbox.state.tokens.delete(String(claimsOf(token)['jti']));
    return token;
  }),
  316: plain,
  317: withToken((token, stage) => {
    stage.client(stage.server.clients.disabledLater).enabled = false;
    return token;
  }),
  324: withToken(async (token, stage, transcript) => {
    await issueRecorded(stage, transcript);
    return token;
  }),
  325: withToken((_first, stage, transcript) => issueRecorded(stage, transcript)),
  732: {
    ...plain,
    run: async (stage, transcript) =>
      stage.replay(transcript, {
        bearer: await stage.issueToken(stage.server.clients.main, 'system/Patient.read'),
      }),
  },
};

const READS: CaseTable = {
  ...numbers('326 327 328 329 331 333 334 335 338 340 342 344 345 348 349 350 352 354 355', plain),
  ...numbers('356 358 359 360 361 362 363 364 365 366 367 368 370 372 374 377 379', plain),
  // It carries the day of the answer.
  373: {
    ...plain,
    compare: { normaliseBody: (body) => ({ ...(body as object), date: '<day>' }) },
  },
  // The recording joined the fields in another order.
  369: {
    ...plain,
    request: ({ server }) => ({ fields: { Host: new URL(server.origin).host } }),
    compare: { sameLength: false },
  },
  ...numbers('382 384 385 386 388 391 392 393 395 398', plain),
  389: withSettings({ emptySites: ['nope'] }),
  390: withSettings({ emptySites: ['nope'] }),
  412: { ...plain, request: { fields: { 'X-Long': 'x'.repeat(9000) } } },
  ...numbers('413 414 415 416 417', plain),
  420: withToken((token, { sandbox }) => {
    sandbox.state.settings.systemScopes = false;
    return token;
  }),
  418: withSettings({ fhirApi: false }),
  419: withSettings({ fhirApi: false }),
  ...numbers('711 712 713 714 718 719 721 723 724 726 727 729 735 736 737 738 740 741', plain),
  744: withSettings({ debugLog: true }),
};

const SITE_ADDRESS: CaseTable = {
  269: withSettings({ siteAddress: '' }, { tls: true }),
  400: withSettings({ siteAddress: '' }, { tls: true }),
  401: withSettings({ siteAddress: '' }, { tls: true }),
  402: withSettings({ siteAddress: '' }, { tls: true }),
  403: withSettings({ siteAddress: '' }),
  404: withSettings({ siteAddress: '' }),
  700: { check: compareSurvey },
};

const BIG: CaseTable = {
  491: withPatients(2012),
  492: withPatients(2012),
  493: {
    prepare: (stage, { response }) => {
      // The page begins with the patient after the 2,000th.
      const [, first = ''] =
        /"fullUrl":"[^"]*\/Patient\/([^"]*)"/.exec(String(response.body)) ?? [];
      loadRecordedData(stage, 2012, { 2001: first });
    },
    compare: { sameLength: false },
  },
  494: withPatients(10_012),
  495: withPatients(10_012),
};

const FAILURES: CaseTable = {
  481: withToken((token, stage) => {
    stage.moveClock(305_000);
    return token;
  }),
  482: { check: compareLifetime },
  // The wait itself is not compared, only that an answer comes at the end of it.
  508: withFaults({ 'slow-answer': 50 }),
  513: withFaults({ 'database-down': false }),
  516: withFaults({ 'php-fpm-down': false }),
};

/** By number of the transcript. */
export const FHIR_CASES: CaseTable = {
  ...TOKENS,
  ...READS,
  ...SITE_ADDRESS,
  ...numbers('471 472 473 474 475 476 478', plain),
  ...BIG,
  ...FAILURES,
  ...EXPORT_CASES,
};

/** A token as the recorded one: the same client and scopes. */
async function issueRecorded(stage: Stage, { request }: Transcript): Promise<string> {
  const claims = request.bearer_decoded?.claims ?? {};
  const scopes = (claims['scopes'] as string[]).filter((scope) => !scope.startsWith('site:'));
  return stage.issueToken(String(claims['aud']), scopes.join(' '));
}

function rowOf({ state }: Stage['sandbox'], token: string): TokenRow {
  const row = state.tokens.get(String(claimsOf(token)['jti']));
  if (row === undefined) throw new Error('the token has no row');
  return row;
}

function claimsOf(token: string): Record<string, unknown> {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8');
  return JSON.parse(payload) as Record<string, unknown>;
}

function replaceSignature(token: string, signature: string): string {
  return `${token.split('.').slice(0, 2).join('.')}.${signature}`;
}
