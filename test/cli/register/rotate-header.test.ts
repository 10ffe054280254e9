import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import type { AcceptanceOf } from '../../../src/cli/register/accepted-headers.ts';
import { type RotationParts, rotateHeader } from '../../../src/cli/register/rotate-header.ts';
import { type SecretFiles, secretFilesOf } from '../../../src/cli/register/secret-files.ts';
import { newWebhook } from '../../../src/cli/register/wanted-webhook.ts';
import { LOST, WANTED, webhooksInMemory } from './webhook-rig.ts';

const OLD = 'old-value';
const NAME = WANTED.header.name;

interface RotationRig {
  readonly parts: RotationParts;
  readonly files: SecretFiles;
  readonly steps: string[];
  readonly value: () => string;
  readonly accepted: () => Promise<readonly string[]>;
  /** Capillary posts a webhook with the value that it has. */
  readonly deliver: () => void;
}

/** A relay that reads its two files at each look, and a Capillary that sends what it has. */
async function rotationRig(more: Partial<RotationParts> = {}): Promise<RotationRig> {
  const folder = await mkdtemp(join(tmpdir(), 'relay-rotate-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const files = { current: join(folder, 'key'), other: join(folder, 'former-key'), prefix: '' };
  for (const file of [files.current, files.other]) await writeFile(file, `${OLD}\n`);
  const { client, stored } = webhooksInMemory([
    { ...newWebhook(WANTED), webHookHeaders: { [NAME]: OLD, Other: 'kept' } },
  ]);
  const value = (): string =>
    (stored.get('id-0')?.['webHookHeaders'] as Record<string, string> | undefined)?.[NAME] ?? '';
  const accepted = async (): Promise<readonly string[]> =>
    Promise.all([files.current, files.other].map(async (file) => (await readFile(file, 'utf8')).trim()));
  const uses = new Map<string, string>();
  let time = 0;
  const deliver = (): void => {
    time += 1;
    uses.set(value(), new Date(time).toISOString());
  };
  const steps: string[] = [];
  const acceptance: AcceptanceOf = async (header) => {
    deliver();
    const isAccepted = (await accepted()).includes(header.value);
    const lastVerifiedAt = uses.get(header.value);
    return {
      accepted: isAccepted,
      acceptedBySome: isAccepted,
      others: 0,
      ...(isAccepted && lastVerifiedAt !== undefined ? { lastVerifiedAt } : {}),
    };
  };
  const parts = {
    client,
    wanted: WANTED,
    acceptance,
    files,
    waitMs: 2_000,
    pollMs: 1,
    quietMs: 0,
    onStep: (step: string) => steps.push(step),
    ...more,
  };
  return { parts, files, steps, value, accepted, deliver };
}

describe('a rotation with two files', () => {
  test('makes a value, gives it to the relay, then to Capillary, and drops the former one', async () => {
    const { parts, value, accepted, steps, files } = await rotationRig();
    expect(await rotateHeader(parts)).toEqual({ did: 'rotated', dropped: true });
    expect(value()).toMatch(/^[\w-]{43}$/);
    expect(await accepted()).toEqual([value(), value()]);
    expect(await readFile(files.current, 'utf8')).toBe(`${value()}\n`);
    expect(steps.map((step) => step.split(' ')[0])).toEqual(['writing', 'the', 'waiting', 'dropping']);
    const before = value();
    expect(await rotateHeader(parts)).toMatchObject({ did: 'rotated' });
    expect(value()).not.toBe(before);
  });

  test.each([1, 2, 3, 4])(
    'that ends before step %i leaves the relay accepting what is sent, and continues',
    async (last) => {
      const { parts, value, accepted } = await rotationRig();
      let count = 0;
      const onStep = (): void => {
        count += 1;
        if (count === last) throw new Error('killed');
      };
      await expect(rotateHeader({ ...parts, onStep })).rejects.toThrow('killed');
      expect(await accepted()).toContain(value());
      expect(await rotateHeader(parts)).toEqual({
        did: last === 4 || last === 3 ? 'finished' : 'rotated',
        dropped: true,
      });
      expect(value()).not.toBe(OLD);
      expect(await accepted()).toEqual([value(), value()]);
    },
  );

  test('continues after the answer of the PUT was lost', async () => {
    const rig = await rotationRig();
    const memory = webhooksInMemory(
      [{ ...newWebhook(WANTED), webHookHeaders: { [NAME]: OLD } }],
      ({ land, count }) => {
        if (count === 1) return LOST;
        land();
        return LOST;
      },
    );
    const held = (): string =>
      (memory.stored.get('id-0')?.['webHookHeaders'] as Record<string, string> | undefined)?.[NAME] ?? '';
    let time = 0;
    const acceptance: AcceptanceOf = async ({ value }) => {
      const isAccepted = (await rig.accepted()).includes(value);
      time += 1;
      const used = value === held() ? { lastVerifiedAt: new Date(time).toISOString() } : {};
      return { accepted: isAccepted, acceptedBySome: isAccepted, others: 0, ...used };
    };
    expect(await rotateHeader({ ...rig.parts, client: memory.client, acceptance })).toMatchObject({
      did: 'rotated',
    });
    expect(await rig.accepted()).toEqual([held(), held()]);
  });

  test('keeps the other headers, and never tells the relay a value', async () => {
    const { parts } = await rotationRig();
    await rotateHeader(parts);
    const answer = await parts.client.get('/v3/webHooks');
    expect(answer).toMatchObject({ body: { data: [{ webHookHeaders: { Other: 'kept' } }] } });
  });

  test('keeps both values if no webhook comes in time', async () => {
    const { parts, value, accepted } = await rotationRig();
    const acceptance: AcceptanceOf = async (header) => {
      const isAccepted = (await accepted()).includes(header.value);
      return { accepted: isAccepted, acceptedBySome: isAccepted, others: 0 };
    };
    await expect(rotateHeader({ ...parts, acceptance, waitMs: 5 })).rejects.toThrow(
      'no webhook came with it within 5 ms',
    );
    expect(await accepted()).toEqual([value(), OLD]);
  });

  /** Webhooks come with both values, with the former one as often as it is asked for. */
  const both = ({ accepted }: RotationRig, times: number) => {
    let time = 0;
    let left = times;
    const used = new Map<string, string>();
    const acceptance: AcceptanceOf = async ({ value }) => {
      time += 1;
      if (value !== OLD || left > 0) used.set(value, new Date(time).toISOString());
      if (value === OLD) left -= 1;
      const lastVerifiedAt = used.get(value);
      const isAccepted = (await accepted()).includes(value);
      const use = lastVerifiedAt === undefined ? {} : { lastVerifiedAt };
      return { accepted: isAccepted, acceptedBySome: isAccepted, others: 0, ...use };
    };
    return { acceptance, left: () => left };
  };

  test('drops the former value when no webhook has come with it for some time', async () => {
    const rig = await rotationRig();
    const { acceptance, left } = both(rig, 20);
    const leftAtDrop: number[] = [];
    const onStep = (step: string): void => void (step.startsWith('dropping') && leftAtDrop.push(left()));
    expect(await rotateHeader({ ...rig.parts, acceptance, onStep, quietMs: 20 })).toEqual({
      did: 'rotated',
      dropped: true,
    });
    expect(leftAtDrop).toEqual([expect.any(Number)]);
    expect(leftAtDrop[0]).toBeLessThan(0);
  });

  test('keeps both values while another webhook sends the former one', async () => {
    const rig = await rotationRig();
    const parts = { ...rig.parts, acceptance: both(rig, 1_000_000).acceptance, waitMs: 50, quietMs: 20 };
    await expect(rotateHeader(parts)).rejects.toThrow('also with the former one');
    expect(await rig.accepted()).toEqual([rig.value(), OLD]);
  });

  test('changes nothing while the webhook is inactive', async () => {
    const { parts, accepted } = await rotationRig();
    const paused = { ...newWebhook(WANTED), active: false, webHookHeaders: { [NAME]: OLD } };
    const { client, writes } = webhooksInMemory([paused]);
    await expect(rotateHeader({ ...parts, client })).rejects.toThrow('the webhook is inactive');
    expect(writes).toEqual([]);
    expect(await accepted()).toEqual([OLD, OLD]);
  });

  test('changes nothing if the relay does not accept the present value', async () => {
    const { parts, value, accepted } = await rotationRig();
    const acceptance: AcceptanceOf = async () => ({ accepted: false, acceptedBySome: false, others: 0 });
    await expect(rotateHeader({ ...parts, acceptance })).rejects.toThrow('does not accept');
    expect(value()).toBe(OLD);
    expect(await accepted()).toEqual([OLD, OLD]);
  });
});

const ACCEPTED = { accepted: true, acceptedBySome: true };

/** Capillary has this value. */
async function rotatedRig(value: string) {
  const rig = await rotationRig();
  const { client } = webhooksInMemory([{ ...newWebhook(WANTED), webHookHeaders: { [NAME]: value } }]);
  return { ...rig, client };
}

describe('a rotation whose values are in the configuration', () => {
  const files = { why: 'webhook.header.value is not one ${file:…}' };
  const accepting = (...values: readonly string[]): AcceptanceOf => {
    let time = 0;
    return async ({ value }) => {
      time += 1;
      const isAccepted = values.includes(value);
      const use = value === OLD ? {} : { lastVerifiedAt: new Date(time).toISOString() };
      const others = values.length - 1;
      return { accepted: isAccepted, acceptedBySome: isAccepted, others, ...use };
    };
  };

  test('gives Capillary the configured one, and says what to remove', async () => {
    const { parts, value } = await rotationRig();
    const acceptance = accepting(OLD, WANTED.header.value);
    expect(await rotateHeader({ ...parts, files, acceptance })).toMatchObject({
      did: 'rotated',
      dropped: false,
      todo: expect.stringContaining('remove the former value'),
    });
    expect(value()).toBe(WANTED.header.value);
    expect(await rotateHeader({ ...parts, files, acceptance })).toMatchObject({
      did: 'finished',
      todo: expect.stringContaining('remove the former value'),
    });
    const alone = accepting(WANTED.header.value);
    expect(await rotateHeader({ ...parts, files, acceptance: alone })).toMatchObject({
      did: 'nothing',
      todo: expect.stringContaining(files.why),
    });
  });

  test('is not finished while webhooks come with another value of the verifier', async () => {
    const { parts, client } = await rotatedRig(WANTED.header.value);
    let time = 0;
    const acceptance: AcceptanceOf = async () => {
      time += 1;
      const at = new Date(time).toISOString();
      return { ...ACCEPTED, others: 1, lastVerifiedAt: `${at}+`, othersVerifiedAt: at };
    };
    const given = { ...parts, client, files, acceptance, waitMs: 50, quietMs: 20 };
    await expect(rotateHeader(given)).rejects.toThrow('also with the former one');
    const quiet: AcceptanceOf = async (header) => ({ ...(await acceptance(header)), othersVerifiedAt: '1' });
    expect(await rotateHeader({ ...given, acceptance: quiet })).toMatchObject({ did: 'finished' });
  });

  test.each([
    [false, 'the running relay does not accept the new value'],
    [true, 'not every replica of the relay accepts the new value yet'],
  ])(
    'leaves Capillary alone unless every replica accepts the new one (some do: %s)',
    async (acceptedBySome, text) => {
      const { parts, value } = await rotationRig();
      const acceptance: AcceptanceOf = async () => ({ accepted: false, acceptedBySome, others: 0 });
      await expect(rotateHeader({ ...parts, files, acceptance })).rejects.toThrow(text);
      expect(value()).toBe(OLD);
    },
  );
});

describe('the files of a configuration', () => {
  async function filesOf(
    source: object,
    prepare: (folder: string) => Promise<void> = async () => undefined,
    other: object = {},
  ) {
    const folder = await mkdtemp(join(tmpdir(), 'relay-files-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    for (const name of ['a', 'b']) await writeFile(join(folder, name), 'x');
    await prepare(folder);
    const text = stringify({
      sources: [
        { name: 'other', ...other },
        { name: 'acme', ...source },
      ],
    });
    const found = await secretFilesOf({ text, path: join(folder, 'relay.yaml') }, 'acme');
    return JSON.parse(JSON.stringify(found).replaceAll(`${folder}/`, '')) as object;
  }
  const header = (value: string, name = 'X-Relay-Key') => ({ header: { name, value } });
  const values = (...list: readonly string[]) => [{ type: 'header', name: 'x-relay-key', values: list }];

  test('are two of the same verifier, relative to the configuration', async () => {
    const source = { webhook: header('${file:a}'), verify: values('${file:b}', '${file:a}') };
    expect(await filesOf(source)).toEqual({ current: 'a', other: 'b', prefix: '' });
    const bearer = {
      webhook: header('Bearer ${file:a}', 'Authorization'),
      verify: [{ type: 'bearer', tokens: ['${file:a}', '${file:b}'] }],
    };
    expect(await filesOf(bearer)).toEqual({ current: 'a', other: 'b', prefix: 'Bearer ' });
  });

  test.each<[string, object, RegExp]>([
    [
      'a variable',
      { webhook: header('${RELAY_KEY}'), verify: values('${RELAY_KEY}') },
      /is not one \$\{file:…\}/,
    ],
    ['one file', { webhook: header('${file:a}'), verify: values('${file:a}') }, /and a second/],
    [
      'files of other headers',
      {
        webhook: header('${file:a}'),
        verify: [{ type: 'header', name: 'X-B', values: ['${file:a}', '${file:b}'] }],
      },
      /and a second/,
    ],
    [
      'no file',
      { webhook: header('${file:missing}'), verify: values('${file:missing}', '${file:b}') },
      /missing cannot be written .*ENOENT/,
    ],
  ])('%s is not enough', async (_, source, why) => {
    expect(await filesOf(source)).toEqual({ why: expect.stringMatching(why) });
  });

  test('are not written if another source has one of them, by whatever path', async () => {
    const source = { webhook: header('${file:a}'), verify: values('${file:a}', '${file:b}') };
    for (const verify of [values('${file:./b}'), values('x-${file:a}')])
      expect(await filesOf(source, undefined, { verify })).toEqual({
        why: expect.stringContaining('is used elsewhere in the configuration too'),
      });
    expect(await filesOf(source, undefined, { verify: values('${file:c}') })).toMatchObject({ current: 'a' });
  });

  test('symbolic links, as mounted secrets are, are not replaced', async () => {
    const source = { webhook: header('${file:a}'), verify: values('${file:a}', '${file:link}') };
    expect(await filesOf(source, (folder) => symlink(join(folder, 'b'), join(folder, 'link')))).toEqual({
      why: expect.stringContaining('link is a symbolic link'),
    });
  });
});
