import { type FlowObject, SPECS, targetDataset } from '../../../adobe/platform/flow-service.ts';
import { isJsonObject } from '../../../capillary/json.ts';
import type { DestinationConfig } from '../../../config/config-schema.ts';
import type { RecordClass } from '../../../xdm/standard-groups.ts';
import { type Finding, fail, ok, warn } from '../../doctor/finding.ts';
import { formatDuration, formatTime } from '../../time-format.ts';
import { connectionParams, inletIdOf } from '../connection-steps.ts';
import { changedAtOf } from '../dataflow-settle.ts';
import { idKey } from '../step-context.ts';
import { checkName } from './platform-reading.ts';

/** A dataflow with the objects that it connects; undefined ones do not exist. */
export interface ReadDataflow {
  readonly flow: FlowObject | undefined;
  readonly connection?: FlowObject | undefined;
  readonly target?: FlowObject | undefined;
}

export interface DataflowPlace {
  readonly destination: DestinationConfig;
  readonly record: RecordClass;
  readonly ids: DestinationConfig['events'];
  /** Epoch ms. */
  readonly now: number;
  /** How old a dataflow has to be, in ms. */
  readonly settleMs: number;
  /** How many ms the clock of the platform is ahead. */
  readonly clockAheadMs: number;
}

/** When records may be sent, epoch ms; before, they can be dropped silently. */
export function readyAt(flow: FlowObject, settleMs: number, clockAheadMs: number): number {
  return changedAtOf(flow, clockAheadMs) + settleMs;
}

function stateFindings(check: string, flow: FlowObject, place: DataflowPlace): Finding[] {
  const { now, settleMs, clockAheadMs } = place;
  const ready = readyAt(flow, settleMs, clockAheadMs);
  const { state = 'enabled' } = flow;
  return [
    ...(state === 'enabled'
      ? []
      : [
          fail(
            check,
            `${flow.name} is ${state}: its records go nowhere`,
            'enable it in AEP under Sources > Dataflows, or run capillary-relay provision apply for a dataflow that it has made',
          ),
        ]),
    ...(ready > now
      ? [
          fail(
            check,
            `${flow.name} was created or changed less than ${formatDuration(settleMs)} ago: its first records can be dropped silently`,
            `start the relay after ${formatTime(new Date(ready).toISOString())}`,
          ),
        ]
      : []),
  ];
}

function targetFindings(
  check: string,
  target: FlowObject | undefined,
  { ids, record, destination }: DataflowPlace,
): Finding[] {
  if (target === undefined)
    return [
      fail(
        check,
        'its target connection does not exist',
        'make the dataflow again: capillary-relay provision apply',
      ),
    ];
  const key = idKey(record, 'datasetId');
  const datasetId = targetDataset(target) ?? 'of no id';
  if (datasetId === ids.datasetId) return [];
  return [
    fail(
      check,
      `it writes to the dataset ${datasetId}, not to ${key} (${ids.datasetId}) of ${destination.name}`,
      `correct ${idKey(record, 'flowId')} or ${key}`,
    ),
  ];
}

function inletFindings(check: string, connection: FlowObject, { inletUrl }: DestinationConfig): Finding[] {
  const { inletUrl: url } = connectionParams(connection);
  if (url === undefined) return [];
  if (inletIdOf(url) !== inletIdOf(inletUrl))
    return [
      fail(
        check,
        `the dataflow belongs to the connection ${connection.name}, whose inlet is not that of inletUrl`,
        `set inletUrl: ${url}, or use a dataflow of the connection of inletUrl`,
      ),
    ];
  if (new URL(url).host === new URL(inletUrl).host) return [];
  return [
    warn(
      check,
      `the connection shows the inlet at ${new URL(url).host}, and inletUrl has ${new URL(inletUrl).host}`,
      `set inletUrl: ${url}, unless a gateway of your own stands in between`,
    ),
  ];
}

function authenticationFindings(check: string, isRequired: boolean, isSent: boolean): Finding[] {
  if (isRequired === isSent) return [];
  return isRequired
    ? [
        fail(
          check,
          'the connection requires authentication, and the destination has authenticated: false',
          'set authenticated: true',
        ),
      ]
    : [
        warn(
          check,
          'the connection does not require authentication: it takes records from anyone who knows inletUrl',
          'make a connection with authentication: remove inletUrl and the flow ids, and run capillary-relay provision apply',
        ),
      ];
}

/** Whether a dataflow's connection is the one that the destination sends to, in the right form. */
function connectionFindings(
  connection: FlowObject | undefined,
  flow: FlowObject,
  { destination }: DataflowPlace,
): Finding[] {
  const check = checkName('connection', destination.name);
  if (connection === undefined)
    return [fail(check, `the base connection of ${flow.name} does not exist`, 'make the dataflow again')];
  const { dataType, isAuthenticationRequired } = connectionParams(connection);
  const { format, authenticated } = destination;
  const state = connection.state ?? 'enabled';
  const { flowSpec } = flow.body;
  const isMapping = isJsonObject(flowSpec) && flowSpec['id'] === SPECS.mappedFlow;
  const found = [
    ...(state === 'enabled'
      ? []
      : [fail(check, `${connection.name} is ${state}`, 'enable it in AEP under Sources > Accounts')]),
    ...inletFindings(check, connection, destination),
    ...(typeof dataType !== 'string' || dataType === format
      ? []
      : [
          fail(
            check,
            `${connection.name} has dataType ${dataType}, and the destination format: ${format}`,
            `set format: ${dataType}, or use a connection of the type ${format}; the type of a connection cannot be changed`,
          ),
        ]),
    ...authenticationFindings(check, isAuthenticationRequired, authenticated),
    ...(format === 'raw' && !isMapping
      ? [
          fail(
            check,
            `${flow.name} has no mapping, which raw payloads need`,
            'make the dataflow again with a mapping set',
          ),
        ]
      : []),
  ];
  return found.length > 0 ? found : [ok(check, `${connection.name}: ${format}, the inlet of inletUrl`)];
}

/** Whether a dataflow carries the records of the destination to its dataset, from now on. */
export function dataflowFindings(
  { flow, connection, target }: ReadDataflow,
  place: DataflowPlace,
): Finding[] {
  const { record, destination, ids } = place;
  const check = checkName(`${record} dataflow`, destination.name);
  if (flow === undefined)
    return [
      fail(
        check,
        `${idKey(record, 'flowId')}: the sandbox has no dataflow ${ids.flowId}`,
        `copy the id of the dataflow from AEP, or remove ${idKey(record, 'flowId')} and run capillary-relay provision apply`,
      ),
    ];
  const own = [...stateFindings(check, flow, place), ...targetFindings(check, target, place)];
  return [
    ...(own.length > 0 ? own : [ok(check, `${flow.name}: enabled, into its dataset`)]),
    ...connectionFindings(connection, flow, place),
  ];
}
