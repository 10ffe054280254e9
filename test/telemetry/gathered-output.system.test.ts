import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createGatheredOutput } from '../../src/telemetry/gathered-output.ts';

/** An output that keeps what it gave out, and how; `next` resolves with all of it when a helper thread is given something. */
function recorder() {
  const given: string[] = [];
  let told: (() => void) | undefined;
  const later = (text: string): void => {
    given.push(`later ${text}`);
    told?.();
  };
  const output = createGatheredOutput(
    { write: later, flushSync: () => void given.push('flushed') },
    { write: (text) => void given.push(`at once ${text}`) },
  );
  const next = async (): Promise<readonly string[]> => {
    // The timer of the output keeps no process alive, so somebody else must.
    const alive = setInterval(() => undefined, 1_000);
    await new Promise<void>((resolve) => (told = resolve));
    clearInterval(alive);
    return given;
  };
  return { given, output, next };
}

describe('createGatheredOutput', () => {
  it('gives out the lines of a while together and in order, and later ones by themselves', async () => {
    const { given, output, next } = recorder();
    output.write('1\n');
    output.write('2\n');
    expect(given).toEqual([]);
    expect(await next()).toEqual(['later 1\n2\n']);
    output.write('3\n');
    expect(await next()).toEqual(['later 1\n2\n', 'later 3\n']);
  });

  it('gives out at once what waits when it is told to flush, behind what was given before, and not again', async () => {
    const { given, output, next } = recorder();
    output.write('1\n');
    output.flushSync();
    expect(given).toEqual(['flushed', 'at once 1\n']);
    output.write('2\n');
    expect(await next()).toEqual(['flushed', 'at once 1\n', 'later 2\n']);
  });

  it('does not gather more than fits into a pipe', async () => {
    const { output, next } = recorder();
    const line = `${'x'.repeat(999)}\n`;
    for (let n = 0; n < 20; n += 1) output.write(line);
    const given = await next();
    expect(given.map((text) => text.length - 'later '.length)).toEqual([9_000, 9_000, 2_000]);
  });
});

describe('a process that exits', () => {
  const log = fileURLToPath(new URL('../../src/telemetry/log.ts', import.meta.url));
  const linesOf = (code: string): number[] => {
    const text = execFileSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { createLogger } from '${log}'; const log = createLogger({ level: 'info' }); ${code}`,
      ],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    );
    return text
      .trim()
      .split('\n')
      .map((line) => Number((JSON.parse(line) as { msg: string }).msg));
  };
  const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

  it('has written the lines of its last turn, in order', () => {
    const code = `for (let n = 1; n <= 50; n += 1) log.info(String(n)); process.exit(0);`;
    expect(linesOf(code)).toEqual(upTo(50));
  });

  it('has written its lines while a helper thread is at work', () => {
    const code = `log.info('1'); await new Promise(setImmediate); for (let n = 2; n <= 400; n += 1) log.info(String(n)); process.exit(0);`;
    expect(linesOf(code).toSorted((a, b) => a - b)).toEqual(upTo(400));
  });

  it('has written its last words, whatever it ends of', () => {
    const code = `process.on('uncaughtException', () => { log.fatal('2'); process.exit(0); }); log.info('1'); setImmediate(() => { throw new Error('end'); });`;
    expect(linesOf(code).toSorted((a, b) => a - b)).toEqual([1, 2]);
  });
});
