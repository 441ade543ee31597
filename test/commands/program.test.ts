import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { ConfigError, ProxyError } from '../../src/base/errors.ts';
import type { Arguments, Command } from '../../src/commands/command.ts';
import { ExitError } from '../../src/commands/exit-error.ts';
import { commands as realCommands } from '../../src/commands/list.ts';
import { runProgram } from '../../src/commands/program.ts';
import { UsageError } from '../../src/commands/usage-error.ts';
import { createTestRuntime } from '../support/runtime.ts';

const serveArguments = {
  port: { alias: 'p', type: 'string', requiresArg: true, describe: 'Port' },
  'log-level': { type: 'string' },
  loud: { type: 'boolean', conflicts: 'port' },
  wait: {
    type: 'string',
    default: '2',
    parse(text: string) {
      if (/^[0-9]$/.test(text)) return Number(text);
      throw new UsageError(`--wait is "${text}": expected a digit`, 'Give one');
    },
  },
} satisfies Arguments;

const explainArguments = {
  status: { positional: true, type: 'string', demandOption: true, describe: 'Status' },
} satisfies Arguments;

/** Runs a program with two commands of this test; gives what was seen. */
async function run(argv: string[], fail?: unknown, environment = {}) {
  const seen: unknown[] = [];
  const loaded: string[] = [];
  const serve: Command<typeof serveArguments> = {
    purpose: 'Serves things.',
    examples: [{ task: 'Serve on another port', command: 'fhir-auth-proxy serve --port 1' }],
    arguments: serveArguments,
    async run({ port, 'log-level': level, wait }) {
      if (fail !== undefined) throw fail;
      seen.push({ port, level, wait });
    },
  };
  const explain: Command<typeof explainArguments> = {
    purpose: 'Explains an answer.',
    examples: [{ task: 'Explain a 401', command: 'fhir-auth-proxy explain 401' }],
    takesRest: true,
    arguments: explainArguments,
    async run(args) {
      seen.push({ status: args.status, rest: args['--'] });
    },
  };
  const runtime = createTestRuntime({ environment });
  const commands = [
    {
      name: 'serve',
      summary: 'serve things',
      load: async () => (loaded.push('serve'), serve),
    },
    {
      name: 'explain <status>',
      summary: 'explain an answer',
      load: async () => (loaded.push('explain'), explain),
    },
  ];
  const exitCode = await runProgram(argv, runtime, { version: '1.2.3', commands });
  return { exitCode, seen, loaded, out: runtime.out(), err: runtime.err() };
}

describe('which command runs', () => {
  it('is the first one when none is named', async () => {
    const { exitCode, seen } = await run(['--port', '1', '--log-level=debug']);
    assert.equal(exitCode, 0);
    assert.deepEqual(seen, [{ port: '1', level: 'debug', wait: 2 }]);
  });

  it('is the one that is named, and only that is loaded', async () => {
    const { exitCode, seen, loaded } = await run(['explain', '0401', '--', 'a', '--b']);
    assert.equal(exitCode, 0);
    assert.deepEqual(seen, [{ status: '0401', rest: ['a', '--b'] }]);
    assert.deepEqual(loaded, ['explain']);
  });

  it('takes the last of a flag that is given twice', async () => {
    assert.deepEqual((await run(['-p', '1', '-p', '2'])).seen, [
      { port: '2', level: undefined, wait: 2 },
    ]);
  });
});

describe('the text of an argument', () => {
  it('reaches the command as the value that its declaration makes of it', async () => {
    assert.deepEqual((await run(['--wait', '7'])).seen, [
      { port: undefined, level: undefined, wait: 7 },
    ]);
  });
});

describe('bad usage ends with 2, says what was meant and runs nothing', () => {
  const cases: [string[], string, string][] = [
    [['serv'], 'unknown command "serv"', 'Did you mean "serve"?'],
    [['xyzzy'], 'unknown command "xyzzy"', 'Run "fhir-auth-proxy --help" for a list'],
    [['--prot', '1'], 'unknown flag "--prot"', 'Did you mean "--port"?'],
    [['serve', '--log-levle=x'], 'unknown flag "--log-levle"', 'Did you mean "--log-level"?'],
    [['--logLevle', 'x'], 'unknown flag "--log-levle"', 'Did you mean "--log-level"?'],
    [['serve', '-x'], 'unknown flag "-x"', 'Run "fhir-auth-proxy serve --help"'],
    [['--no-port'], 'unknown flag "--no-port"', 'Did you mean "--port"?'],
    [['serve', 'x'], 'unexpected argument "x"', 'Run "fhir-auth-proxy serve --help" for usage'],
    [['serve', '--', 'x'], 'unexpected argument "x"', 'Run "fhir-auth-proxy serve --help"'],
    [['--port', '1', 'explain'], 'unexpected argument "explain"', 'Write the command first'],
    [
      ['--port'],
      '"--port" has no value: expected one behind it',
      'Run "fhir-auth-proxy serve --help"',
    ],
    [['--wait', 'long'], '--wait is "long": expected a digit', 'Give one'],
    [
      ['--loud=maybe'],
      '"--loud" takes no value: expected it alone, or with "=false"',
      'Run "fhir-auth-proxy serve --help"',
    ],
    [
      ['--port', '1', '--loud'],
      '"--loud" and "--port" do not go together: expected one of them',
      'Run "fhir',
    ],
    [
      ['explain', '1', 'sh', 'x'],
      'unexpected argument "sh"',
      'Write the command to run behind "--": "fhir-auth-proxy … -- sh',
    ],
    [
      ['explain'],
      'too few arguments: expected "fhir-auth-proxy explain <status>"',
      'Run "fhir-auth-proxy explain --help" for usage',
    ],
  ];
  for (const [argv, message, remedy] of cases) {
    it(argv.join(' '), async () => {
      const { exitCode, seen, out, err } = await run(argv);
      assert.equal(exitCode, 2);
      assert.deepEqual(seen, []);
      assert.equal(out, '');
      const [first, second] = err.split('\n');
      assert.equal(first, `error: ${message}`);
      assert.ok(second?.startsWith(`  ${remedy}`), second);
    });
  }
});

describe('help', () => {
  it('of the program: purpose, tasks, commands, then flags', async () => {
    const { exitCode, out, err, seen } = await run(['--help']);
    assert.equal(exitCode, 0);
    assert.equal(err, '');
    assert.deepEqual(seen, []);
    const parts = [
      'Serves things.',
      '  # Serve on another port\n  fhir-auth-proxy serve --port 1',
      'Usage: fhir-auth-proxy [command] [flags]',
      '  serve             serve things\n  explain <status>  explain an answer',
      'Flags of serve:',
      '-p, --port',
    ];
    const places = parts.map((part) => out.indexOf(part));
    assert.ok(!places.includes(-1), out);
    assert.deepEqual(
      places,
      [...places].sort((a, b) => a - b),
      out,
    );
  });

  for (const argv of [
    ['explain', '--help'],
    ['explain', '-h'],
    ['help', 'explain'],
  ]) {
    it(`of a command: ${argv.join(' ')}`, async () => {
      const { exitCode, out } = await run(argv);
      assert.equal(exitCode, 0);
      assert.match(out, /^Explains an answer\.\n\n {2}# Explain a 401\n/);
      assert.match(out, /Usage: fhir-auth-proxy explain <status> \[flags\]/);
      assert.match(out, /status +Status/);
      assert.doesNotMatch(out, /serve things/);
    });
  }

  for (const argv of [['help'], ['-h']]) {
    it(`is the same by ${argv.join(' ')}`, async () => {
      assert.equal((await run(argv)).out, (await run(['--help'])).out);
    });
  }

  it('--version prints the version alone', async () => {
    const { exitCode, out } = await run(['--version']);
    assert.equal(exitCode, 0);
    assert.equal(out, '1.2.3\n');
  });

  for (const { name, load } of realCommands) {
    it(`of ${name} has a purpose and tasks that begin with what they want`, async () => {
      const { purpose, examples } = await load();
      assert.match(purpose, /\.$/);
      assert.ok(examples.length > 0);
      for (const { task } of examples) assert.match(task, /^[A-Z].*[^.]$/);
      assert.ok(examples.some(({ command }) => command.includes('fhir-auth-proxy')));
    });
  }
});

describe('what a command throws becomes exit code and text', () => {
  it('a configuration with several problems: 2, each with place and remedy', async () => {
    const error = new ConfigError(
      [
        { path: 'a.b', message: 'is missing', remedy: 'Add it', line: 3, column: 5 },
        { path: '--port', message: 'is odd' },
      ],
      { file: '/etc/proxy.config.json' },
    );
    const { exitCode, err } = await run([], error);
    assert.equal(exitCode, 2);
    assert.equal(
      err,
      [
        'error: /etc/proxy.config.json: 2 problems in the configuration',
        '  a.b (line 3, column 5): is missing',
        '    Add it',
        '  --port: is odd',
        '',
      ].join('\n'),
    );
  });

  it('a configuration with one problem: 2 and one line', async () => {
    const error = new ConfigError([{ path: 'a.b', message: 'is missing', remedy: 'Add it' }]);
    const { exitCode, err } = await run([], error);
    assert.equal(exitCode, 2);
    assert.equal(err, 'error: a.b: is missing. Add it\n');
  });

  it('a flag that is wrong is no fault of the file', async () => {
    const problems = [{ path: '--port', message: 'expected at most 65535' }];
    const { err } = await run([], new ConfigError(problems, { file: '/etc/proxy.config.json' }));
    assert.equal(err, 'error: --port: expected at most 65535\n');
  });

  it('bad usage found by the command: 2', async () => {
    const { exitCode, err } = await run([], new UsageError('no such file "x"', 'Name another'));
    assert.equal(exitCode, 2);
    assert.equal(err, 'error: no such file "x"\n  Name another\n');
  });

  it('an exit code: that one, without another word', async () => {
    const { exitCode, out, err } = await run([], new ExitError(7));
    assert.equal(exitCode, 7);
    assert.equal(out + err, '');
  });

  it('any other failure: 1', async () => {
    const { exitCode, err } = await run([], new ProxyError('token-refused', 'no token'));
    assert.equal(exitCode, 1);
    assert.equal(err, 'error: no token\n');
  });

  it('a defect: 1, without a stack unless asked for', async () => {
    const quiet = await run([], new TypeError('x is undefined'));
    assert.equal(quiet.exitCode, 1);
    assert.match(quiet.err, /^internal error: x is undefined\n/);
    assert.doesNotMatch(quiet.err, /program\.test/);
    const loud = await run([], new TypeError('x is undefined'), {
      FHIR_AUTH_PROXY_LOG_LEVEL: 'debug',
    });
    assert.match(loud.err, /at .*program\.test/);
  });
});
