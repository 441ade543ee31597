/**
 * Bodies of `POST` to the FHIR base: Bundles of type `batch` and `transaction` (FHIR R4, RESTful API),
 * whose entries are requests of their own and must pass the rules that a request of theirs would.
 */
import { ProxyError } from '../base/errors.ts';
import { isObject } from '../base/is-object.ts';
import type { AccessRules } from './access.ts';
import type { BodyJudge } from './admission.ts';
import { hasDuplicateName } from './duplicate-name.ts';
import { METHOD_PARAMETER, REWRITE_COMMAND, hasPhpParameter } from './php-name.ts';
import { readInteraction } from './request-interaction.ts';
import { checkTarget } from './target.ts';

/** Longest Bundle that is looked into. */
const MAX_BUNDLE_BYTES = 1_048_576;

interface BundleEntry {
  request?: { method?: unknown; url?: unknown };
}

/** Judge of Bundles for a route whose rules refuse anything at all. What cannot be read is refused. */
export function createBundleJudge(rules: AccessRules): BodyJudge {
  return {
    maxBytes: MAX_BUNDLE_BYTES,
    judge(body) {
      const entries = parseEntries(body);
      if (entries instanceof ProxyError) return entries;
      for (const [index, entry] of entries.entries()) {
        const error = judgeEntry(entry, index, rules);
        if (error !== undefined) return error;
      }
      return undefined;
    },
    tooLarge: () =>
      new ProxyError(
        'body-too-large',
        `the Bundle is longer than ${MAX_BUNDLE_BYTES} bytes and cannot be checked against the access rules of this route: send smaller ones`,
        { status: 413 },
      ),
  };
}

function parseEntries(body: Buffer): readonly unknown[] | ProxyError {
  const text = body.toString('utf8');
  let bundle: unknown;
  try {
    bundle = JSON.parse(text);
  } catch {
    return refuse('the body is not JSON: only a JSON Bundle can be checked');
  }
  if (!isObject(bundle) || bundle['resourceType'] !== 'Bundle') {
    return refuse('the body is not a Bundle: expected "resourceType" to be "Bundle"');
  }
  if (bundle['type'] !== 'batch' && bundle['type'] !== 'transaction') {
    return refuse('the Bundle is neither a batch nor a transaction, and storing one is a write');
  }
  if (hasDuplicateName(text)) {
    return refuse('the Bundle has two members of one name in one object: expected each name once');
  }
  const entries = bundle['entry'] ?? [];
  return Array.isArray(entries) ? entries : refuse('"entry" of the Bundle is not an array');
}

function judgeEntry(entry: unknown, index: number, rules: AccessRules): ProxyError | undefined {
  const { method, url } = (isObject(entry) ? (entry as BundleEntry).request : undefined) ?? {};
  if (typeof method !== 'string' || typeof url !== 'string') {
    return refuse(`"entry[${index}].request" has no "method" and "url"`);
  }
  // Relative to the base; an absolute one would have to be compared with names the server goes by.
  // HL7's own examples also begin with a slash, which means the same.
  const target = url.startsWith('/') ? url : `/${url}`;
  const checked = checkTarget(target);
  if (checked instanceof ProxyError || /^[A-Za-z][A-Za-z0-9+.-]*:/.test(url)) {
    return refuse(`"entry[${index}].request.url" is not a plain path below the FHIR base`);
  }
  const path = target.slice(0, checked.pathLength);
  const query = target.slice(checked.pathLength + 1);
  const steering = [REWRITE_COMMAND, METHOD_PARAMETER].find((name) => hasPhpParameter(query, name));
  if (steering !== undefined) {
    return refuse(
      `"entry[${index}].request.url" has the parameter "${steering}", which steers OpenEMR`,
    );
  }
  const interaction = readInteraction(method, path);
  const error =
    interaction.name === 'batch'
      ? refuse('a batch within a batch cannot be checked')
      : rules.check(method, interaction);
  if (error === undefined) return undefined;
  return new ProxyError(error.code, `"entry[${index}]" of the Bundle: ${error.message}`, {
    status: 403,
  });
}

function refuse(message: string): ProxyError {
  return new ProxyError(
    'bundle-refused',
    `${message}, and this route has access rules that it might break`,
    { status: 403 },
  );
}
