import { describe, expect, it } from 'vitest';
import { closeFix } from '../../src/cli/doctor/secret-findings.ts';
import { fileSystemFinding, spaceFinding } from '../../src/cli/doctor/store-findings.ts';
import { memoryFinding, openFilesFinding } from '../../src/cli/doctor/system-findings.ts';

const GIB = 1_024 ** 3;

describe('limits that a test cannot create', () => {
  it.each([
    [0x01021994, 'warn', 'tmpfs'],
    [0x794c7630, 'warn', 'overlay'],
    [0x6969, 'warn', 'nfs'],
    // As a signed number, which is how some systems give it.
    [0xff534d42 | 0, 'warn', 'cifs'],
    [0xef53, 'ok', 'ext4'],
    [0x1234, 'ok', 'type 0x1234'],
  ])('file system %d: %s', (type, level, name) => {
    expect(fileSystemFinding('/data', type)).toMatchObject({ level, detail: expect.stringContaining(name) });
  });

  it.each([
    ['none left', 0.5 * GIB, 0, 'fail', /answered 503/],
    [
      'less than the store may use',
      5 * GIB,
      0,
      'warn',
      /^.*the disk fills up before the store reaches its limit$/,
    ],
    ['the rest of what a grown store may use', 5 * GIB, 6 * GIB, 'ok', /^5 GiB free/],
    ['enough for the whole store', 11 * GIB, 0, 'ok', /^11 GiB free/],
  ])('free space: %s', (_name, free, used, level, detail) => {
    const marks = { minFree: 1 * GIB, maxBytes: 10 * GIB };
    expect(spaceFinding({ free, used }, marks)).toMatchObject({
      level,
      detail: expect.stringMatching(detail),
    });
  });

  it('says how much more the volume needs', () => {
    const { fix } = spaceFinding({ free: 5 * GIB, used: 0 }, { minFree: 1 * GIB, maxBytes: 10 * GIB });
    expect(fix).toContain('enlarge the volume by 6 GiB');
  });

  it.each([
    [128, 'fail'],
    [512, 'warn'],
    [65_536, 'ok'],
    [undefined, 'ok'],
  ])('open files %s: %s', (limit, level) => expect(openFilesFinding(limit).level).toBe(level));

  it.each([
    [128, 1, 'fail'],
    [256, 1, 'warn'],
    [512, 1, 'ok'],
    [512, 5, 'warn'],
  ])('memory %d MiB for %d destinations: %s', (mib, destinations, level) =>
    expect(memoryFinding(mib * 1_048_576, destinations).level).toBe(level),
  );

  it('never closes a secret to the relay itself', () => {
    const relay = { uid: 10_001, groups: [10_001] };
    const fixFor = (uid: number, gid: number, mode = 0o644) =>
      closeFix('/run/secrets/the key', { mode, uid, gid }, relay);
    const chmod = /^chmod o-rwx '\/run\/secrets\/the key'; in Kubernetes/;
    expect(fixFor(10_001, 0)).toMatch(chmod);
    expect(fixFor(0, 10_001)).toMatch(chmod);
    for (const fix of [fixFor(0, 0), fixFor(0, 10_001, 0o604)]) {
      expect(fix).toMatch(/^copy it to a file of user 10001 with mode 0400/);
      expect(fix).not.toContain('chmod');
    }
    expect(closeFix('/k', { mode: 0o644, uid: 10_001, gid: 0 }, { uid: 0, groups: [0] })).toMatch(
      /^if user 10001 runs the relay: chmod o-rwx \/k;/,
    );
  });
});
