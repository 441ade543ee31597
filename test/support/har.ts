import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

// har-validator is CommonJS without types: a promise that rejects with the list of what is wrong.
const { har: validate } = createRequire(import.meta.url)('har-validator/lib/promise.js') as {
  har: (data: unknown) => Promise<unknown>;
};

/** Fails, naming what is wrong, unless the value is an HTTP Archive. */
export async function assertHar(value: unknown): Promise<void> {
  try {
    await validate(value);
  } catch (error) {
    const { errors = error } = error as { errors?: unknown };
    assert.fail(`not an HTTP Archive: ${JSON.stringify(errors)}`);
  }
}
