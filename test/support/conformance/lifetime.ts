/** The last moments of a token: one token, many requests around its end. */
import { loadRecordedData, recordedPatientIds } from './recorded-data.ts';
import type { Stage } from './stage.ts';
import type { Transcript } from './transcript.ts';

interface RecordedLifetime {
  claims: { exp: number };
  /** Seconds relative to `exp`, status, beginning of the body. */
  seen: [offsetSeconds: number, status: number, head: string][];
}

/** The recording tells when a request was sent; PHP looked at its clock about this much later. */
const UNDER_WAY_MS = 10;

/** @returns one sentence for each moment at which the sandbox answers differently */
export async function compareLifetime(stage: Stage, transcript: Transcript): Promise<string[]> {
  loadRecordedData(stage);
  const { sandbox } = stage;
  const { claims, seen } = transcript as unknown as RecordedLifetime;
  const path = `/apis/default/fhir/Patient/${recordedPatientIds(stage.server.version)[0]}`;
  const real = sandbox.state.clock;
  // The clock stands still, at the fraction of a second at which the recorded token was issued.
  const issuedMs = Math.floor(real.now() / 1000) * 1000 + Math.round((claims.exp % 1) * 1000);
  let nowMs = issuedMs;
  Object.assign(sandbox.state, { clock: { now: () => nowMs } });
  try {
    const token = await stage.issueToken(stage.server.clients.main, 'system/Patient.read');
    const expiresMs = issuedMs + sandbox.state.settings.tokenLifetimeSeconds * 1000;
    const differences: string[] = [];
    for (const [offsetSeconds, status, head] of seen) {
      nowMs = expiresMs + offsetSeconds * 1000 + UNDER_WAY_MS;
      const response = await fetch(`${sandbox.url}${path}`, {
        headers: { Authorization: `Bearer ${token}`, Host: new URL(stage.server.origin).host },
      });
      const text = (await response.text()).slice(0, head.length);
      if (response.status !== status || text !== head.slice(0, text.length || undefined)) {
        differences.push(
          `${offsetSeconds} s from exp: got ${response.status} ${text}, recorded ${status} ${head}`,
        );
      }
    }
    return differences;
  } finally {
    Object.assign(sandbox.state, { clock: real });
  }
}
