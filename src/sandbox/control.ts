/** `/__sandbox/faults`: the switches of the sandbox itself, which no OpenEMR has. */
import type { SandboxAnswer, SandboxRequest } from './exchange.ts';
import { type FaultSettings, noFaults, parseFaults } from './faults.ts';
import type { SandboxState } from './versions/profile.ts';

/** Path of the switches. */
const FAULTS_PATH = '/__sandbox/faults';

/**
 * `GET` shows the faults, `POST` with a JSON object sets those that it names, `DELETE` clears all.
 *
 * @returns undefined when the path is another one
 */
export function answerControl(
  request: SandboxRequest,
  state: SandboxState,
): SandboxAnswer | undefined {
  if (request.path !== FAULTS_PATH) return undefined;
  if (request.method === 'DELETE') Object.assign(state.faults, noFaults());
  else if (request.method === 'POST') {
    const faults = parseFaults(parseJson(request.body.toString('utf8')));
    if (typeof faults === 'string') return json(400, { error: faults });
    applyFaults(state, faults);
  } else if (request.method !== 'GET') {
    const answer = json(405, { error: 'expected GET, POST or DELETE' });
    return { ...answer, fields: [...answer.fields, ['Allow', 'GET, POST, DELETE']] };
  }
  return json(200, state.faults);
}

/** Sets faults; `issued` changes the tokens of now and leaves later ones alone. */
export function applyFaults(state: SandboxState, faults: Partial<FaultSettings>): void {
  for (const [name, value] of Object.entries(faults)) {
    if (value === 'issued') spoilTokens(state, name);
    else Object.assign(state.faults, { [name]: value });
  }
}

function spoilTokens(state: SandboxState, fault: string): void {
  for (const row of state.tokens.values()) {
    if (fault === 'token-expired') row.expired = true;
    if (fault === 'token-revoked') row.revoked = true;
    if (fault === 'token-row-gone') state.tokens.delete(row.id);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function json(status: number, body: object): SandboxAnswer {
  return {
    status,
    fields: [['Content-Type', 'application/json']],
    body: JSON.stringify(body),
    byApache: true,
  };
}
