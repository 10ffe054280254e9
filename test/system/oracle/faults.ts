import type { FaultRuleInput } from '../../../src/simulator/adobe/fault-script.ts';
import { type Random, randomInteger, randomOf, shuffled } from '../../../src/simulator/random.ts';

type Then = FaultRuleInput['then'];

/** A fault of the simulated Adobe. */
export interface Fault {
  /** Name under which the report counts it. */
  readonly kind: string;
  readonly rule: FaultRuleInput;
  /** Revoke all tokens when it is injected, so that the relay requests a new one from IMS. */
  readonly revokesTokens?: boolean;
  /**
   * It hits every request, those with a poison event too, and no other fault is injected with it:
   * if anything passed, the events that it hits would rightly become dead letters.
   */
  readonly isTotal?: boolean;
}

type CreateFault = (random: Random) => Fault;

function coinFlip(random: Random): boolean {
  return random() < 0.5;
}

/**
 * Two entries without the header, so that it is absent more often. A date has a resolution of one
 * second.
 */
const RETRY_AFTER = [
  undefined,
  undefined,
  () => 1,
  () => new Date(Date.now() + 1_500).toUTCString(),
  () => 'soon',
];

function retryAfter(random: Random): Pick<Then, 'retryAfter'> {
  const header = randomOf(random, [0, 1, 2, 3, 4]);
  const value = RETRY_AFTER[header]?.();
  return value === undefined ? {} : { retryAfter: value };
}

/** A share of the requests, so that some succeed and other faults of the same burst can hit. */
function someRequests(random: Random) {
  return { probability: randomOf(random, [0.2, 0.5, 0.8]) };
}

function status(code: number): CreateFault {
  return (random) => ({
    kind: `status ${code}`,
    rule: {
      on: 'inlet',
      ...someRequests(random),
      then: {
        status: code,
        ...(code === 429 ? {} : { landed: coinFlip(random) }),
        ...retryAfter(random),
        ...(coinFlip(random) ? {} : { body: '<html>upstream error</html>' }),
      },
    },
  });
}

function resetConnection(reset: 'before' | 'mid-body', isDelayed: boolean): CreateFault {
  return (random) => ({
    kind: isDelayed ? 'slow, then reset' : `reset ${reset}`,
    rule: {
      on: 'inlet',
      ...someRequests(random),
      then: {
        reset,
        landed: coinFlip(random),
        ...(isDelayed ? { delayMs: randomInteger(random, 500, 2_500) } : {}),
      },
    },
  });
}

const slowResponse: CreateFault = (random) => ({
  kind: 'slow response',
  rule: { on: 'inlet', ...someRequests(random), then: { delayMs: randomInteger(random, 100, 1_500) } },
});

/** The whole request is refused, which is the destination's fault and not the event's. */
const refusedRequest: CreateFault = (random) => {
  const code = randomOf(random, [401, 403, 404, 501]);
  const body = code === 403 && coinFlip(random) ? { body: '' } : {};
  return { kind: 'request refused', rule: { on: 'inlet', times: 1, then: { status: code, ...body } } };
};

const FOREIGN_ANSWERS = ['html', 'text', 'empty', 'object', 'error'] as const;

/** A proxy answers in Adobe's place, perhaps after it has passed the request on. */
const foreignAnswer: CreateFault = (random) => ({
  kind: 'foreign answer',
  rule: {
    on: 'inlet',
    ...someRequests(random),
    then: {
      status: randomOf(random, [200, 204, 207, 400, 415, 422]),
      foreign: randomOf(random, FOREIGN_ANSWERS),
      landed: coinFlip(random),
    },
  },
});

/** The dataset does not exist: Adobe's own answer refuses requests or all of their messages. */
const everythingRefused: CreateFault = (random) => ({
  kind: 'everything refused',
  isTotal: true,
  rule: {
    on: 'inlet',
    then: coinFlip(random)
      ? { status: 400, problem: 'dataset not found' }
      : { items: { status: 400, message: 'dataset not found', omitXaction: coinFlip(random) } },
  },
});

const XACTION_IDS = ['normal', 'missing', 'uuid', 'colon4', 'colon3', 'odd', 'shuffled'] as const;
const RESPONSE_SHAPES = [
  'drop-last',
  'drop-first',
  'extra',
  'empty',
  'no-responses',
  'not-json',
  'batch200',
] as const;

/** @param land Adobe stores the messages although it reports that they failed */
function failingItems(land: boolean): CreateFault {
  return (random) => ({
    kind: land ? 'items fail but land' : 'items fail',
    rule: {
      on: 'batch',
      ...someRequests(random),
      then: {
        items: {
          which: randomOf(random, [{ fraction: 0.2 }, { fraction: 0.2 }, 'all', 'first', 'last'] as const),
          status: randomOf(random, [500, 502, 503, 504, 408, 429]),
          key: randomOf(random, ['status', 'statusCode'] as const),
          omitXaction: coinFlip(random),
          lands: land,
        },
        xaction: randomOf(random, XACTION_IDS),
        ...(coinFlip(random) ? {} : { shape: randomOf(random, RESPONSE_SHAPES) }),
      },
    },
  });
}

/** Only the ids in the response identify the messages that failed. */
const shuffledItems: CreateFault = (random) => ({
  kind: 'items fail, shuffled',
  rule: {
    on: 'batch',
    ...someRequests(random),
    then: { items: { which: { fraction: 0.3 }, status: 503 }, xaction: 'shuffled' },
  },
});

const malformed207: CreateFault = (random) => ({
  kind: 'malformed 207',
  rule: {
    on: 'batch',
    ...someRequests(random),
    then: {
      shape: randomOf(random, RESPONSE_SHAPES),
      xaction: randomOf(random, coinFlip(random) ? XACTION_IDS : (['offByOne'] as const)),
    },
  },
});

const revokedTokens: CreateFault = () => ({
  kind: 'tokens revoked',
  revokesTokens: true,
  rule: { on: 'ims', times: 1, then: { delayMs: 1 } },
});

const imsFailure: CreateFault = (random) => ({
  kind: 'IMS failure',
  revokesTokens: true,
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
      { status: 400, body: { error: 'invalid_client', error_description: 'simulated' } },
      { landed: false },
    ]),
  },
});

const hang: CreateFault = (random) => ({
  kind: 'hang',
  rule: { on: 'inlet', times: 1, then: { hang: true, landed: coinFlip(random) } },
});

const KINDS: readonly CreateFault[] = [
  ...[500, 502, 503, 504, 408, 429].map(status),
  resetConnection('before', false),
  resetConnection('mid-body', false),
  resetConnection('before', true),
  slowResponse,
  refusedRequest,
  foreignAnswer,
  everythingRefused,
  failingItems(false),
  failingItems(true),
  shuffledItems,
  malformed207,
  malformed207,
  revokedTokens,
  imsFailure,
];

/** A hang takes half a minute, so it is optional and included only every other time. */
function nextKinds(random: Random, options: { readonly hangs: boolean }): readonly CreateFault[] {
  return options.hangs && random() < 0.5 ? [...KINDS, hang] : KINDS;
}

/** Each kind once, in random order. */
export function oneFaultPerKind(random: Random): Fault[] {
  return shuffled(random, KINDS).map((create) => create(random));
}

/** Endless faults in random order; each kind occurs once before one is repeated. */
export function* faultSequence(
  random: Random,
  options: { readonly hangs: boolean },
): Generator<Fault, never> {
  for (;;) for (const create of shuffled(random, nextKinds(random, options))) yield create(random);
}

/** Rejects the events with this `_id` prefix permanently. */
export function poisonRule(idPrefix: string): FaultRuleInput {
  return {
    on: 'inlet',
    match: { idPrefix },
    then: { items: { which: { match: { idPrefix } }, status: 400, message: 'rejected by the test' } },
  };
}
