import { randomUUID } from 'node:crypto';
import { type Answer, jsonAnswer } from '../exchange.ts';

/**
 * The errors of Flow Service that the twin has; the last three digits are the status
 * (docs/platforms/adobe.md#flow-service).
 */
const TITLES = {
  '1100-400': 'Invalid request',
  '1101-404': 'Resource not found',
  '1401-400': 'Invalid request',
  '1403-400': 'Header is missing',
  '1404-412': 'Version not matching',
  '1405-400': 'Invalid request',
  '1410-400': 'Invalid request',
  '1412-400': 'Invalid request',
  '1413-400': 'Invalid request',
  '1414-400': 'Invalid request',
  '1415-400': 'Invalid request',
  '1418-400': 'Invalid request',
  '1419-400': 'Invalid request',
  '1422-400': 'Invalid request',
  '1425-400': 'Invalid request',
  '1434-400': 'Invalid request',
  '1439-404': 'Resource not found',
  '1447-400': 'Invalid request',
  '1450-400': 'Invalid request',
  '1453-400': 'Invalid request',
  '1455-400': 'Invalid request',
  '2100-404': 'Sandbox not found',
  '2105-400': 'Header is missing',
  '2110-400': 'Headers not allowed',
} as const;

export type FlowCode = keyof typeof TITLES;

/** The error document of Flow Service, which repeats its text in three members. */
export function flowProblem(code: FlowCode, detail: string, more: Record<string, string> = {}): Answer {
  const status = Number(code.slice(-3));
  return jsonAnswer(status, {
    type: `https://ns.adobe.com/aep/errors/FLOW-${code}`,
    title: TITLES[code],
    status,
    report: { 'detailed-message': detail, 'request-id': randomUUID(), ...more },
    errorMessage: detail,
    errorDetails: detail,
  });
}

export const FLOW_SERVICE = '/data/foundation/flowservice';

/** Flow Service has codes of its own for a sandbox that is not named as it should be. */
export function flowSandboxProblem(
  name: string | undefined,
  exists: boolean,
  hasSandboxId: boolean,
): Answer | undefined {
  if (name === undefined) {
    return flowProblem('2105-400', 'The header x-sandbox-name is missing in the request.');
  }
  if (hasSandboxId) {
    return flowProblem('2110-400', 'The header x-sandbox-id is not allowed with the user token.');
  }
  if (exists) return undefined;
  return flowProblem('2100-404', `The sandbox with the name '${name}' could not be found.`);
}
