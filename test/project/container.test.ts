import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { loadConfig } from '../../src/config/load.ts';

const repository = new URL('../../', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, repository), 'utf8');

/** The instructions of the Dockerfile, continued lines joined, comments left out. */
const instructions = read('Dockerfile')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => {
    const [name = '', ...rest] = line.split(' ');
    return { name, value: rest.join(' ').trim() };
  });

function valuesOf(name: string): string[] {
  return instructions.filter((each) => each.name === name).map(({ value }) => value);
}

const copied = valuesOf('COPY')
  .filter((value) => !value.startsWith('--from'))
  .flatMap((value) => value.split(' ').slice(0, -1));

describe('the container image', () => {
  it('copies files that exist and that .dockerignore lets in', () => {
    const letIn = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    assert.ok(copied.includes('src'));
    for (const source of copied) {
      assert.ok(existsSync(new URL(source, repository)), source);
      assert.ok(letIn.includes(source), `${source} is ignored`);
    }
  });

  it('copies every script that the build runs', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: { build: string } };
    const folders = [...scripts.build.matchAll(/(\w+)\/[\w./-]+/g)].map(([, folder]) => folder);
    assert.ok(folders.length > 0);
    for (const folder of folders) assert.ok(copied.includes(folder ?? ''), folder);
  });

  it('has an environment that is a valid configuration and listens on every address', async () => {
    const environment = Object.fromEntries(
      valuesOf('ENV')
        .flatMap((value) => value.split(/\s+/))
        .map((pair) => pair.split('=') as [string, string]),
    );
    const { config, warnings } = await loadConfig({
      cwd: '/nowhere',
      environment,
      flags: { sandbox: true },
    });
    assert.deepEqual(warnings, []);
    assert.equal(config.listen.host, '0.0.0.0');
    assert.equal(config.listen.port, Number(valuesOf('EXPOSE')[0]));
    assert.equal(config.listen.unsafeAnyHost, false);
  });

  it('runs as a user by number, and the program gets the signals itself', () => {
    assert.match(valuesOf('USER')[0] ?? '', /^[1-9]\d*(?::[1-9]\d*)?$/);
    assert.deepEqual(JSON.parse(valuesOf('ENTRYPOINT')[0] ?? ''), ['node', '/app/dist/cli.js']);
  });

  it('is checked by the program itself and says its version', () => {
    const [options = '', command = ''] = (valuesOf('HEALTHCHECK')[0] ?? '').split('CMD');
    assert.match(options, /--interval=/);
    assert.deepEqual(JSON.parse(command), ['node', '/app/dist/cli.js', 'health']);
    const { version } = JSON.parse(read('package.json')) as { version: string };
    assert.ok(valuesOf('LABEL')[0]?.includes(`image.version="${version}"`));
  });
});
