import type { FaultRuleInput } from '../../../src/simulator/fault-rule.ts';
import { type Random, randomInteger, randomOf, shuffled } from '../../../src/simulator/random.ts';

type Then = FaultRuleInput['then'];

/** One trouble that Adobe may have. */
export interface Fault {
  /** What the report counts it under. */
  readonly kind: string;
  readonly rule: FaultRuleInput;
  /** Tokens are revoked as it begins, so that IMS is asked. */
  readonly revokes?: boolean;
}

type Maker = (random: Random) => Fault;

const maybe = (random: Random): boolean => random() < 0.5;

/** A date of Retry-After has whole seconds only. */
const RETRY_AFTER = [
  undefined,
  undefined,
  () => 1,
  () => new Date(Date.now() + 1_500).toUTCString(),
  () => 'soon',
];
const retryAfter = (random: Random): Pick<Then, 'retryAfter'> => {
  const header = randomOf(random, [0, 1, 2, 3, 4]);
  const value = RETRY_AFTER[header]?.();
  return value === undefined ? {} : { retryAfter: value };
};

/** For a share of the requests, so that some pass between and another fault of the same burst can hit. */
const often = (random: Random) => ({ probability: randomOf(random, [0.2, 0.5, 0.8]) });

const status =
  (code: number): Maker =>
  (random) => ({
    kind: `status ${code}`,
    rule: {
      on: 'inlet',
      ...often(random),
      then: {
        status: code,
        ...(code === 429 ? {} : { landed: maybe(random) }),
        ...retryAfter(random),
        ...(maybe(random) ? {} : { body: '<html>upstream trouble</html>' }),
      },
    },
  });

const cut =
  (reset: 'before' | 'mid-body', delay: boolean): Maker =>
  (random) => ({
    kind: delay ? 'slow, then reset' : `reset ${reset}`,
    rule: {
      on: 'inlet',
      ...often(random),
      then: {
        reset,
        landed: maybe(random),
        ...(delay ? { delayMs: randomInteger(random, 500, 2_500) } : {}),
      },
    },
  });

const slow: Maker = (random) => ({
  kind: 'slow answer',
  rule: { on: 'inlet', ...often(random), then: { delayMs: randomInteger(random, 100, 1_500) } },
});

/** 401, 403, 404, 501 of the whole request: the destination's fault. */
const closed: Maker = (random) => {
  const code = randomOf(random, [401, 403, 404, 501]);
  const body = code === 403 && maybe(random) ? { body: '' } : {};
  return { kind: 'refused wholly', rule: { on: 'inlet', times: 1, then: { status: code, ...body } } };
};

const XACTIONS = ['normal', 'missing', 'uuid', 'colon4', 'colon3', 'odd', 'shuffled'] as const;
const SHAPES = ['drop-last', 'drop-first', 'extra', 'empty', 'no-responses', 'not-json', 'batch200'] as const;

/** `taken`: Adobe takes the messages although it says that it failed with them. */
const failingItems =
  (taken: boolean): Maker =>
  (random) => ({
    kind: taken ? 'items fail but land' : 'items fail',
    rule: {
      on: 'batch',
      ...often(random),
      then: {
        items: {
          which: randomOf(random, [{ fraction: 0.2 }, { fraction: 0.2 }, 'all', 'first', 'last'] as const),
          status: randomOf(random, [500, 502, 503, 504, 408, 429]),
          key: randomOf(random, ['status', 'statusCode'] as const),
          omitXaction: maybe(random),
          lands: taken,
        },
        xaction: randomOf(random, XACTIONS),
        ...(maybe(random) ? {} : { shape: randomOf(random, SHAPES) }),
      },
    },
  });

/** Only the ids in the answer tell which of the messages it means. */
const shuffledItems: Maker = (random) => ({
  kind: 'items fail, in disorder',
  rule: {
    on: 'batch',
    ...often(random),
    then: { items: { which: { fraction: 0.3 }, status: 503 }, xaction: 'shuffled' },
  },
});

const oddAnswer: Maker = (random) => ({
  kind: 'odd 207',
  rule: {
    on: 'batch',
    ...often(random),
    then: {
      shape: randomOf(random, SHAPES),
      xaction: randomOf(random, maybe(random) ? XACTIONS : (['offByOne'] as const)),
    },
  },
});

const revoked: Maker = () => ({
  kind: 'tokens revoked',
  revokes: true,
  rule: { on: 'ims', times: 1, then: { delayMs: 1 } },
});

const ims: Maker = (random) => ({
  kind: 'IMS trouble',
  revokes: true,
  rule: {
    on: 'ims',
    times: randomInteger(random, 1, 3),
    then: randomOf<Then>(random, [
      { status: 503 },
      { status: 500, body: 'no JSON' },
      { status: 429, retryAfter: 1 },
      { delayMs: 1_500 },
      { reset: 'before' },
      { reset: 'mid-body' },
      { body: '<html>' },
      { status: 400, body: { error: 'invalid_client', error_description: 'scripted' } },
      { landed: false },
    ]),
  },
});

const hang: Maker = (random) => ({
  kind: 'hang',
  rule: { on: 'inlet', times: 1, then: { hang: true, landed: maybe(random) } },
});

const KINDS: readonly Maker[] = [
  ...[500, 502, 503, 504, 408, 429].map(status),
  cut('before', false),
  cut('mid-body', false),
  cut('before', true),
  slow,
  closed,
  failingItems(false),
  failingItems(true),
  shuffledItems,
  oddAnswer,
  oddAnswer,
  revoked,
  ims,
];

/** A hang costs half a minute, so it is among them only when asked for. */
const kindsOf = (random: Random, options: { readonly hangs: boolean }): readonly Maker[] =>
  options.hangs && random() < 0.5 ? [...KINDS, hang] : KINDS;

/** Each kind once, in the order of chance. */
export const eachTrouble = (random: Random): Fault[] => shuffled(random, KINDS).map((make) => make(random));

/** Troubles in the order of chance, each kind once before one comes again. */
export function* troubles(random: Random, options: { readonly hangs: boolean }): Generator<Fault, never> {
  for (;;) for (const make of shuffled(random, kindsOf(random, options))) yield make(random);
}

/** Refuses the events of this start of `_id` for good. */
export const poisonRule = (idPrefix: string): FaultRuleInput => ({
  on: 'inlet',
  match: { idPrefix },
  then: { items: { which: { match: { idPrefix } }, status: 400, message: 'poison of the script' } },
});
