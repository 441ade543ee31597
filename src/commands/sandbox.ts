import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { createSelfSignedCertificate } from '../sandbox/certificate.ts';
import {
  FAULT_NAMES,
  type FaultSettings,
  isSandboxVersion,
  parseFaultText,
  type Sandbox,
  SANDBOX_VERSIONS,
  type SandboxVersion,
  startSandbox,
} from '../sandbox/index.ts';
import type { Arguments, Command } from './command.ts';
import { ExitError } from './exit-error.ts';
import { parsePort } from './port-flag.ts';
import { writePrivateFile } from './private-file.ts';
import { signalExitCode, stopped } from './runtime.ts';
import { readGivenKey } from './sandbox-key.ts';
import { describePlaces, formatPlaces } from './sandbox-places.ts';
import { UsageError } from './usage-error.ts';

/** One above the proxy's own, and none of those that OpenEMR's containers use. */
const DEFAULT_PORT = '8089';
const DEFAULT_HOST = '127.0.0.1';

const sandboxArguments = {
  host: {
    type: 'string',
    default: DEFAULT_HOST,
    requiresArg: true,
    describe: 'Address to listen on',
  },
  port: {
    alias: 'p',
    type: 'string',
    default: DEFAULT_PORT,
    requiresArg: true,
    parse: parsePort,
    describe: 'Port to listen on; 0 takes a free one',
  },
  openemr: {
    type: 'string',
    default: '7.0.3',
    requiresArg: true,
    parse: parseVersion,
    describe: `Version of OpenEMR to play: ${SANDBOX_VERSIONS.join(', ')}`,
  },
  tls: {
    type: 'boolean',
    default: false,
    describe:
      'Speak HTTPS as "localhost" (or as --host), with a self-signed certificate made at start',
  },
  fault: {
    type: 'string',
    array: true,
    requiresArg: true,
    describe: `Failure to play, as NAME or NAME=VALUE; again for more: ${FAULT_NAMES.join(', ')}`,
  },
  'client-id': {
    type: 'string',
    requiresArg: true,
    describe: 'Id of the ready client; default a random one',
  },
  key: {
    type: 'string',
    requiresArg: true,
    describe: 'File of its private RSA key; made when it is not there; default a temporary file',
  },
  'error-log': {
    type: 'string',
    requiresArg: true,
    describe: "File for OpenEMR's error log; default a temporary one",
  },
  'site-address': {
    type: 'string',
    requiresArg: true,
    describe:
      "Origin of every absolute URL and of the expected audience (OpenEMR's Site Address Override); default its own, empty: taken from each request",
  },
  json: {
    type: 'boolean',
    default: false,
    describe: 'Print where everything is as one line of JSON',
  },
} satisfies Arguments;

/** Runs the OpenEMR look-alike alone. */
export const sandboxCommand: Command<typeof sandboxArguments> = {
  purpose:
    'Runs a fake OpenEMR with made-up patients: token endpoint, client registration, FHIR, bulk export and error log, and the failures that the real one has. For a test stack; it keeps nothing.',
  examples: [
    { task: 'Start it and see where everything is', command: 'fhir-auth-proxy sandbox' },
    {
      task: 'For a script: one line of JSON once it is ready',
      command: 'fhir-auth-proxy sandbox --port 0 --json',
    },
    {
      task: 'The same client at each start; the key file is made when it is not there',
      command: 'fhir-auth-proxy sandbox --client-id demo --key demo.jwk.json',
    },
    {
      task: 'See what a disabled client and a slow server look like',
      command: 'fhir-auth-proxy sandbox --fault client-disabled --fault slow-answer=3000',
    },
    {
      task: 'Switch a fault on while it runs, and all of them off',
      command:
        'curl -d \'{"token-expired": "issued"}\' http://127.0.0.1:8089/__sandbox/faults\ncurl -X DELETE http://127.0.0.1:8089/__sandbox/faults',
    },
  ],
  arguments: sandboxArguments,
  async run(args, runtime) {
    const faults = parseFaultFlags(args.fault ?? []);
    const folder = await mkdtemp(join(tmpdir(), 'fhir-auth-proxy-sandbox-'));
    const stop = runtime.stopSignal();
    let sandbox: Sandbox | undefined;
    try {
      const keyFile = resolve(runtime.cwd, args.key ?? join(folder, 'client.jwk.json'));
      const key = await readGivenKey(keyFile, args.key !== undefined);
      const tls = args.tls ? await createSelfSignedCertificate(args.host) : undefined;
      const siteAddress = args['site-address'];
      const id = args['client-id'];
      sandbox = await startSandbox({
        version: args.openemr,
        host: args.host,
        port: args.port,
        faults,
        errorLog: resolve(runtime.cwd, args['error-log'] ?? join(folder, 'error.log')),
        client: { ...(id === undefined ? {} : { id }), ...(key === undefined ? {} : { key }) },
        ...(tls === undefined ? {} : { tls }),
        // The first name of its certificate, and the one that people type.
        ...(args.tls && args.host === DEFAULT_HOST ? { name: 'localhost' } : {}),
        ...(siteAddress === undefined ? {} : { settings: { siteAddress } }),
      });
      if (key === undefined) {
        await writePrivateFile(keyFile, `${JSON.stringify(sandbox.client.key)}\n`, 'key file');
      }
      const certificate = tls === undefined ? undefined : join(folder, 'certificate.pem');
      if (certificate !== undefined) await writeFile(certificate, tls?.cert ?? '');
      const places = describePlaces(sandbox, args.openemr, keyFile, certificate);
      if (args.json) runtime.stdout.writeJson(places);
      else runtime.stdout.write(formatPlaces(places));
      throw new ExitError(signalExitCode(await stopped(stop)));
    } finally {
      await sandbox?.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

function parseVersion(text: string): SandboxVersion {
  if (isSandboxVersion(text)) return text;
  const known = SANDBOX_VERSIONS.map((version) => `"${version}"`).join(' or ');
  throw new UsageError(`--openemr is "${text}": expected ${known}`);
}

function parseFaultFlags(texts: readonly string[]): Partial<FaultSettings> {
  const faults: Partial<FaultSettings> = {};
  for (const text of texts) {
    const parsed = parseFaultText(text);
    if (typeof parsed === 'string') throw new UsageError(`--fault ${text}: ${parsed}`);
    Object.assign(faults, parsed);
  }
  return faults;
}
