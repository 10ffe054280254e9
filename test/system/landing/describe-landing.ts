import { setTimeout as sleep } from 'node:timers/promises';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { until } from '../../helpers/until.ts';
import { countsOf, namesOf, type Reconciled, readReconciled } from './reconciled.ts';
import { LARGE_NAME } from './landing-names.ts';
import { type LandingRig, landingRig, type RigOptions } from './landing-rig.ts';
import { eventIdOf, ODD_OVERRIDE, type Planted, plantLosses } from './planted-losses.ts';

export interface LandingTrial extends RigOptions {
  readonly events: number;
  /** Names each loss by its event, which reports do up to a number of losses. */
  readonly isSmall: boolean;
}

const POLL_MS = 1_000;
const TEST_LIMIT_MS = 10 * 60_000;
/** Makes a large record smaller. */
const SMALLER_OVERRIDE = { [LARGE_NAME]: { event: '{ "_demo": { "capillary": { "payload": null } } }' } };

/**
 * Capillary and AEP lose events in every way that their references name; the relay finds each of
 * them by its cause and no other, and what can be repaired lands.
 */
export function describeLanding(store: string, options: () => Promise<LandingTrial>): void {
  describe(`what is sent, accepted and landed, ${store}`, () => {
    let trial: LandingTrial;
    let rig: LandingRig;
    let planted: Planted;
    let found: Reconciled;

    beforeAll(async () => {
      trial = await options();
      rig = await landingRig(trial);
      Object.assign(rig.config.sources[0]!, { overrides: ODD_OVERRIDE });
      await rig.startRelay();
      await rig.compared();
      planted = await plantLosses(rig, trial.events);
    }, TEST_LIMIT_MS);

    afterAll(() => rig.close());

    async function reconcile(...args: readonly string[]): Promise<Reconciled> {
      return readReconciled(await rig.cli('reconcile', '--json', ...args));
    }

    /**
     * Compares until everything that has been delivered by now has been compared with AEP: a run
     * looks up so many events, and leaves the rest of a period to the next one.
     */
    async function reconcileAll(): Promise<Reconciled> {
      await rig.settled();
      const deliveredBy = Date.now();
      for (;;) {
        const result = await reconcile();
        expect([result.source.problem, result.destination.problem]).toEqual([undefined, undefined]);
        const { seesLakeUntil = '', seesProfileUntil = '', open } = result.destination;
        if (
          open['counts-differ'] === undefined &&
          Math.min(Date.parse(seesLakeUntil), Date.parse(seesProfileUntil)) >= deliveredBy
        )
          return result;
        await sleep(POLL_MS);
      }
    }

    /** Of the comparisons that operators have asked for. */
    async function runStates(): Promise<readonly string[]> {
      const { body } = await rig.relay().admin('/admin/v1/reconciliation');
      return (body.runs as readonly { readonly state: string }[]).map(({ state }) => state);
    }

    /** The ids of the events that AEP has refused after its answer, sorted. */
    async function deadLetters(): Promise<string[]> {
      const eventIds: string[] = [];
      for (let cursor = ''; ; ) {
        const query = `state=dead&reason=refused-later&limit=100${cursor === '' ? '' : `&cursor=${cursor}`}`;
        const { body } = await rig.relay().admin(`/admin/v1/events?${query}`);
        for (const { eventId } of body.events) eventIds.push(eventId as string);
        if (body.next === null) return eventIds.toSorted();
        cursor = encodeURIComponent(body.next as string);
      }
    }

    /** The ids of the events that are in the data lake. */
    function inLake(): Set<string> {
      return new Set(rig.simulator.landed({ kind: 'event', inLake: true }).map(eventIdOf));
    }

    /** What is delivered, without what Capillary gave up. */
    const total = (): number => planted.records.length;
    const givenUp = (): number => planted.unreachable.length + planted.refused.length;

    it('plants every loss', () => {
      const { unreachable, refused, answerLost, refusedLater, tooLarge, young } = planted;
      const all = [unreachable, refused, answerLost, refusedLater, tooLarge, young];
      for (const one of all) expect(one.length).toBeGreaterThan(1);
      expect(inLake().size).toBe(total() - givenUp() - refusedLater.length - young.length);
    });

    it(
      'is killed in the middle of a comparison and goes on',
      async () => {
        const { simulator } = rig;
        const pages = { on: 'capillary', match: { path: '/v3/events' } } as const;
        const slowly = { delayMs: 100 };
        // oxlint-disable-next-line unicorn/no-thenable -- a key of the rules' format
        simulator.setFaults([{ ...pages, then: slowly }]);
        const running = rig.cli('reconcile', '--json');
        await until(async () => (await runStates()).some((state) => state === 'running'));
        const seen = simulator.faults()[0]?.seen ?? 0;
        await simulator.until(() => (simulator.faults()[0]?.seen ?? 0) >= seen + 3);
        expect(await runStates()).toContain('running');
        await rig.stopRelay('SIGKILL');
        simulator.setFaults([]);
        await rig.startRelay();
        const { source } = readReconciled(await running);
        expect([source.problem, source.sums.recovered]).toEqual([undefined, givenUp()]);
      },
      TEST_LIMIT_MS,
    );

    it(
      'names every loss by its cause, and no other',
      async () => {
        found = await reconcileAll();
        const { unreachable, refused, answerLost, refusedLater, tooLarge, young } = planted;
        expect(countsOf(found.source.differences)).toEqual({
          'given-up relay-unreachable': unreachable.length,
          'given-up relay-refused': refused.length,
          'answer-lost answer-lost': answerLost.length,
        });
        expect(found.source.open).toEqual({});
        expect(found.destination.open).toEqual({
          'refused-later': refusedLater.length,
          'not-in-profile': tooLarge.length,
          'not-in-aep': young.length,
        });
        expect(await deadLetters()).toEqual(refusedLater.toSorted());
        const named = namesOf(found.destination.differences);
        const isYoung = new Set(young);
        const namedYoung = named['not-in-aep flow-too-young'] ?? [];
        expect(namedYoung.filter((eventId) => !isYoung.has(eventId))).toEqual([]);
        if (!trial.isSmall) return;
        expect(countsOf(found.destination.differences)).toEqual({
          'refused-later validation': refusedLater.length,
          'not-in-profile near-size-limit': tooLarge.length,
          'not-in-aep flow-too-young': young.length,
        });
        expect(namesOf(found.source.differences)).toEqual({
          'given-up relay-unreachable': unreachable.toSorted(),
          'given-up relay-refused': refused.toSorted(),
          'answer-lost answer-lost': answerLost.toSorted(),
        });
        expect(named).toMatchObject({
          'not-in-profile near-size-limit': tooLarge.toSorted(),
          'not-in-aep flow-too-young': young.toSorted(),
        });
      },
      TEST_LIMIT_MS,
    );

    it('has sums that balance', async () => {
      const { sums: sent } = found.source;
      expect(sent).toEqual({
        sent: total(),
        accepted: total() - givenUp(),
        recovered: givenUp(),
        unrecoverable: 0,
        missing: 0,
      });
      const { refusedLater, tooLarge, young } = planted;
      const unconfirmed = tooLarge.length + young.length;
      expect(found.destination.sums).toEqual({
        delivered: total(),
        landed: total() - refusedLater.length - unconfirmed,
        refusedLater: refusedLater.length,
        unconfirmed,
      });
      const { stdout } = await rig.cli('ledger', '--json');
      expect(JSON.parse(stdout).sources.acme).toMatchObject({
        ...sent,
        accepted: total(),
        landed: found.destination.sums.landed,
        refusedLater: refusedLater.length,
        unconfirmed,
      });
    });

    it('has taken from the log what Capillary gave up', () => {
      const lake = inLake();
      const lost = [...planted.unreachable, ...planted.refused];
      expect(lost.filter((eventId) => !lake.has(eventId))).toEqual([]);
    });

    it('finds the same again', async () => {
      const again = await reconcile();
      expect(again.code).toBe(1);
      expect([again.source.sums, again.destination.sums]).toEqual([
        found.source.sums,
        found.destination.sums,
      ]);
      expect(again.destination.open).toEqual(found.destination.open);
      expect(countsOf(again.source.differences)).toEqual(countsOf(found.source.differences));
    });

    async function done(...args: readonly string[]): Promise<void> {
      const ended = await rig.cli(...args);
      expect([args.join(' '), ended.code, ended.stderr]).toEqual([args.join(' '), 0, '']);
    }

    it(
      'repairs the rest by the commands that it names',
      async () => {
        const config = rig.config;
        Object.assign(config.sources[0]!, { overrides: SMALLER_OVERRIDE });
        writeFileSync(rig.folder.file, stringify(config));
        await done('reload');
        await done('dead-letters', 'replay', '--reason', 'refused-later', '--yes');
        const [since, before] = [planted.youngFrom, planted.youngUntil].map((at) =>
          new Date(at).toISOString(),
        );
        const period = ['--settled-since', since!, '--settled-until', before!];
        await done('events', 'replay', '--states', 'delivered', ...period, '--as-new', '--yes');
        const large = ['--event-name', LARGE_NAME];
        await done('events', 'replay', '--states', 'delivered', ...large, '--as-new', '--yes');
        await rig.settled();
        const profiles = new Set(
          rig.simulator
            .landed({ kind: 'event' })
            .flatMap((record) =>
              record.fate?.inProfile === true && record.fate.inLake ? [eventIdOf(record)] : [],
            ),
        );
        const all = planted.records.map(({ eventId }) => eventId);
        expect(all.filter((eventId) => !profiles.has(eventId))).toEqual([]);
      },
      TEST_LIMIT_MS,
    );

    it(
      'then finds nothing that is left',
      async () => {
        const { code, ok, source, destination } = await reconcileAll();
        expect({ code, ok, open: { ...source.open, ...destination.open } }).toEqual({
          code: 0,
          ok: true,
          open: {},
        });
        expect(source.sums).toEqual(found.source.sums);
        expect(destination.sums).toEqual({
          delivered: total(),
          landed: total(),
          refusedLater: 0,
          unconfirmed: 0,
        });
      },
      TEST_LIMIT_MS,
    );
  });
}
