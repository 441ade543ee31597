/**
 * The files in .github: workflows against GitHub's own workflow parser, issue forms against the members
 * that its documentation lists, and what they run against package.json.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import type * as WorkflowParser from '@actions/workflow-parser';
import { build } from 'esbuild';
import { parse } from 'yaml';
import { z } from 'zod';

const folder = new URL('../../.github/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, folder), 'utf8');
const list = (name: string) => readdirSync(new URL(name, folder));

/** GitHub's parser imports JSON without saying so, which a bundler takes and Node does not. */
async function loadParser(): Promise<typeof WorkflowParser> {
  const { outputFiles } = await build({
    stdin: {
      contents: "export * from '@actions/workflow-parser';",
      resolveDir: fileURLToPath(new URL('../..', import.meta.url)),
    },
    bundle: true,
    format: 'esm',
    platform: 'node',
    // A package in it asks for Node's own modules as CommonJS does.
    banner: {
      js: `import { createRequire } from 'node:module'; const require = createRequire(${JSON.stringify(import.meta.url)});`,
    },
    write: false,
  });
  const text = Buffer.from(outputFiles[0]?.contents ?? []).toString('base64');
  return (await import(`data:text/javascript;base64,${text}`)) as never;
}

const { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } = await loadParser();

/** What is wrong with a workflow, in the words of GitHub's parser. */
async function problemsOf(name: string, content: string): Promise<string[]> {
  const { context, value } = parseWorkflow({ name, content }, new NoOperationTraceWriter());
  if (value !== undefined) await convertWorkflowTemplate(context, value);
  return context.errors.getErrors().map(({ message }) => message);
}

describe('the workflows', () => {
  for (const name of list('workflows/')) {
    it(`${name} follows GitHub's syntax`, async () => {
      assert.deepEqual(await problemsOf(name, read(`workflows/${name}`)), []);
    });

    it(`${name} asks for no more rights than it needs, and keeps no credentials after checkout`, () => {
      const text = read(`workflows/${name}`);
      assert.match(text, /^permissions:\n {2}contents: read\n/m);
      const checkouts = text.match(/uses: actions\/checkout@/g) ?? [];
      assert.equal(text.match(/persist-credentials: false/g)?.length, checkouts.length);
    });

    it(`${name} runs scripts that package.json has`, () => {
      const { scripts } = JSON.parse(
        readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
      ) as { scripts: Record<string, string> };
      for (const [, script] of read(`workflows/${name}`).matchAll(/npm run ([\w:-]+)/g)) {
        assert.ok(script !== undefined && script in scripts, script);
      }
    });
  }

  it('would be refused with a name that the syntax does not have', async () => {
    const wrong = read('workflows/ci.yml').replace('timeout-minutes', 'timeout-minute');
    assert.match((await problemsOf('ci.yml', wrong)).join('\n'), /timeout-minute/);
  });

  it('test on the oldest supported line of Node', () => {
    const { engines } = JSON.parse(
      readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
    ) as { engines: { node: string } };
    const pinned = readFileSync(new URL('../../.node-version', import.meta.url), 'utf8').trim();
    assert.equal(engines.node, '>=20.19');
    assert.match(pinned, /^20\.(19|[2-9]\d)\.\d+$/);
  });
});

const element = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('markdown'),
    attributes: z.strictObject({ value: z.string() }),
  }),
  z.strictObject({
    type: z.enum(['input', 'textarea']),
    id: z.string().regex(/^[\w-]+$/),
    attributes: z.strictObject({
      label: z.string().min(1),
      description: z.string().optional(),
      placeholder: z.string().optional(),
      value: z.string().optional(),
      render: z.string().optional(),
    }),
    validations: z.strictObject({ required: z.boolean() }).optional(),
  }),
]);
const issueForm = z.strictObject({
  name: z.string().min(4),
  description: z.string().min(4),
  labels: z.array(z.string()).optional(),
  body: z.array(element).min(1),
});

describe('the issue forms', () => {
  const forms = list('ISSUE_TEMPLATE/').filter((name) => name !== 'config.yml');

  for (const name of forms) {
    it(`${name} has only members that GitHub knows, and ids that are used once`, () => {
      const { body } = issueForm.parse(parse(read(`ISSUE_TEMPLATE/${name}`)));
      const ids = body.flatMap((each) => ('id' in each ? [each.id] : []));
      assert.equal(new Set(ids).size, ids.length);
    });
  }

  it('ask for the report of doctor and of the exchange', () => {
    const text = read('ISSUE_TEMPLATE/failure.yml');
    assert.match(text, /doctor --json/);
    assert.match(text, /Copy report/);
  });
});
