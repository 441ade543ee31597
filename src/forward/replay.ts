/**
 * The 401 rule: when a refused request is sent again with a renewed token. RFC 9110 section 15.5.2
 * lets a client repeat a request that was refused for its credentials; each "no" below stands
 * between a server that answers 401 for another reason and an endless stream of token requests.
 */
import type { AccessToken, Clock, TokenSource } from '../base/contracts.ts';
import type { Interaction } from '../fhir/interaction.ts';
import { coversInteraction } from '../fhir/scope.ts';

/**
 * A token that was got in place of a refused one is not replaced before this age: the next one would
 * be refused like it. So there is at most one replacement in this time, whatever the server does; a
 * young token that replaced none may have been revoked, and is replaced.
 */
const YOUNG_TOKEN_MS = 2_000;
/** For how long a resource type whose 401 a fresh token did not cure is left alone. */
const UNCURED_MS = 30_000;
/** Most resource types and operations remembered; FHIR has about 150 types. */
const MOST_UNCURED = 512;

/** An answer that refuses a token, to be judged. */
export interface Refusal {
  /** The token that was refused. */
  token: AccessToken;
  interaction: Interaction;
  /** Start of the answer's body, for the servers that tell the reason in it. */
  body: string;
}

/** Why renewing would not cure a refusal. */
export type IncurableReason = 'scope' | 'other-cause' | 'uncured' | 'young-token';

/** Judges the 401s of one route. */
export interface ReplayRule {
  /** Undefined when renewing may cure the refusal, else the reason why it will not. */
  judge(refusal: Refusal): IncurableReason | undefined;
  /** Notes what became of a request that was sent again. */
  note(interaction: Interaction, cured: boolean): void;
  /** Forgets what was not cured: key or config has changed. */
  reset(): void;
}

/** @param options.tokens the route's tokens; only looked at, never asked for one */
export function createReplayRule(options: {
  tokens: Pick<TokenSource, 'current'>;
  clock: Clock;
}): ReplayRule {
  const { tokens, clock } = options;
  const uncuredUntilMs = new Map<string, number>();
  /** Generation of the token that comes in the place of the last one that was to be replaced. */
  let replacement = 0;

  return {
    judge({ token, interaction, body }) {
      if (isScopeRefusal(body) || !coversInteraction(token.grantedScopes, interaction)) {
        return 'scope';
      }
      if (hasOtherCause(body)) return 'other-cause';
      const untilMs = uncuredUntilMs.get(subjectOf(interaction));
      if (untilMs !== undefined && untilMs > clock.now()) return 'uncured';
      if ((tokens.current()?.generation ?? 0) > token.generation) return undefined;
      const isYoung = Math.abs(clock.now() - token.obtainedAtMs) < YOUNG_TOKEN_MS;
      if (isYoung && token.generation === replacement) return 'young-token';
      replacement = token.generation + 1;
      return undefined;
    },
    note(interaction, cured) {
      const subject = subjectOf(interaction);
      if (cured) {
        uncuredUntilMs.delete(subject);
        return;
      }
      if (uncuredUntilMs.size >= MOST_UNCURED) uncuredUntilMs.clear();
      uncuredUntilMs.set(subject, clock.now() + UNCURED_MS);
    },
    reset() {
      uncuredUntilMs.clear();
      replacement = 0;
    },
  };
}

function subjectOf(interaction: Interaction): string {
  return interaction.resourceType ?? interaction.label;
}

/**
 * Whether an answer refuses the token that was sent: a 401, and OpenEMR's 400 for a token whose
 * trusted user was removed, which every new token brings back.
 */
export function refusesToken(status: number, body: string): boolean {
  return status === 401 || (status === 400 && body.includes(LOGGED_OUT));
}

const LOGGED_OUT = '"Refresh Token revoked or logged out"';

/** OpenEMR 7.0.4 and later answer every failure in this shape, and tell the cause in its message. */
const WRAPPED = '"error":"An error occurred"';
/** What they say of a token that is dead, unknown or not theirs. */
const BAD_TOKEN = [
  '"message":"The resource owner or authorization server denied the request."',
  'due to invalid token or expired token."',
  LOGGED_OUT,
];

/** OpenEMR 7.0.4 and later say "Unauthorized" for a missing scope; $export names what is not covered. */
function isScopeRefusal(body: string): boolean {
  return body.includes('"message":"Unauthorized"') || body.includes('"AccessToken does ');
}

/** Whether the answer names a cause that is not the token's state. */
function hasOtherCause(body: string): boolean {
  return body.includes(WRAPPED) && !BAD_TOKEN.some((message) => body.includes(message));
}
