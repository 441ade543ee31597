/** Whether there is a FHIR server at the configured URL, and which one. */
import { Agent } from 'undici';

import type { HttpAnswer } from '../auth/http-answer.ts';
import { requestServerVersion } from '../routes/server-version.ts';
import { listBaseCandidates } from './base-candidates.ts';
import { parseCapabilityStatement, type ServerFacts } from './capability-statement.ts';
import type { RouteCheck } from './check.ts';
import { explainOpenAnswer, failNetwork } from './explain.ts';
import { fail, ok, warn } from './result.ts';
import type { Subject } from './subject.ts';

/** Asks for the CapabilityStatement; when there is none, looks for one nearby. */
export const baseCheck: RouteCheck = {
  name: 'fhir-base',
  needs: ['tls-files', 'tcp'],
  async run(subject) {
    const { fhirBase } = subject.destination;
    let answer: HttpAnswer;
    try {
      answer = await subject.get(`${fhirBase}/metadata`);
    } catch (error) {
      const finding = failNetwork(subject, `no answer from "${fhirBase}/metadata"`, error);
      const found = await findBase(subject);
      return [found === undefined ? finding : fail(finding.message, propose(found))];
    }
    const { clockDifferenceMs } = answer;
    if (clockDifferenceMs !== undefined) subject.facts.clockDifferenceMs = clockDifferenceMs;
    const server = answer.status === 200 ? readStatement(answer) : undefined;
    if (server !== undefined) {
      subject.facts.server = server;
      return [ok(`"${fhirBase}" is a FHIR base`)];
    }
    const what = `"${fhirBase}/metadata" answered ${answer.status} ${describeBody(answer)}: expected a CapabilityStatement`;
    // A server in trouble is a server at the right place.
    const found = answer.status >= 500 ? undefined : await findBase(subject);
    return [
      found === undefined
        ? fail(what, undefined, explainOpenAnswer(subject, 'metadata', answer))
        : fail(what, propose(found)),
    ];
  },
};

/** Tells name and version of the server, and of FHIR. */
export const metadataCheck: RouteCheck = {
  name: 'metadata',
  needs: ['fhir-base'],
  async run(subject) {
    const { facts, config, destination, open, clock, logger } = subject;
    const { name = 'a server without a name', fhirVersion } = facts.server ?? {};
    const version = await requestServerVersion({
      fhirBase: destination.fhirBase,
      discovery: subject.discovery(),
      dispatcher: open,
      timeoutMs: config.timeouts.tokenMs,
      clock,
      logger,
    });
    const isKnown = version.source !== 'assumed';
    facts.isOpenEmr = /openemr/i.test(isKnown ? version.label : name);
    if (facts.isOpenEmr && isKnown) facts.modern = version.modern;
    const scopes = facts.modern === false ? ', SMART v1 scopes only' : '';
    const what = `${isKnown ? version.label : show(name)}${scopes}`;
    if (fhirVersion === undefined) return [warn(`${what}, FHIR version not told`)];
    return [
      fhirVersion.startsWith('4.')
        ? ok(`${what}, FHIR ${show(fhirVersion)}`)
        : warn(`${what}, FHIR ${show(fhirVersion)}: this proxy is made for FHIR R4 (4.0.1)`),
    ];
  },
};

function readStatement(answer: HttpAnswer): ServerFacts | undefined {
  const server = parseCapabilityStatement(answer.body);
  // A longer one than is read cannot be parsed, but is one by its beginning.
  if (server === undefined && answer.truncated && /"CapabilityStatement"/.test(answer.body)) {
    return { searchable: new Set<string>() };
  }
  return server;
}

async function findBase(subject: Subject): Promise<string | undefined> {
  const { hostname } = subject.base;
  const candidates = listBaseCandidates(subject.base).filter(
    // What is found must stay on the host that was named.
    (candidate) => new URL(candidate).hostname === hostname,
  );
  // Nothing secret is sent; and the certificate is judged once the URL is right.
  const agent = new Agent({
    connect: { timeout: subject.config.timeouts.connectMs, rejectUnauthorized: false },
  });
  const found = await Promise.all(
    candidates.map(async (candidate) => {
      try {
        const { status, body } = await subject.get(`${candidate}/metadata`, agent);
        return status === 200 && parseCapabilityStatement(body) !== undefined;
      } catch {
        return false;
      }
    }),
  );
  await agent.destroy();
  return candidates.find((_candidate, index) => found[index]);
}

function propose(found: string): string {
  return `Set "upstream" to "${found}": a FHIR server answers there`;
}

function describeBody({ body, contentType = '' }: HttpAnswer): string {
  if (body === '') return 'with an empty body';
  if (/html/i.test(contentType)) return 'with an HTML page';
  return /json/i.test(contentType) ? 'with other JSON' : 'with something else';
}

/** Text of a server fit for one line. */
function show(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]+/g, ' ').slice(0, 60);
}
