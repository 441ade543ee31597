/** Cases of the token endpoint, of registration and of a broken server. */
import { numbers, type CaseTable, type ConformanceCase } from './cases.ts';
import { JWKS_CASES } from './jwks-cases.ts';
import type { Stage } from './stage.ts';

/** The recorded request on a fresh stage. */
const plain: ConformanceCase = {};

const withSettings = (
  settings: Partial<Stage['sandbox']['state']['settings']>,
): ConformanceCase => ({
  prepare: (stage) => void Object.assign(stage.sandbox.state.settings, settings),
});

/** The site address with a slash at its end. */
function addSlash({ sandbox, server }: Stage): void {
  sandbox.state.settings.siteAddress = `${server.origin}/`;
}

/** Changes one character in the middle of the signature. */
const tamper = (assertion: string): string => {
  const at = assertion.length - 100;
  const other = assertion[at] === 'A' ? 'B' : 'A';
  return assertion.slice(0, at) + other + assertion.slice(at + 1);
};

const TOKEN: CaseTable = {
  ...numbers('1 2 3 4 5 6 8 9 10 11 13 14 15 16 17 18', plain),
  12: { request: { alter: (assertion) => assertion.split('.').slice(0, 2).join('.') } },
  ...numbers('20 21 22 23 24 25 26 28 29 30 33 34 35', plain),
  ...numbers('36 37 39 40 41 42 43 44 45 46 47 49 50 51 52 54 55', plain),
  57: plain,
  58: { prepare: sendBefore },
  59: plain,
  60: { prepare: sendBefore },
  62: plain,
  65: { request: (stage) => ({ signWith: stage.keys.e1 }) },
  ...numbers('66 68 70 71', plain),
  72: { request: (stage) => ({ signWith: stage.keys.foreign }) },
  73: { request: { alter: tamper } },
  74: { request: (stage) => ({ signWith: stage.keys.foreign }) },
  75: plain,
  ...numbers('76 78 80 81 82 83 85', plain),
  // The id_token is as long as the claims of the installation make it.
  86: { compare: { sameLength: false } },
  ...numbers('87 88 89 90 91 92 93 94 95', plain),
  97: { request: { form: { scope: Array(2000).fill('system/Patient.read').join(' ') } } },
  98: {
    request: {
      form: { scope: Array.from({ length: 1000 }, (_, i) => `system/X${i}.read`).join(' ') },
    },
  },
  ...numbers('99 100 104 105 106 107 108 109 110 111 112 113', plain),
  114: { request: (stage) => ({ signWith: stage.keys.foreign }) },
  ...numbers('115 117 118 119 120 121 122 123', plain),
};

const SETTINGS: CaseTable = {
  261: plain,
  262: withSettings({ systemScopes: false }),
  263: withSettings({ systemScopes: false }),
  264: withSettings({ fhirApi: false }),
  265: withSettings({ fhirApi: false, standardApi: false, portalApi: false }),
  266: withSettings({ standardApi: false, portalApi: false }),
  268: { ...withSettings({ siteAddress: '' }), tls: true },
  270: { prepare: addSlash },
  271: { prepare: addSlash },
  272: withSettings({ siteAddress: 'https://ehr.example' }),
  273: withSettings({ siteAddress: 'https://ehr.example' }),
  380: plain,
  267: { ...withSettings({ siteAddress: '' }), tls: true },
  405: { ...withSettings({ siteAddress: '' }), tls: true },
  406: { ...withSettings({ siteAddress: '' }), tls: true },
  407: { ...withSettings({ siteAddress: '' }), tls: true },
  408: { ...withSettings({ siteAddress: '' }), tls: true },
  409: withSettings({ siteAddress: '' }),
  410: withSettings({ siteAddress: '' }),
  480: plain,
};

const FAILURES: CaseTable = {
  503: {
    prepare: async (stage) => {
      await issueMainToken(stage);
      stage.sandbox.state.keys.state.publicKeyMissing = true;
    },
    request: () => ({ bearer: mainToken }),
  },
  504: { prepare: (stage) => void (stage.sandbox.state.keys.state.publicKeyMissing = true) },
  505: {
    prepare: (stage) => void (stage.sandbox.state.keys.state.privateKeyUnreadable = true),
    // Where the answer names a file, its folder is the recorded installation's own.
    compare: { sameLength: false },
  },
  506: { prepare: (stage) => void (stage.sandbox.state.systemUser.missing = true) },
  507: {
    prepare: async (stage) => {
      await issueMainToken(stage);
      stage.sandbox.state.systemUser.missing = true;
    },
    request: () => ({ bearer: mainToken }),
  },
  509: {
    prepare: async (stage) => {
      await issueMainToken(stage);
      stage.sandbox.setFaults({ 'database-down': true });
    },
    request: () => ({ bearer: mainToken }),
  },
  510: { prepare: (stage) => stage.sandbox.setFaults({ 'database-down': true }) },
  511: { prepare: (stage) => stage.sandbox.setFaults({ 'database-down': true }) },
  512: { prepare: (stage) => stage.sandbox.setFaults({ 'database-down': true }) },
  514: {
    prepare: async (stage) => {
      await issueMainToken(stage);
      stage.sandbox.setFaults({ 'php-fpm-down': true });
    },
    request: () => ({ bearer: mainToken }),
  },
  515: { prepare: (stage) => stage.sandbox.setFaults({ 'php-fpm-down': true }) },
  517: {
    prepare: async (stage) => {
      await issueMainToken(stage);
      stage.sandbox.state.settings.gatewayTimeoutMs = 30;
      stage.sandbox.setFaults({ 'slow-answer': 10_000 });
    },
    request: () => ({ bearer: mainToken }),
  },
  519: { prepare: (stage) => stage.sandbox.setFaults({ 'server-keys-mismatched': true }) },
  520: { prepare: (stage) => stage.sandbox.setFaults({ 'server-keys-mismatched': true }) },
  522: {
    prepare: async (stage) => {
      await issueMainToken(stage);
      stage.sandbox.state.keys.regenerate();
    },
    request: () => ({ bearer: mainToken }),
  },
  521: { prepare: (stage) => stage.sandbox.state.keys.regenerate() },
};

const REGISTRATION: CaseTable = {
  ...numbers('601 602 604 605 606 608 610 611 612 613 614 615 616 617 618', plain),
  619: withSettings({ systemScopes: false }),
};

/** By number of the transcript. */
export const OAUTH_CASES: CaseTable = {
  ...TOKEN,
  ...JWKS_CASES,
  ...SETTINGS,
  ...FAILURES,
  ...REGISTRATION,
};

/** Sends the same assertion once before, so that its `jti` is known. */
async function sendBefore(
  ...[stage, transcript]: Parameters<NonNullable<ConformanceCase['prepare']>>
): Promise<void> {
  const { answer } = await stage.replay(transcript);
  if (answer.status !== 200) throw new Error(`first use: ${answer.status}`);
}

let mainToken = '';

async function issueMainToken(stage: Stage): Promise<void> {
  mainToken = await stage.issueToken(stage.server.clients.main, 'system/Patient.read');
}
