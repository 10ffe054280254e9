import type { DeliveryRecord } from '../../../src/simulator/capillary/api/delivery-records.ts';
import type { LandedRecord } from '../../../src/simulator/adobe/landed-store.ts';
import { isJsonObject, type JsonValue } from '../../../src/capillary/json.ts';
import { KEY } from '../../helpers/relay-process.ts';
import { until } from '../../helpers/until.ts';
import { ODD_NAME } from './landing-names.ts';
import { type LandingRig, setFlowTime } from './landing-rig.ts';
import { eventMaker } from './planted-events.ts';

/**
 * What was sent, and every loss that was planted, by the twins' own records. Events by their ids.
 */
export interface Planted {
  readonly records: readonly DeliveryRecord[];
  /** Capillary gave up: the relay was down, or refused. */
  readonly unreachable: readonly string[];
  readonly refused: readonly string[];
  /** The relay has accepted them, and Capillary does not know. */
  readonly answerLost: readonly string[];
  /** AEP has refused them after its answer. */
  readonly refusedLater: readonly string[];
  /** In the data lake, but not in Profile. */
  readonly tooLarge: readonly string[];
  /** Lost by the dataflow. */
  readonly young: readonly string[];
  /** When the dataflow was changed, epoch ms, and when everything that it lost was delivered. */
  readonly youngFrom: number;
  readonly youngUntil: number;
}

/** Shares of all events. */
const SHARES = {
  unreachable: 0.005,
  refused: 0.005,
  refusedLater: 0.005,
  tooLarge: 0.002,
  young: 0.008,
} as const;

/** The relay cannot say of less than a second whether it was before the change of a dataflow. */
const CLOCK_STEP_MS = 1_500;

/** Puts a field into these events that the schema of the events lacks. */
export const ODD_OVERRIDE = { [ODD_NAME]: { event: '{ "_demo": { "campaign": event.data.campaign } }' } };

/** The id that Capillary gave the event of a record in AEP. */
export function eventIdOf({ entity }: Pick<LandedRecord, 'entity'>): string {
  let value: JsonValue | undefined = entity;
  for (const name of ['_demo', 'capillary', 'event', 'id'])
    value = isJsonObject(value) ? value[name] : undefined;
  return typeof value === 'string' ? value : '';
}

function idsOf(records: readonly { readonly eventId: string }[]): string[] {
  return records.map(({ eventId }) => eventId);
}

/** What AEP has lost: an event of which no copy has landed. */
function lossesOf(landed: readonly LandedRecord[]): Pick<Planted, 'refusedLater' | 'tooLarge' | 'young'> {
  const withFate = (matches: (fate: NonNullable<LandedRecord['fate']>) => boolean): Set<string> =>
    new Set(landed.flatMap((record) => (record.fate && matches(record.fate) ? [eventIdOf(record)] : [])));
  const inLake = withFate((fate) => fate.inLake);
  const failed = withFate(({ state }) => state === 'failed');
  const lost = withFate(({ state }) => state === 'lost');
  const without = (ids: Set<string>, ...others: readonly Set<string>[]): string[] =>
    [...ids].filter((id) => !others.some((other) => other.has(id)));
  return {
    refusedLater: without(failed, inLake),
    tooLarge: without(
      inLake,
      withFate((fate) => fate.inProfile),
    ),
    young: without(lost, inLake, failed),
  };
}

/** Sends events through all the losses; the relay has to run, and runs again afterwards. */
export async function plantLosses(rig: LandingRig, count: number): Promise<Planted> {
  const { simulator, sandbox } = rig;
  const twin = simulator.capillary;
  const make = eventMaker(twin.org, Math.max(20, Math.round(count / 10)));
  const share = (name: keyof typeof SHARES): number => Math.max(2, Math.round(count * SHARES[name]));
  const send = async (events: ReturnType<typeof make.ordinary>): Promise<DeliveryRecord[]> => {
    const records = events.flatMap((event) => twin.raise(event));
    await rig.ended(records);
    return records;
  };

  const others = Object.keys(SHARES).reduce((sum, name) => sum + share(name as keyof typeof SHARES), 0);
  const main = make.ordinary(count - others);
  const special = [...make.odd(share('refusedLater')), ...make.large(share('tooLarge'))];
  const step = Math.floor(main.length / special.length);
  const mixed = main.flatMap((event, at) => (at % step === 0 ? [event, ...special.splice(0, 1)] : [event]));
  const ordinary = await send([...mixed, ...special]);

  const webhook = rig.webhook();
  const wrong = { ...webhook.fields, webHookHeaders: { 'X-Relay-Key': `${KEY} of another relay` } };
  twin.webhooks.replace(webhook, wrong, 'test');
  const refused = await send(make.ordinary(share('refused')));
  twin.webhooks.replace(rig.webhook(), webhook.fields, 'test');

  await rig.settled();
  const delivered = Date.now();
  await rig.stopRelay('SIGTERM');
  const unreachable = await send(make.ordinary(share('unreachable')));
  await rig.startRelay();

  const { flowId } = rig.config.destinations[0]!['events'] as { readonly flowId: string };
  await until(() => Date.now() > delivered + CLOCK_STEP_MS);
  const youngFrom = Date.now();
  // However long it takes to deliver them.
  setFlowTime(sandbox, flowId, youngFrom + 600_000);
  const young = await send(make.ordinary(share('young')));
  await rig.settled();
  const youngUntil = Date.now();
  setFlowTime(sandbox, flowId, youngFrom);
  // A relay that is killed sends again what it had no time to record, and what was lost would land.
  await rig.stopRelay('SIGTERM');
  await rig.startRelay();

  const records = [...ordinary, ...refused, ...unreachable, ...young];
  return {
    records,
    ...lossesOf(simulator.landed({ kind: 'event' })),
    youngFrom,
    youngUntil,
    unreachable: idsOf(unreachable),
    refused: idsOf(refused),
    answerLost: idsOf([...ordinary, ...young].filter(({ losesAnswers }) => losesAnswers)),
  };
}
