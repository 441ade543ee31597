/** The servers that were recorded: their addresses, clients and ids. */
import type { SandboxVersion } from '../../../src/sandbox/index.ts';

/** A client of a recorded server by what it was. */
export type ClientName =
  /** Enabled, inline JWK Set with `k1`, fourteen system scopes. */
  | 'main'
  /** Registered, never enabled. */
  | 'disabled'
  /** Enabled, the key of `main`, only `system/Observation.read`. */
  | 'observations'
  /** Enabled, also registered for `openid` and `user/Patient.read`. */
  | 'openid'
  /** Has a `jwks_uri`. */
  | 'remoteKeys'
  /** Its inline JWK Set changes from case to case. */
  | 'inlineKeys'
  /** Disabled after its token was issued. */
  | 'disabledLater';

/** What is known about a recorded server. */
export interface RecordedServer {
  version: SandboxVersion;
  /** Its site address. */
  origin: string;
  clients: Readonly<Record<ClientName, string>>;
  /** Registered scopes of the clients beside those, by id. */
  furtherClients: Readonly<Record<string, string>>;
  /** UUID of the user `oe-system`. */
  systemUser: string;
  /** When its test patients were made, milliseconds since the epoch. */
  createdMs: number;
  /** Job of the recorded kick-off, how many files were stored before it, and its query. */
  exportJob: { id: string; filesBefore: number; query: string };
  /** Stored files before the export of the survey of absolute URLs. */
  surveyFilesBefore: number;
}

/** Scopes of the clients that were registered for no others. */
export const MAIN_SCOPES =
  'system/Patient.read system/Observation.read system/Encounter.read system/Practitioner.read system/Organization.read system/Group.read system/Binary.read system/DocumentReference.read system/Patient.$export system/Group.$export system/*.$export system/*.$bulkdata-status system/Condition.read system/Location.read';

const LABORATORY = 'category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory';

const OPENEMR_7_0_3: RecordedServer = {
  version: '7.0.3',
  origin: 'https://localhost:9300',
  clients: {
    main: 'pEAswB5vYkub8KVeeqj7gVMyTH-HKOOpDaRrPWOsJDE',
    disabled: 'WaYyO0LAZcazNHkbzm2k2y-KiBIRt2vln2lv-8EaP7Y',
    observations: 'IGGFBKy0D0kSYamSRglhEgf_QXRVXghyP7jKRw3Fo1Y',
    openid: 'iXgeWXQav9ZcWOKX8aF5s33qzHLnGsiGcC5bOaQyf2s',
    remoteKeys: 'JHp4-ERHQKoRErf2j2SvK20xfkecJ9Ysw8ES0f39bPE',
    inlineKeys: 'EejJhJp2jGaeU8d9TctMfoputeBW3OM0Y-4sp53Homs',
    disabledLater: 'gWMm6yyE1q4yZyjl_XUOmLqZNxQ3BQ3ByuXUWPqTg28',
  },
  furtherClients: {},
  systemUser: 'a34bc4b0-196b-438a-a428-0bf1e124f2ce',
  createdMs: Date.parse('2026-11-23T18:23:51Z'),
  exportJob: { id: 'a34bc960-240c-454d-b830-01d13b2e7557', filesBefore: 64, query: '' },
  surveyFilesBefore: 127,
};

const OPENEMR_8_0_0: RecordedServer = {
  version: '8.0.0',
  origin: 'https://localhost:9380',
  clients: {
    main: 'yWr59CWV5fOJt8js-8tv11X46w6t6z_2IhHgEEGm2a8',
    disabled: 'S_jrDL6onWff207doiHQ4QpNU-vFARuzenRBWW4lm20',
    observations: 'Wqdab9rGTMfIfujQqwsin70-lLeSdVRiSE0--cFwKyY',
    openid: 'tMIOooM6reyTPiE13-g58U9TBq-9c76tuOIMuE1bfho',
    remoteKeys: 'KWqBAyED6jmCbsJUAG3vA-GM_bNbk3Q8_xhbS5mfu9M',
    inlineKeys: 'oxw2qK8OdTdSq9dYS90335f1KWuixXASPIRjSFPzZQM',
    disabledLater: '1w-JQqoylakIsX5s-YSnjm7SAo7q_Mt5kaXzf0mgS6s',
  },
  furtherClients: {
    wgm3EvPRWn83xPAcVcAdEpPtMs7LdP81bhJqyblTY4k: 'system/Patient.rs system/Observation.rs',
    '7n62MNL46UTVknwyvIYZ4eqIMVkXWo_LSwxsV1B1YyA': 'system/Patient.r',
    'aMP78-oUJV_xhxEiOC-N-Td7q2nVi8pJCE0QpR5WfvU': 'system/Patient.s',
    Fq4lqxwrB08FOkvsTVq0AvX5x7DYEx7bnanFem0zkBU:
      'system/Patient.cruds system/Practitioner.cruds system/Organization.cruds',
    'n73-6yeXQ2Jb9uF4pYMvOetCxD0USdZtL3K5kBIrky8': `system/Observation.rs?${LABORATORY}`,
    o6FJHacftgER_UNi8J9suu2l5QPYXBtgXr5OfQK83uI: 'system/Patient.rs',
    'n41tU0UftqsCr_zMTQSY1NDqVaHSRJzjhg-OVxqngAg': 'system/Patient.rs',
  },
  systemUser: 'a34bd476-0a49-46ed-9b76-c7e1fb15e62d',
  createdMs: Date.parse('2026-11-23T19:07:34Z'),
  exportJob: {
    id: 'a34bd5fe-8cbb-4304-b76c-4b4a2be56d5a',
    filesBefore: 1,
    query: '?_type=Patient',
  },
  surveyFilesBefore: 64,
};

/** By version. */
export const RECORDED_SERVERS: Readonly<Record<SandboxVersion, RecordedServer>> = {
  '7.0.3': OPENEMR_7_0_3,
  '8.0.0': OPENEMR_8_0_0,
};
