import { z } from 'zod';

/** The client that the proxy is at the authorization server. */
export const clientSchema = z
  .strictObject({
    id: z
      .string()
      .min(1)
      .max(512)
      .regex(
        /^[\x20-\x7e]*$/,
        'expected visible ASCII characters alone, as the registration gave them',
      )
      .meta({ examples: ['Zk3vJ0wT9dQ'], description: 'Client id that the registration gave.' }),
    key: z
      .string()
      .min(1)
      .meta({
        examples: ['keys/private.jwk.json'],
        description:
          'Private signing key: path of a JWK, JWK Set or PEM file (PKCS#1 or PKCS#8), relative to the config file, or the JWK or PEM itself. RSA for RS384, EC P-384 for ES384.',
      }),
    publish: z
      .array(z.string().min(1))
      .min(1)
      .max(8)
      .optional()
      .meta({
        examples: [['keys/private.jwk.json', 'keys/private-old.jwk.json']],
        description:
          'Private key files whose public halves are published at /.well-known/jwks.json for this client, in this order; "key" is one of them. Default: "key" alone. OpenEMR uses the first RSA key only; "key rotate" sets it.',
      }),
    keyId: z
      .string()
      .min(1)
      .optional()
      .meta({
        examples: ['proxy-2026'],
        description:
          'Value of the "kid" field of the client assertion. Default: the kid of the JWK, else its RFC 7638 thumbprint.',
      }),
    scopes: z
      .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'expected one scope without spaces'))
      .min(1)
      .meta({
        examples: [['system/Patient.read', 'system/Observation.read']],
        description: 'Scopes to ask for, such as "system/Patient.read". Nothing else is asked for.',
      }),
  })
  .meta({
    description:
      'Client of the SMART Backend Services grant. Left out when the upstream is the sandbox.',
  });
