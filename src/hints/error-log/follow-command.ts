/** Reads a log from the standard output of a command, such as `docker compose exec … tail -F …`. */
import { type ChildProcess, spawn } from 'node:child_process';

const FIRST_RESTART_MS = 1000;
const LAST_RESTART_MS = 30_000;
/** Milliseconds that a command gets to end after SIGTERM. */
const KILL_AFTER_MS = 2000;

/** What {@link followCommand} is told and tells. */
export interface CommandFollowing {
  /** Program and arguments; no shell is involved. */
  command: readonly [string, ...string[]];
  onText: (text: string) => void;
  /** The command runs. */
  onStart: () => void;
  /** It could not be started, or it ended; it is started again after `restartMs`. */
  onEnd: (reason: string, restartMs: number) => void;
}

/** A running command. */
export interface FollowedCommand {
  close: () => Promise<void>;
}

/** Runs the command, and runs it again with growing pauses (1 s to 30 s) when it ends. */
export function followCommand(following: CommandFollowing): FollowedCommand {
  const {
    command: [program, ...args],
    onText,
    onStart,
    onEnd,
  } = following;
  let child: ChildProcess | undefined;
  let ended: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let restartMs = FIRST_RESTART_MS;
  let closed = false;

  const start = (): void => {
    const running = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child = running;
    let complaint = '';
    running.stdout.setEncoding('utf8').on('data', (text: string) => {
      restartMs = FIRST_RESTART_MS;
      onText(text);
    });
    running.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = `${complaint}${text}`.slice(-300);
    });
    running.once('spawn', onStart);
    ended = new Promise((resolve) => {
      let over = false;
      const end = (reason: string): void => {
        if (over) return;
        over = true;
        resolve();
        if (closed) return;
        onEnd(reason, restartMs);
        timer = setTimeout(start, restartMs);
        restartMs = Math.min(restartMs * 2, LAST_RESTART_MS);
      };
      running.once('error', (error) => end(error.message));
      running.once('close', (code, signal) =>
        end(
          `${signal === null ? `exit code ${code}` : `signal ${signal}`}${complaint.trim() === '' ? '' : `: ${complaint.trim()}`}`,
        ),
      );
    });
  };
  start();

  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      child?.kill('SIGTERM');
      const hard = setTimeout(() => child?.kill('SIGKILL'), KILL_AFTER_MS);
      await ended;
      clearTimeout(hard);
    },
  };
}
