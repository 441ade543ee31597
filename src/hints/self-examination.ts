/**
 * What the proxy finds when it examines its own side of a refused token: everything that it can
 * check without guessing. Each finding is a sentence for people; the wrong ones name their hint.
 */
import { missingScopes } from '../fhir/scope.ts';
import { isModern } from './catalogue/circumstances.ts';
import type { Evidence } from './evidence.ts';
import { judgeScope } from './scope-spelling.ts';

/** What was checked. */
export type FindingSubject =
  | 'audience'
  | 'clock'
  | 'algorithm'
  | 'key-size'
  | 'first-key'
  | 'scope-spelling'
  | 'scopes-supported'
  | 'scopes-granted'
  | 'last-success';

/** One finding. */
export interface Finding {
  subject: FindingSubject;
  /** `right`: it cannot be the cause; `wrong`: it is a cause; `note`: worth knowing. */
  verdict: 'right' | 'wrong' | 'note';
  /** A clause without full stop; holds no secret. */
  says: string;
  /** Catalogue id of the hint that a wrong finding leads to. */
  hintId?: string;
}

/** OpenEMR tolerates 60 s on `iat`, `nbf` and `exp`. */
const LEEWAY_MS = 60_000;
/** Our assertions live 240 s, and OpenEMR tolerates 60 s more; 7.0.4 and later refuse an older `iat`. */
const LONGEST_DELAY_MS = 300_000;
const LEAST_RSA_BITS = 2048;

/** Examines what the evidence tells about our side; says nothing about what it does not hold. */
export function examineOurselves(evidence: Evidence): Finding[] {
  return [
    examineAudience(evidence),
    examineClock(evidence),
    ...examineKey(evidence),
    ...examineScopes(evidence),
    examineLastSuccess(evidence),
  ].filter((finding) => finding !== undefined);
}

function examineAudience({ signed }: Evidence): Finding | undefined {
  if (signed?.announcedTokenEndpoint === undefined) return undefined;
  const { aud, announcedTokenEndpoint } = signed;
  return aud === announcedTokenEndpoint
    ? {
        subject: 'audience',
        verdict: 'right',
        says: 'the audience equals the announced token endpoint',
      }
    : {
        subject: 'audience',
        verdict: 'wrong',
        says: `we signed for the audience "${aud}", but discovery announces the token endpoint "${announcedTokenEndpoint}"`,
        hintId: 'assertion-aud-mismatch',
      };
}

function examineClock({
  clockDifferenceMs,
  serverVersion,
  ...rest
}: Evidence): Finding | undefined {
  if (clockDifferenceMs === undefined) return undefined;
  const seconds = Math.round(Math.abs(clockDifferenceMs) / 1000);
  if (clockDifferenceMs < -LEEWAY_MS) {
    return {
      subject: 'clock',
      verdict: 'wrong',
      says: `our clock is ${seconds} s ahead of the server's, which tolerates 60 s`,
      hintId: 'assertion-iat-future',
    };
  }
  if (clockDifferenceMs >= LONGEST_DELAY_MS) {
    const modern = isModern({ ...rest, ...(serverVersion === undefined ? {} : { serverVersion }) });
    return {
      subject: 'clock',
      verdict: 'wrong',
      says: `our clock is ${seconds} s behind the server's, longer than an assertion lives`,
      hintId: modern === true ? 'assertion-iat-too-old' : 'assertion-expired',
    };
  }
  return seconds * 1000 > LEEWAY_MS
    ? { subject: 'clock', verdict: 'note', says: `our clock is ${seconds} s behind the server's` }
    : { subject: 'clock', verdict: 'right', says: `the clocks differ by ${seconds} s` };
}

function examineKey({ signed, firstRsaKeyIsOurs }: Evidence): (Finding | undefined)[] {
  const findings: (Finding | undefined)[] = [];
  if (signed !== undefined) {
    findings.push(
      signed.alg === 'RS384'
        ? { subject: 'algorithm', verdict: 'right', says: 'the algorithm is RS384' }
        : {
            subject: 'algorithm',
            verdict: 'wrong',
            says: `we signed with ${signed.alg}, and OpenEMR accepts RS384 only`,
            hintId: 'assertion-alg-mismatch',
          },
    );
    if (signed.keyBits !== undefined && signed.alg.startsWith('RS')) {
      findings.push({
        subject: 'key-size',
        verdict: signed.keyBits >= LEAST_RSA_BITS ? 'right' : 'note',
        says:
          signed.keyBits >= LEAST_RSA_BITS
            ? `the key has ${signed.keyBits} bits`
            : `the key has ${signed.keyBits} bits only; RFC 7518 wants 2048`,
      });
    }
  }
  if (firstRsaKeyIsOurs !== undefined) {
    findings.push(
      firstRsaKeyIsOurs
        ? {
            subject: 'first-key',
            verdict: 'right',
            says: 'our key is the first RSA key of the JWK Set',
          }
        : {
            subject: 'first-key',
            verdict: 'wrong',
            says: 'our key is not the first RSA key of the JWK Set, the only one that OpenEMR uses',
            hintId: 'assertion-sig-mismatch',
          },
    );
  }
  return findings;
}

function examineScopes(evidence: Evidence): Finding[] {
  const { requestedScopes = [], grantedScopes, scopesSupported } = evidence;
  const findings: Finding[] = [];
  const modern = isModern(evidence);
  for (const scope of modern === undefined ? [] : requestedScopes) {
    const judgement = judgeScope(scope, { modern, supported: scopesSupported });
    if (judgement === undefined) continue;
    const right = judgement.right === undefined ? '' : `; write "${judgement.right}"`;
    findings.push({
      subject: 'scope-spelling',
      verdict: 'wrong',
      says: `scope "${scope}" ${judgement.problem}${right}`,
      hintId: 'scope-invalid',
    });
  }
  const supported = new Set(scopesSupported?.flat());
  // OpenEMR 8 lists no system scope in smart-configuration: a list without any tells nothing.
  if ([...supported].some((scope) => scope.startsWith('system/'))) {
    const missing = requestedScopes.filter((scope) => !supported.has(scope));
    if (missing.length > 0 && findings.length === 0) {
      findings.push({
        subject: 'scopes-supported',
        verdict: 'note',
        says: `discovery does not list ${missing.map((scope) => `"${scope}"`).join(', ')}`,
      });
    }
  }
  if (grantedScopes !== undefined) {
    const missing = missingScopes(requestedScopes, grantedScopes);
    findings.push({
      subject: 'scopes-granted',
      verdict: missing.length === 0 ? 'right' : 'wrong',
      says:
        missing.length === 0
          ? 'every requested scope was granted'
          : `not granted: ${missing.map((scope) => `"${scope}"`).join(', ')}`,
      ...(missing.length === 0 ? {} : { hintId: 'scope-not-granted' }),
    });
  }
  return findings;
}

function examineLastSuccess({ lastWorkedMs }: Evidence): Finding | undefined {
  if (lastWorkedMs === undefined) return undefined;
  const seconds = Math.round(lastWorkedMs / 1000);
  const ago = seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
  return {
    subject: 'last-success',
    verdict: 'note',
    says: `the same client and key got a token ${ago} ago, so something changed at the server since`,
  };
}
