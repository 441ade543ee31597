/**
 * The configuration: one source of types, defaults, documentation and the JSON Schema file.
 * Every description ends up in `proxy.config.schema.json` and in docs/configuration.md.
 */
import { z } from 'zod';

import { isHostName } from '../base/grammar.ts';
import { accessSchema } from './access-schema.ts';
import { clientSchema } from './client-schema.ts';
import { isHttpUrl } from './http-url.ts';
import { listenSchema } from './listen-schema.ts';
import { milliseconds } from './milliseconds.ts';
import { isSandbox, SANDBOX_UPSTREAMS } from './sandbox-upstream.ts';
import { timeoutsSchema } from './timeouts-schema.ts';

const LOG_COMMAND = 'docker compose exec -T openemr tail -F /var/log/apache2/error.log'.split(' ');

/** Path of a route on the proxy. */
export const pathSchema = z
  .string()
  .regex(/^\/[A-Za-z0-9._~-]+(?:\/[A-Za-z0-9._~-]+)*$/, 'expected a path such as "/fhir"')
  .refine((value) => !/^\/(?:_proxy|\.well-known)(?:\/|$)/.test(value), {
    message: 'is reserved by the proxy itself',
  })
  .refine((value) => !value.split('/').some((segment) => /^\.+$/.test(segment)), {
    message: 'expected no segment made of dots',
  });

const HTTP_URL = 'expected an absolute http or https URL without user, query and fragment';

const httpUrl = z.string().refine((value) => isHttpUrl(value), {
  message: HTTP_URL,
});

/** How the connection to the upstream and to its token endpoint is secured. */
export const tlsSchema = z
  .strictObject({
    ca: z
      .string()
      .min(1)
      .optional()
      .meta({
        examples: ['certs/openemr.pem'],
        description:
          'PEM file of the certificate authority, or of the self-signed certificate, to trust besides the usual ones.',
      }),
    cert: z
      .string()
      .min(1)
      .optional()
      .meta({
        examples: ['certs/client.pem'],
        description: 'PEM file of a client certificate (mutual TLS).',
      }),
    key: z
      .string()
      .min(1)
      .optional()
      .meta({
        examples: ['certs/client-key.pem'],
        description: 'PEM file of the private key of "cert".',
      }),
    serverName: z
      .string()
      .min(1)
      .refine(isHostName, 'expected a host name, such as "openemr.example"')
      .optional()
      .meta({
        examples: ['openemr.example'],
        description: 'Name to expect in the server certificate when it is not the host of the URL.',
      }),
    insecure: z.boolean().default(false).meta({
      description:
        'Accept any certificate. Anyone on the way can then read tokens and health data; prefer "ca".',
    }),
  })
  .meta({ description: 'TLS towards the upstream and its token endpoint.' });

/** One route: a path of the proxy and the FHIR base behind it. */
const routeSchema = z
  .strictObject({
    path: pathSchema.meta({
      examples: ['/fhir'],
      description: 'Path of this route on the proxy, such as "/fhir".',
    }),
    upstream: z
      .string()
      .refine((value) => isSandbox(value) || isHttpUrl(value), {
        message: `${HTTP_URL}, or one of ${SANDBOX_UPSTREAMS.map((each) => `"${each}"`).join(', ')}`,
      })
      .meta({
        examples: ['https://localhost:9300/apis/default/fhir', ...SANDBOX_UPSTREAMS],
        description:
          'FHIR base URL, such as "https://localhost:9300/apis/default/fhir", or "sandbox" for the embedded look-alike: of OpenEMR 7.0.3, or of the version that is named ("sandbox:8.0.0").',
      }),
    tokenEndpoint: httpUrl.optional().meta({
      examples: ['https://localhost:9300/oauth2/default/token'],
      description:
        'Token endpoint. Default: the one that <upstream>/.well-known/smart-configuration announces.',
    }),
    audience: z
      .string()
      .min(1)
      .optional()
      .meta({
        examples: ['https://localhost:9300/oauth2/default/token'],
        description: 'Value of the "aud" claim. Default: the token endpoint as discovered.',
      }),
    client: clientSchema.optional(),
    tls: tlsSchema.prefault({}),
    access: accessSchema.prefault({}),
    timeouts: timeoutsSchema.prefault({}),
    maxConnections: z.int().min(1).max(4096).default(128).meta({
      description: 'Most connections to the upstream at one time; further requests wait for one.',
    }),
    metadataCacheMs: milliseconds(
      'Milliseconds for which answers of /metadata and /.well-known/ are reused for every caller; 0: never. A shorter "max-age" counts, and "no-store" where OpenEMR does not send it with every answer anyway. "?refresh" and a reload of the configuration empty it.',
      60_000,
      0,
    ),
    rewriteLinks: z.boolean().default(true).meta({
      description: "Replace the upstream's own absolute URLs in answers by the proxy's.",
    }),
    upstreamBases: z
      .array(httpUrl)
      .default([])
      .meta({
        examples: [['https://openemr.example/apis/default/fhir']],
        description:
          "Further absolute URLs by which the upstream calls its own FHIR base (OpenEMR's Site Address Override), to be replaced in answers too.",
      }),
    errorLog: z
      .string()
      .min(1)
      .optional()
      .meta({
        examples: ['/var/log/apache2/error.log'],
        description:
          "OpenEMR's error log, a path or a glob; the newest file is followed. Hints quote it.",
      }),
    errorLogCommand: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .meta({
        examples: [LOG_COMMAND],
        description:
          'Program and arguments whose standard output is the error log, for a log that is no file here; used instead of "errorLog". No shell is involved.',
      }),
  })
  .meta({ description: 'A path of the proxy and the FHIR base behind it.' });

/** The log. */
const logSchema = z
  .strictObject({
    format: z.enum(['auto', 'pretty', 'json']).default('auto').meta({
      description: '"auto" is "pretty" on a terminal and "json" elsewhere.',
    }),
    level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info').meta({
      description: 'Least severity that is logged.',
    }),
    showValues: z.boolean().default(false).meta({
      description:
        'Show paths and query values, which may hold health data. Credentials are never shown.',
    }),
  })
  .meta({ description: 'The log.' });

/** The whole configuration file. */
export const configSchema = z
  .strictObject({
    $schema: z.string().optional().meta({ description: 'For editors; not read by the proxy.' }),
    listen: listenSchema.prefault({}),
    routes: z
      .array(routeSchema)
      .min(1)
      .meta({ description: 'Routes; the longest matching path takes a request.' }),
    log: logSchema.prefault({}),
    drainMs: milliseconds('Milliseconds that a stop waits for what is in flight.', 10_000, 0),
    stopDelayMs: milliseconds(
      'Milliseconds between the signal to stop, from which on "/_proxy/readyz" answers 503, and the end of new connections. A cluster needs some seconds to send its traffic elsewhere.',
      0,
      0,
      600_000,
    ),
  })
  .meta({ title: 'fhir-auth-proxy configuration' });

/** A checked configuration with every default filled in. */
export type ProxyConfig = z.output<typeof configSchema>;
/** The configuration as people write it. */
export type ProxyConfigInput = z.input<typeof configSchema>;
/** A checked route. */
export type RouteConfig = z.output<typeof routeSchema>;
/** A checked client. */
export type ClientConfig = z.output<typeof clientSchema>;
/** Checked TLS settings. */
export type TlsConfig = z.output<typeof tlsSchema>;
/** Checked access rules of a route. */
export type AccessConfig = z.output<typeof accessSchema>;
/** Checked limits. */
export type LimitsConfig = ListenConfig['limits'];
/** Checked listen settings. */
export type ListenConfig = z.output<typeof listenSchema>;
/** Checked log settings. */
export type LogConfig = z.output<typeof logSchema>;
