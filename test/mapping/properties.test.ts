import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CATALOGUE } from '../../src/capillary/catalogue.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../src/capillary/json.ts';
import { mapEvent } from '../../src/mapping/map-event.ts';
import type { MappingResult } from '../../src/mapping/mapping-result.ts';
import { referencePath } from '../helpers/reference.ts';
import { closedXdmValidators } from '../helpers/xdm-schema.ts';
import { contextOf, eventOf, fixtureNames, plain, readFixture } from './mapping-rig.ts';
import { faultsOf } from './record-faults.ts';

const features = {
  loyalty2026: true,
  loyaltyEvents: true,
  placeContext: true,
  sourceAudit: true,
  consents: true,
};
const context = contextOf({ source: { testEvents: 'deliver' }, destination: { schemaFeatures: features } });
const xdmRoot = referencePath('xdm/', 'mapped garbage against Adobe’s schemas');
const validators =
  xdmRoot === undefined ? undefined : closedXdmValidators({ features, tenant: '_acme', root: xdmRoot });

const payloads = fixtureNames.map((name) => JSON.parse(readFixture(name)) as JsonObject);

/** Wrong values of real and hostile senders. */
const garbage: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<JsonValue>,
  fc.constantFrom<JsonValue>(
    '',
    ' ',
    null,
    -1,
    1e300,
    '1e999',
    '\ud800',
    '0000-00-00',
    '2026-02-30',
    'NaN',
    [],
    {},
    [null],
    { constructor: 1 },
    'x'.repeat(2_000),
  ),
  fc.array(
    fc.record({ points: fc.double(), expiryAt: fc.string(), itemCode: fc.string(), value: fc.string() }),
    {
      maxLength: 300,
    },
  ) as fc.Arbitrary<JsonValue>,
);

function pathsIn(
  value: JsonValue,
  path: readonly (string | number)[] = [],
): (readonly (string | number)[])[] {
  const inner: (readonly [string | number, JsonValue])[] = Array.isArray(value)
    ? [...value.entries()]
    : isJsonObject(value)
      ? Object.entries(value)
      : [];
  return [path, ...inner.flatMap(([key, below]) => pathsIn(below, [...path, key]))];
}

function withValueAt(
  root: JsonValue,
  [key, ...rest]: readonly (string | number)[],
  value: JsonValue,
): JsonValue {
  if (key === undefined) {
    return value;
  }
  if (Array.isArray(root)) {
    return root.map((item, index) => (index === key ? withValueAt(item, rest, value) : item));
  }
  return isJsonObject(root) ? { ...root, [key]: withValueAt(root[key] ?? null, rest, value) } : root;
}

/** A real payload with garbage at some places below `data`. */
const corruptedPayload = fc.constantFrom(...payloads).chain((payload) => {
  const places = pathsIn(payload).filter((path) => path.includes('data') && path.at(-1) !== 'data');
  return fc
    .array(fc.tuple(fc.constantFrom(...places), garbage), { minLength: 1, maxLength: 6 })
    .map(
      (changes) =>
        changes.reduce<JsonValue>(
          (body, [path, value]) => withValueAt(body, path, value),
          payload,
        ) as JsonObject,
    );
});

describe('an event with garbage', () => {
  it('is mapped to a valid message within the limits, or ignored', async () => {
    await fc.assert(
      fc.asyncProperty(corruptedPayload, async (body) => {
        expect(await faultsIn(body)).toEqual([]);
      }),
      { numRuns: 1_500 },
    );
  });

  it('is mapped to a valid message with any name', async () => {
    const names = fc.oneof(fc.constantFrom(...CATALOGUE.keys()), fc.string({ minLength: 1, maxLength: 200 }));
    const data = fc.dictionary(
      fc.constantFrom('customerStatus', 'lineItems', 'updatedFields', 'firstName', '__proto__', 'amount'),
      garbage,
    );
    await fc.assert(
      fc.asyncProperty(names, data, async (name, content) => {
        const eventName = name.replaceAll(/\p{Cc}/gu, '').trim() || 'x';
        const body = { eventName, orgId: 1, data: { ...content, customerIdentifiers: { customerId: 9 } } };
        expect(await faultsIn(body)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('gives the same result each time, and the same _id for any order of keys', async () => {
    await fc.assert(
      fc.asyncProperty(corruptedPayload, async (body) => {
        const first = await mapEvent(eventOf(body), context);
        const again = await mapEvent(eventOf(body), context);
        const reordered = await mapEvent(eventOf(reversed(body)), context);

        expect(plain(again)).toEqual(plain(first));
        expect(idOf(reordered)).toBe(idOf(first));
      }),
      { numRuns: 200 },
    );
  });
});

async function faultsIn(body: JsonObject): Promise<readonly string[]> {
  const event = eventOf(body);
  return faultsOf(event, await mapEvent(event, context), context, validators);
}

function idOf(mapped: MappingResult): string | undefined {
  return mapped.outcome === 'messages' ? mapped.id : undefined;
}

function reversed(value: JsonValue): JsonObject {
  const turned = (inner: JsonValue): JsonValue => {
    if (Array.isArray(inner)) {
      return inner.map(turned);
    }
    return isJsonObject(inner)
      ? Object.fromEntries(
          Object.entries(inner)
            .toReversed()
            .map(([key, below]) => [key, turned(below)]),
        )
      : inner;
  };
  return turned(value) as JsonObject;
}
