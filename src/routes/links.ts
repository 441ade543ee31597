/** The bases by which a route's upstream calls itself, and their rewriter. */
import type { Discovery } from '../auth/discovery.ts';
import { parseOpenemrTokenEndpoint } from '../auth/fhir-base.ts';
import type { RouteConfig } from '../config/schema.ts';
import { createLinkRewriter, type LinkRewriter } from '../forward/links.ts';

/**
 * The rewriter of absolute URLs. OpenEMR calls itself by its Site Address, which may differ from
 * the configured upstream; the token endpoint that it announces tells that address.
 */
export function createLinks(
  config: RouteConfig,
  fhirBase: string,
  discovery: Discovery,
): () => LinkRewriter | undefined {
  if (!config.rewriteLinks) return () => undefined;
  const configured = [fhirBase, ...config.upstreamBases.map((base) => base.replace(/\/+$/, ''))];
  let announcedBy: string | undefined;
  let rewriter = createLinkRewriter({ bases: configured });
  return () => {
    const tokenEndpoint = discovery.last()?.tokenEndpoint;
    if (tokenEndpoint !== undefined && tokenEndpoint !== announcedBy) {
      announcedBy = tokenEndpoint;
      const announced = announcedFhirBase(tokenEndpoint);
      rewriter = createLinkRewriter({
        bases: announced === undefined ? configured : [...new Set([...configured, announced])],
      });
    }
    return rewriter;
  };
}

/** OpenEMR's FHIR base stands beside its token endpoint: `…/oauth2/SITE/token`, `…/apis/SITE/fhir`. */
function announcedFhirBase(tokenEndpoint: string): string | undefined {
  const openemr = parseOpenemrTokenEndpoint(tokenEndpoint);
  return openemr && `${openemr.root}/apis/${openemr.site}/fhir`;
}
