/** Where the proxy listens, who may ask and what it may cost: the "listen" part of the configuration. */
import { z } from 'zod';

import { isPublicUrl } from './http-url.ts';
import { milliseconds } from './milliseconds.ts';
import { parseNetwork } from './network.ts';

/** Limits on what a caller may cost. */
const limitsSchema = z
  .strictObject({
    headerBytes: z.int().min(1024).max(1_048_576).default(16_384).meta({
      description: 'Longest request head in bytes: request line and fields; a longer one gets 431.',
    }),
    headerCount: z.int().min(10).max(2000).default(200).meta({
      description: 'Most request fields; more get 431.',
    }),
    targetBytes: z.int().min(256).max(1_048_576).default(8192).meta({
      description:
        'Longest request target (path and query) in bytes; a longer one gets 414. Apache takes 8190 by default.',
    }),
    headersMs: milliseconds('Milliseconds for a request head to arrive.', 15_000),
    requestMs: milliseconds('Milliseconds for a whole request, body included, to arrive.', 300_000),
    keepAliveMs: milliseconds('Milliseconds that an idle client connection is kept open.', 30_000),
    stalledMs: milliseconds(
      'Milliseconds that a client may leave an answer unread before its connection is closed.',
      300_000,
    ),
    connections: z.int().min(1).max(65_535).default(2048).meta({
      description: 'Most client connections at one time; further ones are closed at once.',
    }),
    inFlight: z.int().min(1).max(65_535).default(1024).meta({
      description:
        'Most requests of one route that may be under way at one time, waiting ones included; further ones get 503 with "Retry-After".',
    }),
    heldBytes: z.int().min(1_048_576).default(67_108_864).meta({
      description:
        'Most bytes of request bodies that may be in memory at one time, to be checked or to be sent again; a body that must be checked gets 503 beyond it, others are streamed.',
    }),
  })
  .meta({ description: 'Limits on what a caller may cost.' });

/** The listener's own TLS. */
const ownTlsSchema = z
  .union([
    z.literal('auto'),
    z
      .strictObject({
        cert: z
          .string()
          .min(1)
          .meta({
            examples: ['certs/proxy.pem'],
            description: 'PEM file of the certificate, followed by those between it and its root.',
          }),
        key: z
          .string()
          .min(1)
          .meta({
            examples: ['certs/proxy-key.pem'],
            description: 'PEM file of its private key, which only its owner may read.',
          }),
      })
      .meta({ description: 'Certificate and private key; both go together.' }),
  ])
  .meta({
    examples: ['auto'],
    description:
      'TLS of its own, with "cert" and "key", or "auto": certificates of a local authority that is made once in the state folder of this user and signs for this machine and the names in "host" and "allowedHosts" alone; "fhir-auth-proxy certificate" says how to trust it. Default: plain HTTP.',
  });

/** Where the proxy listens and who may ask. */
export const listenSchema = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .optional()
      .meta({
        examples: ['127.0.0.1'],
        description:
          'Address to listen on. Default: both loopback addresses, 127.0.0.1 and ::1; a machine may lack one of them. Beyond loopback, "allowedHosts" is required.',
      }),
    port: z
      .int()
      .min(0)
      .max(65_535)
      .default(8088)
      .meta({ description: 'Port; 0 takes a free one.' }),
    socket: z
      .string()
      .min(1)
      .optional()
      .meta({
        examples: ['/run/user/1000/fhir-auth-proxy.sock'],
        description:
          'Path of a Unix socket to listen on, in place of host and port. Only its owner can use it (mode 0600); one that no program listens on any more is replaced.',
      }),
    tls: ownTlsSchema.optional(),
    publicUrl: z
      .string()
      .refine(isPublicUrl, {
        message:
          'expected an http or https URL such as "https://dev.example/fhirproxy", without user, query and fragment',
      })
      .optional()
      .meta({
        examples: ['https://dev.example/fhirproxy'],
        description:
          'URL by which clients call the proxy when a server with TLS or a path prefix stands in front of it; links in responses begin with it. That server takes the prefix off. Its host counts as one of "allowedHosts", its origin as one of "allowedOrigins". Default: what each request says.',
      }),
    trustedProxies: z
      .array(
        z
          .string()
          .refine(
            (value) => parseNetwork(value) !== undefined,
            'expected an IP address or a network such as "10.0.0.0/8"',
          ),
      )
      .default(['127.0.0.0/8', '::1'])
      .meta({
        examples: [['172.16.0.0/12']],
        description:
          'Addresses and networks of servers in front of the proxy whose "Forwarded", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port" and "X-Forwarded-Prefix" are believed, for links in responses alone; a host only if it is a loopback name or in "allowedHosts". Default: programs of this machine; [] is no server.',
      }),
    allowedHosts: z
      .array(
        z
          .string()
          .regex(/^[A-Za-z0-9.-]+$|^\[[0-9a-fA-F:.]+\]$/, 'expected a host name without port'),
      )
      .default([])
      .meta({
        examples: [['proxy.example']],
        description:
          'Host names, without port, by which clients may call the proxy, besides loopback names.',
      }),
    unsafeAnyHost: z.boolean().default(false).meta({
      description:
        'Answer to any host name. Any web page can then read health data through this proxy by DNS rebinding; prefer "allowedHosts".',
    }),
    allowedOrigins: z
      .array(
        z
          .string()
          .regex(
            /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@*]+$/i,
            'expected an origin such as "https://app.example", without path or final slash',
          ),
      )
      .default([])
      .meta({
        examples: [['https://app.example']],
        description:
          'Origins of browser apps that may call the proxy, besides loopback ones; such as "https://app.example".',
      }),
    apiKey: z
      .string()
      .regex(/^[\x21-\x7e]{16,}$/, 'expected at least 16 visible ASCII characters without spaces')
      .optional()
      .meta({
        examples: ['${PROXY_API_KEY}'],
        description:
          'Key that every caller must send, as "X-API-Key" or "Authorization: Bearer", or as the password of a browser\'s prompt. For machines that several people share. Better "${NAME}" than the key itself.',
      }),
    limits: limitsSchema.prefault({}),
  })
  .meta({ description: 'Where the proxy listens and who may ask.' });
