import type { ApiAnswer } from '../../../src/capillary/api/api-answer.ts';
import type { CapillaryClient } from '../../../src/capillary/api/capillary-client.ts';
import type { JsonValue } from '../../../src/capillary/json.ts';

/** The delivery log of one webhook, made when it is asked for. */
export interface FakeLog {
  /** Of this many events, in order of time. */
  readonly count: number;
  /** Epoch ms. */
  readonly generatedAt: (index: number) => number;
  /** A row without `eventGeneratedDate`. */
  readonly row: (index: number) => Readonly<Record<string, JsonValue>>;
}

function found(body: JsonValue): ApiAnswer {
  return { ok: true, status: 200, body, warnings: [], at: 0 };
}

/** The first index whose time is at least `at`. */
function indexOf({ count, generatedAt }: FakeLog, at: number): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (generatedAt(middle) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Answers what a comparison asks for: the webhooks, counts and pages of the log. */
export function clientOfLog(log: FakeLog): Pick<CapillaryClient, 'get'> {
  return {
    async get(path, { query = {} } = {}) {
      if (path === '/v3/webHooks')
        return found({ data: [{ webHookId: '1', name: 'relay', consumerGroupId: 'group' }] });
      const first = indexOf(log, Number(query['startDate']));
      const end = indexOf(log, Number(query['endDate']) + 1);
      if (path.endsWith('/metrics')) return found({ data: { totalEvents: end - first } });
      const size = Number(query['pageSize']);
      const from = first + (Number(query['page']) - 1) * size;
      const rows = [];
      for (let index = from; index < Math.min(end, from + size); index += 1)
        rows.push({ ...log.row(index), eventGeneratedDate: log.generatedAt(index) });
      const totalPages = Math.ceil((end - first) / size);
      return found({ data: { data: rows, totalElements: end - first, totalPages } });
    },
  };
}
