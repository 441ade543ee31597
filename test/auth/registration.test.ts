import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type TestContext, describe, it } from 'node:test';

import { Agent } from 'undici';

import type { HttpAnswer } from '../../src/auth/http-answer.ts';
import {
  buildClientMetadata,
  processRegistrationResponse,
  requestRegistration,
  requestRemoval,
} from '../../src/auth/registration.ts';
import { RegistrationError } from '../../src/base/errors.ts';
import { explainRegistration } from '../../src/commands/registration/client.ts';
import { startSandbox } from '../../src/sandbox/index.ts';
import { rs384Key } from '../support/keys.ts';

const URL_ = 'https://localhost:9300/oauth2/default/registration';
const FIXTURES = new URL('../fixtures/', import.meta.url);

interface Transcript {
  what_was_done: string;
  response: {
    status: number;
    headers: Record<string, string>;
    body: unknown;
    body_is_json?: boolean;
  };
}

function answerOf({ response }: Transcript): HttpAnswer {
  const { status, headers, body } = response;
  return {
    status,
    contentType: headers['Content-Type'],
    location: undefined,
    retryAfterSeconds: undefined,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    truncated: false,
    clockDifferenceMs: undefined,
  };
}

/** Recorded registrations: file and content. */
function transcripts(): [string, Transcript][] {
  return ['openemr-7.0.3', 'openemr-8.0.0'].flatMap((folder) =>
    readdirSync(new URL(folder, FIXTURES))
      .filter((name) => /^6[01]\d-/.test(name))
      .map((name): [string, Transcript] => {
        const text = readFileSync(new URL(`${folder}/${name}`, FIXTURES), 'utf8');
        return [`${folder} ${name}`, JSON.parse(text) as Transcript];
      }),
  );
}

function refusal(act: () => unknown): RegistrationError {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof RegistrationError);
    return error;
  }
  throw new Error('it was taken');
}

const client = {
  clientName: 'a test',
  scopes: ['system/Patient.read', 'system/Group.read'],
  contacts: ['a@example.org'],
  keys: { jwks: { keys: [rs384Key().publicJwk] } },
};

function options(t: TestContext) {
  const dispatcher = new Agent();
  t.after(() => dispatcher.destroy());
  return { dispatcher, timeoutMs: 5000, clock: Date };
}

describe('registration', () => {
  it('says what every OpenEMR wants and nothing that one of them refuses', () => {
    const { jwks, ...rest } = buildClientMetadata(client);
    assert.deepEqual(rest, {
      application_type: 'private',
      client_name: 'a test',
      redirect_uris: ['https://localhost/'],
      contacts: ['a@example.org'],
      scope: 'system/Patient.read system/Group.read',
    });
    assert.equal(typeof jwks, 'object');
    const byUri = buildClientMetadata({ ...client, keys: { jwksUri: 'https://a.example/jwks' } });
    assert.equal(byUri['jwks_uri'], 'https://a.example/jwks');
    assert.ok(!('jwks' in byUri));
  });

  for (const [name, transcript] of transcripts()) {
    const { status } = transcript.response;
    if (status === 200) {
      it(`takes the client of ${name}`, () => {
        const taken = processRegistrationResponse(answerOf(transcript), URL_);
        assert.match(taken.clientId, /^[\w-]{20,}$/);
        assert.deepEqual(Object.keys(taken), ['clientId', 'scopes']);
        assert.doesNotMatch(JSON.stringify(taken), /secret/);
      });
      continue;
    }
    it(`tells the fix for ${name}: ${transcript.what_was_done}`, () => {
      const error = refusal(() => processRegistrationResponse(answerOf(transcript), URL_));
      assert.match(error.message, new RegExp(`^the registration endpoint .*status ${status}`));
      assert.match(error.code, /^registration-(?:refused|failed)$/);
      const hints = explainRegistration(error);
      const fix = hints.map((hint) => hint.fix).join(' ');
      assert.notEqual(fix + (error.message.split('. ')[1] ?? ''), '', error.message);
      if (error.code === 'registration-refused') assert.notEqual(fix, '', error.message);
    });
  }

  it('knows a closed registration from a refused client', () => {
    const base = { response: { headers: {}, body: '' }, what_was_done: '' };
    for (const status of [403, 404, 405, 501]) {
      const response = { ...base.response, status };
      const error = refusal(() =>
        processRegistrationResponse(answerOf({ ...base, response }), URL_),
      );
      assert.equal(error.code, 'registration-closed');
      assert.match(error.message, /is closed: .*Register the client by hand/);
    }
    const empty = { ...base.response, status: 200, body: {} };
    const error = refusal(() =>
      processRegistrationResponse(answerOf({ ...base, response: empty }), URL_),
    );
    assert.equal(error.code, 'registration-malformed');
  });

  it('is taken by the sandbox, which starts the client disabled', async (t) => {
    const sandbox = await startSandbox();
    t.after(() => sandbox.close());
    const url = `${sandbox.url}/oauth2/default/registration`;
    const taken = await requestRegistration(url, buildClientMetadata(client), options(t));
    assert.equal(sandbox.state.clients.get(taken.clientId)?.enabled, false);
    assert.deepEqual(taken.scopes, client.scopes);
    assert.ok(taken.removal);
    await assert.rejects(requestRemoval(taken.removal, options(t)), (error: RegistrationError) => {
      assert.equal(error.code, 'removal-refused');
      return /Admin > System > API Clients/.test(error.message);
    });
  });

  it('explains what the sandbox refuses', async (t) => {
    const sandbox = await startSandbox();
    t.after(() => sandbox.close());
    const url = `${sandbox.url}/oauth2/default/registration`;
    const good = buildClientMetadata(client);
    const cases: [Record<string, unknown>, string][] = [
      [{ redirect_uris: undefined }, 'reg-redirect-uris'],
      [{ application_type: 'web' }, 'reg-public-system-scope'],
      [{ application_type: undefined }, 'reg-public-system-scope'],
      [{ token_endpoint_auth_method: 'private_key_jwt' }, 'reg-auth-method'],
      [{ scope: 'system/Patient.rs' }, 'scope-invalid'],
      [{ scope: 'system/*.read' }, 'scope-invalid'],
      [{ jwks: undefined }, 'reg-jwks-required'],
    ];
    for (const [change, id] of cases) {
      await assert.rejects(
        requestRegistration(url, { ...good, ...change }, options(t)),
        (error: RegistrationError) => {
          assert.equal(explainRegistration(error)[0]?.id, id, error.message);
          return true;
        },
      );
    }
  });

  it('removes a client with the token that came with it', async (t) => {
    const seen: string[] = [];
    const server = createServer((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.authorization}`);
      response.writeHead(204).end();
    });
    t.after(() => server.close());
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    const registrationClientUri = `http://127.0.0.1:${port}/client/a`;
    await requestRemoval({ registrationClientUri, registrationAccessToken: 'x' }, options(t));
    assert.deepEqual(seen, ['DELETE /client/a Bearer x']);
  });

  it('says that nobody answers', async (t) => {
    await assert.rejects(requestRegistration('http://127.0.0.1:1/', {}, options(t)), {
      code: 'registration-unreachable',
      message: /nothing listens there/,
    });
  });
});
