import { open, rm } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import { ProblemError } from '../http/problems.ts';
import { type BackupResult, RefusedError } from '../journal/journal.ts';
import { operatorOf } from './access.ts';
import type { AdminObserver } from './admin-parts.ts';

interface StoreParts {
  /** Copies the store to a temporary file, which the caller removes. */
  readonly backup: () => Promise<BackupResult>;
  readonly observer: Pick<AdminObserver, 'actionPerformed'>;
}

/**
 * Content of the file. Its name is removed before anything is sent, so that nothing is left of it,
 * whatever becomes of the connection or the relay.
 */
async function contentOf(file: string) {
  const handle = await open(file, 'r');
  await rm(file);
  return handle.createReadStream();
}

async function backupOrRefuse({ backup }: StoreParts): Promise<BackupResult> {
  try {
    return await backup();
  } catch (error) {
    throw error instanceof RefusedError ? new ProblemError('conflict', error.message) : error;
  }
}

/** A copy of the store, which is sent to the caller: nobody chooses where the relay writes. */
export function storeRoutes(app: FastifyInstance, parts: StoreParts): void {
  app.route({
    method: 'POST',
    url: '/store/backup',
    handler: async (request, reply) => {
      const by = operatorOf(request);
      const { file, bytes } = await backupOrRefuse(parts);
      const content = await contentOf(file);
      parts.observer.actionPerformed({ action: 'store.backup', by, counts: { bytes } });
      return reply
        .type('application/vnd.sqlite3')
        .header('content-length', bytes)
        .header('content-disposition', 'attachment; filename="relay.db"')
        .send(content);
    },
  });
}
