import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Whether this process is in the foreground of its terminal. One that was started with `&` is not:
 * reading a key would stop it (SIGTTIN). False when that cannot be found out.
 */
export function isForeground(): boolean {
  // Windows has no job control: nothing runs behind the back of its console.
  if (process.platform === 'win32') return true;
  try {
    const [group, terminalGroup] = processGroups();
    return group !== undefined && group === terminalGroup;
  } catch {
    return false;
  }
}

/** Process group of this process, and the one that its terminal listens to. */
function processGroups(): string[] {
  if (process.platform === 'linux') {
    // The name, in parentheses, may hold spaces; behind it: state, parent, group, session, terminal, its group.
    const stat = readFileSync('/proc/self/stat', 'utf8');
    const [, , group, , , terminalGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return [group ?? '', terminalGroup ?? '?'];
  }
  const text = execFileSync('ps', ['-o', 'pgid=,tpgid=', '-p', String(process.pid)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return text.trim().split(/\s+/);
}
