import type { JsonObject } from '../../../capillary/json.ts';
import { type Answer, jsonAnswer } from '../exchange.ts';
import { listItems } from './flow-listing.ts';
import { FLOW_SERVICE, flowProblem } from './flow-problem.ts';
import type { PlatformCall, PlatformRoute } from './platform-route.ts';
import type { TwinFlowRun } from './sandbox.ts';

/** A run whose records have failed only in part is a success. */
export function runStatus({ outputRecords, failedRecords }: TwinFlowRun): 'success' | 'failed' {
  return outputRecords === 0 && failedRecords > 0 ? 'failed' : 'success';
}

/** A run as Flow Service shows it (docs/platforms/adobe.md#flow-service). */
function viewOf(run: TwinFlowRun, { sandbox }: PlatformCall): JsonObject {
  const { id, flowId, startedAt, completedAt, bytes } = run;
  const flow = sandbox.flows.get(flowId);
  const errors = run.errors.map(({ code, description }) => ({ code, message: description }));
  return {
    id,
    createdAt: startedAt,
    updatedAt: completedAt,
    sandboxName: sandbox.name,
    imsOrgId: flow?.imsOrgId ?? '',
    flowId,
    flowSpec: flow?.body.flowSpec ?? {},
    metrics: {
      durationSummary: { startedAtUTC: startedAt, completedAtUTC: completedAt },
      sizeSummary: { inputBytes: bytes, outputBytes: bytes },
      recordSummary: {
        inputRecordCount: run.inputRecords,
        outputRecordCount: run.outputRecords,
        failedRecordCount: run.failedRecords,
      },
      fileSummary: { inputFileCount: 0, outputFileCount: run.batchIds.length },
      statusSummary: { status: runStatus(run), ...(errors.length === 0 ? {} : { errors }) },
    },
    activities: [
      {
        id: 'streamingIngestion',
        updatedAtUTC: completedAt,
        targetInfo: [{ type: 'TargetConnection', reference: { type: 'Batch', ids: [...run.batchIds] } }],
      },
    ],
    etag: `"${id.slice(0, 8)}-0000-0200-0000-000000000000"`,
  };
}

function list(call: PlatformCall): Answer {
  const views = call.sandbox.runs.map((run) => viewOf(run, call));
  return listItems(views, call.query, '/runs');
}

function get(call: PlatformCall): Answer {
  const { sandbox, params } = call;
  const run = sandbox.runs.find(({ id }) => id === params.id);
  if (run) return jsonAnswer(200, { items: [viewOf(run, call)] });
  const text = `The requested runs resource ${params.id} is not found.`;
  return flowProblem('1439-404', text, { id: params.id ?? '', type: 'runs' });
}

/** Runs of dataflows (docs/platforms/adobe.md#flow-service). */
export const FLOW_RUN_ROUTES: readonly PlatformRoute[] = [
  { method: 'GET', path: `${FLOW_SERVICE}/runs`, permission: 'View Sources', answer: list },
  { method: 'GET', path: `${FLOW_SERVICE}/runs/:id`, permission: 'View Sources', answer: get },
];
