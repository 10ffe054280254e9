import { describe, expect, it, vi } from 'vitest';
import { createPipeOutput } from '../../src/telemetry/pipe-output.ts';

/** A pipe that takes `room` bytes until its reader makes more room. */
function pipe(maxWaitingBytes = 1_000) {
  const state = { room: 0, text: '', error: undefined as string | undefined };
  const output = createPipeOutput({
    maxWaitingBytes,
    droppedLine: (lines) => `dropped ${lines}\n`,
    writeSome: (bytes) => {
      const code = state.error ?? (state.room === 0 ? 'EAGAIN' : undefined);
      if (code !== undefined) throw Object.assign(new Error(code), { code });
      const taken = bytes.subarray(0, state.room);
      state.room -= taken.length;
      state.text += Buffer.from(taken).toString();
      return taken.length;
    },
  });
  return { state, output };
}

describe('createPipeOutput', () => {
  it('writes at once what fits, and the rest in order when there is room', () => {
    vi.useFakeTimers();
    const { state, output } = pipe();
    state.room = 4;
    output.write('one\n');
    expect(state.text).toBe('one\n');
    state.room = 2;
    output.write('two\n');
    output.write('three\n');
    expect(state.text).toBe('one\ntw');
    vi.advanceTimersByTime(100);
    state.room = 100;
    vi.advanceTimersByTime(100);
    expect(state.text).toBe('one\ntwo\nthree\n');
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it('drops and counts lines beyond the limit, and says so when the reader reads again', () => {
    const { state, output } = pipe(10);
    output.write('line 1\n');
    output.write('line 2\nline 3\n');
    output.write('line 4\n');
    state.room = 1_000;
    output.write('line 5\n');
    expect(state.text).toBe('line 1\ndropped 4\n');
    output.write('line 6\n');
    expect(state.text).toBe('line 1\ndropped 4\nline 6\n');
  });

  it('gives up a flush when the reader takes nothing', () => {
    const { output } = pipe();
    output.write('line\n');
    const started = performance.now();
    output.flushSync();
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('writes nothing more after the reader has closed the pipe', () => {
    const { state, output } = pipe();
    state.error = 'EPIPE';
    output.write('line 1\n');
    state.error = undefined;
    state.room = 1_000;
    output.write('line 2\n');
    output.flushSync();
    expect(state.text).toBe('');
  });
});
