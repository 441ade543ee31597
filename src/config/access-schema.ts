/** What may be asked of a route: the "access" part of the configuration. */
import { z } from 'zod';

/** Methods that a route can take. `OPTIONS` is answered by the proxy itself, `TRACE` and `CONNECT` never pass. */
export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

const resourceTypeOrOperation = z
  .string()
  .regex(
    /^[A-Z][A-Za-z]{1,63}$|^\$[A-Za-z][\w.-]{0,63}$/,
    'expected a resource type such as "Patient" or an operation such as "$export"',
  );

/** What may be asked of a route. */
export const accessSchema = z
  .strictObject({
    readOnly: z.boolean().default(false).meta({
      description:
        'Let only reads through: GET, HEAD, POST _search, operations that only read, and batches of such.',
    }),
    cancelExports: z.boolean().default(false).meta({
      description:
        'On a read-only route, let DELETE of a bulk export job ("$bulkdata-status") through as well.',
    }),
    methods: z
      .array(z.enum(METHODS))
      .min(1)
      .default([...METHODS])
      .meta({ description: 'Methods that pass; others are refused.' }),
    allow: z
      .array(resourceTypeOrOperation)
      .min(1)
      .optional()
      .meta({
        examples: [['Patient', '$export']],
        description:
          'Resource types and operations that pass, such as "Patient" and "$export"; everything else is refused, but "/metadata" and "/.well-known". Default: all. What an answer includes besides ("_include", an export) is up to the scopes.',
      }),
    deny: z
      .array(resourceTypeOrOperation)
      .default([])
      .meta({
        examples: [['$export']],
        description:
          'Resource types and operations that are refused, also when "allow" names them. An export holds every type that the scopes grant: deny "$export" too.',
      }),
    multipart: z.boolean().default(false).meta({
      description:
        'Let multipart/form-data bodies through whose parts are plain, at most 1 MiB. FHIR has none, and OpenEMR reads parameters from them that replace the path.',
    }),
    maxBodyBytes: z
      .int()
      .min(0)
      .optional()
      .meta({
        examples: [1_048_576],
        description:
          'Longest request body in bytes; a body whose length is not announced is refused. Default: no limit.',
      }),
  })
  .meta({ description: 'What may be asked of this route.' });
