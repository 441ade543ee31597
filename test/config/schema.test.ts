import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { buildConfigurationPage, buildJsonSchema } from '../../scripts/docs/configuration-pages.ts';
import { loadConfig } from '../../src/config/load.ts';
import { formatPath } from '../../src/config/path.ts';
import {
  isSandbox,
  SANDBOX_UPSTREAM_VERSIONS,
  sandboxVersion,
} from '../../src/config/sandbox-upstream.ts';
import { noteAt, valuePaths } from '../../src/config/schema-walk.ts';
import { settings, variableNames } from '../../src/config/settings.ts';
import { SANDBOX_VERSIONS } from '../../src/sandbox/index.ts';

const repository = new URL('../../', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, repository), 'utf8');

describe('files written from the schema', () => {
  it('proxy.config.schema.json is fresh: npm run docs', () => {
    assert.equal(read('proxy.config.schema.json'), buildJsonSchema());
  });

  it('docs/configuration.md is fresh: npm run docs', () => {
    assert.equal(read('docs/configuration.md'), buildConfigurationPage());
  });

  it('proxy.config.schema.json asks for what people must write and for nothing else', () => {
    const schema = JSON.parse(buildJsonSchema());
    assert.deepEqual(schema.required, ['routes']);
    assert.deepEqual(schema.properties.routes.items.required, ['path', 'upstream']);
    assert.equal(schema.additionalProperties, false);
    assert.equal(schema.properties.listen.properties.port.default, 8088);
  });
});

describe('the schema', () => {
  it('describes every value', () => {
    assert.ok(valuePaths().length > 40);
    for (const path of valuePaths()) {
      assert.match(noteAt(path).description ?? '', /\.$/, formatPath(path));
    }
  });

  it('has an example for every required value', () => {
    for (const path of valuePaths().filter((path) => noteAt(path).isRequired)) {
      assert.notEqual(noteAt(path).example, undefined, formatPath(path));
    }
  });

  it('gives every value a name of its own in the environment', () => {
    const named = new Set(settings.map(({ path }) => formatPath(path)));
    for (const path of valuePaths().filter(([key]) => key !== '$schema')) {
      assert.ok(named.has(formatPath(path)), formatPath(path));
    }
    assert.equal(new Set(variableNames).size, variableNames.length);
  });
});

describe('the shipped proxy.config.json', () => {
  it('runs the sandbox on loopback', async () => {
    const { config, warnings } = await loadConfig({
      text: read('proxy.config.json'),
      cwd: '/',
    });
    assert.deepEqual(warnings, []);
    assert.equal(config.listen.host, undefined, 'both loopback addresses');
    assert.equal(config.listen.port, 8088);
    assert.deepEqual(
      config.routes.map(({ path, upstream }) => ({ path, upstream })),
      [{ path: '/fhir', upstream: 'sandbox' }],
    );
  });
});

it('every version that the sandbox plays may be named as an upstream', () => {
  assert.deepEqual(SANDBOX_UPSTREAM_VERSIONS, SANDBOX_VERSIONS);
  for (const version of SANDBOX_VERSIONS) {
    assert.ok(isSandbox(`sandbox:${version}`));
    assert.equal(sandboxVersion(`sandbox:${version}`), version);
  }
  assert.equal(sandboxVersion('sandbox'), '7.0.3');
  assert.equal(isSandbox('sandbox:6.1.0'), false);
});
