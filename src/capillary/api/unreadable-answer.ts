import { truncateUtf8 } from '../../telemetry/truncate.ts';
import type { ApiFailure, ApiSuccess } from './capillary-client.ts';

/** A success that has not what it should have: the API has changed, or it is not Capillary's. */
export function unreadable(call: string, { status, requestId }: ApiSuccess, lack: string): ApiFailure {
  return {
    ok: false,
    error: {
      kind: 'foreign',
      call,
      status,
      text: truncateUtf8(`an answer ${lack}`, 200),
      ...(requestId === undefined ? {} : { requestId }),
      ambiguous: false,
    },
  };
}
