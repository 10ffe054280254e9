import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createProgramCatalogue, type ProgramCatalogue } from '../../src/mapping/program-catalogue.ts';
import { eventWith } from './mapping-rig.ts';

const ORG = 204731;
const DAY_MS = 86_400_000;

function said(details: object, more: object = {}) {
  return eventWith('pointsIssued', { loyaltyProgramDetails: details as never, ...more });
}

const PINE = { id: 1, name: 'Pine', isDefault: true, tiers: [{ tierNumber: 2, tierName: 'Silver' }] };

describe('what is known about programs', () => {
  it('is what the newest event said, in whatever order the events arrive', () => {
    const events = [
      [said({ id: 1, name: 'Old', isDefault: true, tiers: [{ tierNumber: 2, tierName: 'Tin' }] }), 1],
      [said(PINE), 3],
      [said({ id: 1, name: 'Middle', tiers: [{ tierNumber: 3, tierName: 'Gold' }] }), 2],
      [said({ id: 1, name: 'Same time' }), 3],
    ] as const;
    const known = [events, events.toReversed(), [events[1], events[0], events[3], events[2]]].map((order) => {
      const catalogue = createProgramCatalogue();
      for (const [event, at] of order) {
        catalogue.learn(event, at);
      }
      const programs = catalogue.of(ORG);
      return [
        programs.nameOf('1'),
        programs.tierNameOf('1', 2),
        programs.tierNameOf('1', 3),
        programs.mainProgram(),
      ];
    });

    expect(known[0]).toEqual(['Same time', 'Silver', 'Gold', { id: '1', isCertain: true }]);
    expect(known[1]).toEqual(known[0]);
    expect(known[2]).toEqual(known[0]);
  });

  it('is kept apart by organisation, and not learnt from sample events', () => {
    const catalogue = createProgramCatalogue();
    catalogue.learn(said(PINE), 1);
    catalogue.learn({ ...said({ ...PINE, name: 'Sample' }), isSample: true }, 2);

    expect(catalogue.of(ORG).nameOf('1')).toBe('Pine');
    expect(catalogue.of(7).nameOf('1')).toBeUndefined();
    expect(catalogue.of(7).mainProgram()).toBeUndefined();
  });

  it('is stored when something changed, and not when an event says it again', () => {
    const catalogue = createProgramCatalogue();
    catalogue.learn(said(PINE), 1);
    expect(catalogue.takeChanges()).toHaveLength(1);
    expect(catalogue.takeChanges()).toEqual([]);
    catalogue.learn(said(PINE), 2);
    expect(catalogue.takeChanges()).toEqual([]);
    // Its time is stored at most once a day.
    catalogue.learn(said(PINE), 2 + DAY_MS);
    expect(catalogue.takeChanges()).toHaveLength(1);
  });

  it('is returned again if it could not be stored', () => {
    const catalogue = createProgramCatalogue();
    catalogue.learn(said(PINE), 1);
    const changes = catalogue.takeChanges();
    catalogue.returnChanges(changes);

    expect(catalogue.takeChanges()).toEqual(changes);
  });

  it('is the same in all processes once they have stored it, and none loses what another one said', () => {
    const step = fc.record({
      by: fc.nat(1),
      does: fc.constantFrom('learn', 'learn', 'store', 'read'),
      id: fc.integer({ min: 1, max: 3 }),
      name: fc.constantFrom('Pine', 'Oak', 'Elm', undefined),
      isDefault: fc.constantFrom(true, false, undefined),
      tier: fc.integer({ min: 1, max: 3 }),
      at: fc.integer({ min: 1, max: 9 }).map((days) => days * DAY_MS),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let stored: string | undefined;
        const catalogues = [createProgramCatalogue(), createProgramCatalogue()];
        const all = createProgramCatalogue();
        const read = (catalogue: ProgramCatalogue): void => {
          if (stored !== undefined) catalogue.load({ orgId: ORG, json: stored });
        };
        const store = (catalogue: ProgramCatalogue): void => {
          for (const change of catalogue.takeChanges()) {
            if (change.replaces === stored) {
              stored = change.json;
              catalogue.changeStored(change);
            } else {
              read(catalogue);
              store(catalogue);
            }
          }
        };
        for (const { by, does, id, name, isDefault, tier, at } of steps) {
          const catalogue = catalogues[by]!;
          const event = said({ id, name, isDefault, tiers: [{ tierNumber: tier, tierName: name ?? 'Tin' }] });
          if (does === 'learn') for (const one of [catalogue, all]) one.learn(event, at);
          else if (does === 'store') store(catalogue);
          else read(catalogue);
        }
        for (const catalogue of catalogues) store(catalogue);
        for (const catalogue of catalogues) read(catalogue);
        const known = (catalogue: ProgramCatalogue): unknown[] => {
          const programs = catalogue.of(ORG);
          return ['1', '2', '3'].map((id) => [
            programs.nameOf(id),
            [1, 2, 3].map((number) => programs.tierNameOf(id, number)),
          ]);
        };
        expect(known(catalogues[0]!)).toEqual(known(all));
        expect(known(catalogues[1]!)).toEqual(known(all));
        expect(catalogues[0]!.of(ORG).mainProgram()).toEqual(catalogues[1]!.of(ORG).mainProgram());
        expect(catalogues.flatMap((catalogue) => catalogue.takeChanges())).toEqual([]);
      }),
    );
  });

  it('is the same after it was loaded again', () => {
    const catalogue = createProgramCatalogue();
    catalogue.learn(said({ id: 9, isDefault: false }), 1);
    catalogue.learn(said(PINE), 2);
    const [stored] = catalogue.takeChanges();
    const loaded = createProgramCatalogue();
    loaded.load(stored!);

    expect(loaded.takeChanges()).toEqual([]);
    expect(loaded.of(ORG).nameOf('1')).toBe('Pine');
    expect(loaded.of(ORG).tierNameOf('1', 2)).toBe('Silver');
    expect(loaded.of(ORG).mainProgram()).toEqual({ id: '1', isCertain: true });
    loaded.learn(said({ ...PINE, name: 'Older' }), 1);
    expect(loaded.of(ORG).nameOf('1')).toBe('Pine');
  });

  it.each(['null', 'undefined', '-', 'N/A', '{{programId}}', 'a program', 'x'.repeat(65)])(
    'does not include a program whose id is none: %s',
    (id) => {
      const catalogue = createProgramCatalogue();
      catalogue.learn(said({ id, name: 'None' }, { loyaltyProgramId: id }), 1);
      expect(catalogue.of(ORG).mainProgram()).toBeUndefined();
      catalogue.learn(said({ id: 1, name: 'Pine' }), 2);
      expect(catalogue.of(ORG).mainProgram()).toEqual({ id: '1', isCertain: false });
    },
  );

  it('is learnt although too many ids were said before that no event describes', () => {
    const catalogue = createProgramCatalogue();
    for (let id = 1_001; id <= 1_300; id += 1) {
      catalogue.learn(eventWith('pointsExpired', { loyaltyProgramId: id }), id);
    }
    catalogue.learn(said(PINE), 2_000);

    expect(catalogue.of(ORG).nameOf('1')).toBe('Pine');
    expect(catalogue.of(ORG).mainProgram()).toEqual({ id: '1', isCertain: true });
    expect(JSON.parse(catalogue.takeChanges()[0]?.json ?? '')).toHaveLength(200);
  });

  it('is bounded', () => {
    const catalogue = createProgramCatalogue();
    for (let id = 1; id <= 300; id += 1) {
      const tiers = Array.from({ length: id === 1 ? 300 : 0 }, (_, at) => ({
        tierNumber: at,
        tierName: `T${at}`,
      }));
      const name = id === 2 ? 'x'.repeat(300) : `P${id}`;
      catalogue.learn(said({ id, name, isDefault: false, tiers }), id);
    }
    const programs = catalogue.of(ORG);

    expect(programs.nameOf('200')).toBe('P200');
    expect(programs.nameOf('201')).toBeUndefined();
    expect(programs.nameOf('2')).toBeUndefined();
    expect(programs.tierNameOf('1', 199)).toBe('T199');
    expect(programs.tierNameOf('1', 200)).toBeUndefined();
  });
});
