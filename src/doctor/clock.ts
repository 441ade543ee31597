/** The clocks of both machines: assertions and tokens live by them. */
import { DEFAULT_ASSERTION_SECONDS } from '../auth/client-assertion.ts';
import type { RouteCheck } from './check.ts';
import { fail, ok, skip, warn } from './result.ts';

/** What OpenEMR tolerates on the times of an assertion, in milliseconds. */
const LEEWAY_MS = 60_000;
/** Further apart than this is worth a word. */
const NOTABLE_MS = 10_000;
const FIX =
  'Set both clocks right, with NTP (timedatectl set-ntp true) on the machine that is wrong';

/** Compares the `Date` field of the metadata with our clock. */
export const clockCheck: RouteCheck = {
  name: 'clock',
  needs: ['tcp'],
  run({ facts }) {
    const { clockDifferenceMs } = facts;
    if (clockDifferenceMs === undefined) {
      return Promise.resolve([skip('no answer had a "Date" field')]);
    }
    const seconds = Math.round(Math.abs(clockDifferenceMs) / 1000);
    const says = `our clock is ${seconds} s ${clockDifferenceMs < 0 ? 'ahead of' : 'behind'} the server's`;
    if (clockDifferenceMs < -LEEWAY_MS) {
      return Promise.resolve([
        fail(`${says}, which tolerates 60 s: no assertion is accepted`, FIX),
      ]);
    }
    if (clockDifferenceMs >= DEFAULT_ASSERTION_SECONDS * 1000 + LEEWAY_MS) {
      return Promise.resolve([fail(`${says}, longer than an assertion lives`, FIX)]);
    }
    return Promise.resolve([
      seconds * 1000 > NOTABLE_MS ? warn(says, FIX) : ok(`the clocks differ by ${seconds} s`),
    ]);
  },
};
