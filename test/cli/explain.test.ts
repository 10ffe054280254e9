import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Settlement } from '../../src/journal/journal.ts';
import { type AdminStage, TOKEN, event, openAdminStage } from './admin-stage.ts';
import { run } from './command-line.ts';

let stage: AdminStage;

beforeEach(async () => {
  stage = await openAdminStage();
});

afterEach(() => stage.rig.close());

describe('explain', () => {
  const rejected: Partial<Settlement> = {
    attempts: [
      {
        at: Date.UTC(2026, 0, 31, 8, 0, 1),
        kind: 'event',
        outcome: 'rejected',
        status: 400,
        detail: '400 no such field',
        xactionId: '1565638336649:1750:244',
        durationMs: 12,
        batchSize: 3,
      },
    ],
  };

  it('tells a dead letter from receipt to what to do next, by receipt and by event id', async () => {
    const receipt = await stage.post(event('e-1', 11));
    await stage.rig.settle(() => ({
      ...rejected,
      state: 'dead',
      reason: 'rejected',
      detail: '400 no such field',
      sent: [{ kind: 'event', json: '{"header":{},"body":{"xdmEntity":{}}}' }],
      notes: [{ path: 'data.currencyCode', code: 'wrong-pattern' }],
    }));
    const ended = await stage.cli('explain', receipt);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const order = [
      `${receipt}: dead (rejected)\nIt was given up, 0 ms after it came, with 1 attempt, and is kept as a dead letter. Adobe has nothing of it.\n`,
      'event      pointsIssued, e-1, org 100737, created 2026-01-01 00:00:00Z',
      'way        acme to acme-aep',
      'customer   11',
      'identity   ',
      'mapped to  ExperienceEvent',
      'received  from acme,',
      'verified  by header:x-relay-key, the secret header that it came with',
      'ExperienceEvent rejected: Adobe answered 400, xaction 1565638336649:1750:244, 12 ms, batch of 3: 400 no such field',
      'Left out or changed: 1',
      'KIND     WHERE              CODE           WHY',
      'dropped  data.currencyCode  wrong-pattern  the value does not have the form',
      'What to do next',
      `What came and went: capillary-relay explain ${receipt} --body --url ${stage.url}\n`,
      `More like it: capillary-relay dead-letters list --source acme --reason rejected --url ${stage.url}\n`,
      `Replay: capillary-relay dead-letters replay ${receipt} --url ${stage.url}\n`,
    ];
    const places = order.map((text) => ended.stdout.indexOf(text));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(ended.stdout).not.toContain('customerIdentifiers');

    const byId = await stage.cli('explain', 'e-1', '--body');
    expect(byId.stdout).toContain('"customerIdentifiers"');
    expect(JSON.parse((await stage.cli('explain', 'e-1', '--json')).stdout)).toMatchObject({ receipt });
  });

  it('says why a pending event waits', async () => {
    const receipt = await stage.post(event('e-1', 11));
    await stage.cli('destinations', 'pause', 'acme-aep');
    const ended = await stage.cli('explain', receipt);
    expect(ended.stdout).toContain('It waits because the destination acme-aep is paused (operator).');
    expect(ended.stdout).toContain('capillary-relay destinations resume acme-aep');
  });

  it('the commands that it names can be run as they stand', async () => {
    const receipt = await stage.post(event('e-1', 11));
    await stage.rig.bury();
    const { stdout } = await stage.cli('explain', receipt);
    const commands = [
      ...stdout.matchAll(/^(?:What came and went|More like it|Replay): capillary-relay (.*)$/gm),
    ].map(([, words = '']) => words.split(' '));
    expect(commands).toHaveLength(3);
    for (const words of commands)
      expect(await run(words, { env: { RELAY_ADMIN_TOKEN: TOKEN } })).toMatchObject({ code: 0, stderr: '' });
    const pending = await stage.cli('explain', receipt);
    expect(pending.stdout).toMatch(/\nIt was replayed and waits to be sent again; it came .* ago\./);
    const [, neighbours = ''] = /^Its neighbours: capillary-relay (.*)$/m.exec(pending.stdout) ?? [];
    const listed = await run(neighbours.split(' '), { env: { RELAY_ADMIN_TOKEN: TOKEN } });
    expect(listed.stdout).toContain(receipt);
  });

  it('attempts that came to the same are told once, with how many and until when', async () => {
    const receipt = await stage.post(event('e-1', 11));
    const at = Date.UTC(2026, 0, 31, 8);
    const tried = (seconds: number, status?: number) => ({
      at: at + seconds * 1_000,
      kind: 'event' as const,
      outcome: 'retry',
      durationMs: 5,
      batchSize: 1,
      ...(status === undefined ? {} : { status }),
    });
    await stage.rig.settle(() => ({
      state: 'delivered',
      delivered: ['event'],
      attempts: [tried(1, 503), tried(2, 503), tried(120, 503), tried(121)],
    }));
    const { stdout } = await stage.cli('explain', receipt);
    expect(stdout).toMatch(
      /\+1 s +attempt +ExperienceEvent retry: Adobe answered 503, 5 ms \(and 2 more like it, the last \+2 min\)\n/,
    );
    expect(stdout).toMatch(/\+2 min +attempt +ExperienceEvent retry: no answer, 5 ms\n/);
    expect(stdout).toContain('Adobe took it, 0 ms after it came, with 4 attempts.');
  });

  it('has a word for every end', async () => {
    const malformed = (await stage.rig.webhook('acme', { nothing: true })).body.detail as string;
    const [, receipt = ''] = /kept as (\S+)/.exec(malformed) ?? [];
    expect((await stage.cli('explain', receipt)).stdout).toContain('It is no event of this source');
    const delivered = await stage.post(event('e-1', 11));
    await stage.rig.settle(() => ({ state: 'delivered', delivered: ['event', 'profile'] }));
    const ended = await stage.cli('explain', delivered);
    expect(ended.stdout).toContain(
      'mapped to  ExperienceEvent (taken by Adobe), profile record (taken by Adobe)',
    );
    expect(ended.stdout).toContain('Nothing: Adobe took it.');
  });
});
