import type { Exchange } from '../base/contracts.ts';
import type { Interaction } from '../fhir/interaction.ts';
import { coversInteraction, neededScope } from '../fhir/scope.ts';

/** What the traffic of one route so far has needed. */
export interface ScopeUse {
  /** The smallest list of v1 scopes (`system/Patient.read`) that would do, in alphabetical order. */
  v1: string[];
  /** The same in v2 spelling (`system/Patient.rs`). */
  v2: string[];
  /** Interactions that no granted scope covers, as labels. */
  notGranted: string[];
  /** Granted resource scopes that no request has needed. */
  unused: string[];
}

/** Watches which scopes the traffic needs. */
export interface UsedScopes {
  add(exchange: Exchange): void;
  /** @param granted scopes that the route's token has */
  of(route: string, granted: readonly string[]): ScopeUse;
}

/** A route's traffic uses a few dozen interactions; paths made up by a scanner must not fill memory. */
const MAX_LABELS = 500;
const V2_ORDER = ['c', 'r', 'u', 'd', 's'];

/**
 * Creates the meter. An interaction counts when the upstream let it through, or refused it with 401
 * or 403, which is what a missing scope looks like; a 404 for a made-up resource type does not.
 */
export function createUsedScopes(): UsedScopes {
  const routes = new Map<string, Map<string, Interaction>>();

  return {
    add({ route, interaction, status, outcome }) {
      if (route === undefined || interaction === undefined || outcome !== 'forwarded') return;
      if (status >= 400 && status !== 401 && status !== 403) return;
      let used = routes.get(route);
      if (used === undefined) routes.set(route, (used = new Map()));
      if (used.size < MAX_LABELS && !used.has(interaction.label)) {
        used.set(interaction.label, interaction);
      }
    },
    of: (route, granted) => describe([...(routes.get(route)?.values() ?? [])], granted),
  };
}

function describe(used: readonly Interaction[], granted: readonly string[]): ScopeUse {
  const v1 = new Set<string>();
  const operations = new Set<string>();
  const letters = new Map<string, Set<string>>();
  for (const interaction of used) {
    const needed = neededScope(interaction);
    if (needed === undefined) continue;
    v1.add(needed.v1);
    if (interaction.operation !== undefined) {
      operations.add(needed.v2);
      continue;
    }
    const [target = '', letter = ''] = needed.v2.split('.');
    letters.set(target, (letters.get(target) ?? new Set()).add(letter));
  }
  const v2 = [...letters].map(
    ([target, set]) => `${target}.${V2_ORDER.filter((letter) => set.has(letter)).join('')}`,
  );
  return {
    v1: [...v1].sort(),
    v2: [...v2, ...operations].sort(),
    notGranted: used
      .filter((interaction) => !coversInteraction(granted, interaction))
      .map(({ label }) => label)
      .sort(),
    unused: granted.filter(
      (scope) => scope.includes('/') && !used.some((interaction) => isNeeded(interaction, scope)),
    ),
  };
}

function isNeeded(interaction: Interaction, scope: string): boolean {
  return neededScope(interaction) !== undefined && coversInteraction([scope], interaction);
}
