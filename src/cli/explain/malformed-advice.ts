import { isTruncated } from '../../intake/truncated-body.ts';
import type { RecordAnswer } from '../admin-answers.ts';
import { type GivenOptions, relayCommand } from './relay-options.ts';

type BodyProblem = 'truncated' | 'not-json' | 'wrong-org' | 'not-an-event';

/** The code before the colon of `not-json: syntax error`, or the reason of a dead letter. */
function problemOf({ detail = '', reason = '' }: RecordAnswer): BodyProblem {
  if (isTruncated(detail)) return 'truncated';
  const [code = ''] = detail.split(':');
  return [code, reason].find((one) => one === 'not-json' || one === 'wrong-org') ?? 'not-an-event';
}

function meaningOf(problem: BodyProblem, { source, detail = '' }: RecordAnswer): string {
  const orgIds = `sources[${source}].orgIds`;
  switch (problem) {
    case 'truncated':
      return 'Only the beginning of its body is stored, so it cannot be replayed. It was answered 413, after which Capillary does not retry. Raise server.bodyLimit, have the event sent again, then discard this.';
    case 'not-json':
      return 'Its body is not JSON. What is stored does not change, so it cannot be replayed, and Capillary does not send it again by itself. Look at the body, have its sender send the event again as JSON, then discard this.';
    case 'wrong-org':
      return `It is an event of an organisation that is not in ${orgIds}. If that organisation belongs to this source, add it there, reload the configuration, then replay this. If not, discard it, and have its sender use another webhook.`;
    case 'not-an-event': {
      const org = /\borgId\b/.test(detail)
        ? ` An event without an orgId gets the one in ${orgIds}, if there is exactly one.`
        : '';
      return `It is JSON, but not an event that this version can read.${org} Look at the body. If it is no event, discard it, and have its sender fixed. If it is one in a form of its own, a newer version of the relay may read it: replay it then.`;
    }
  }
}

/** What to do about a body that is not an event of its source: each reason has its own way out. */
export function adviseMalformed(record: RecordAnswer, given: GivenOptions): string {
  const { receipt, hasBody } = record;
  const problem = problemOf(record);
  const isFinal = problem === 'truncated' || problem === 'not-json';
  const command = (args: string): string => relayCommand(given, args);
  return [
    meaningOf(problem, record),
    ...(hasBody ? [`See its body: ${command(`explain ${receipt} --body`)}`] : []),
    ...(problem === 'wrong-org' ? [`Reload: ${command('reload')}`] : []),
    ...(hasBody && !isFinal ? [`Replay: ${command(`dead-letters replay ${receipt}`)}`] : []),
    `Discard: ${command(`dead-letters discard ${receipt}`)}`,
  ].join('\n');
}
